"""The entry point: read what is asked, do it, and end with the right exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from parproc.cli.command_line import CommandLine, read_plain
from parproc.cli.complaint import complain
from parproc.cli.output import WriteError, complain_of_output, emit, silence
from parproc.control.signals import die_by
from parproc.errors import InternalError, ParprocError


def main() -> NoReturn:
    """Run the command line and end the process with its exit code, or by the signal that stopped it."""
    try:
        try:
            if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            outcome = _outcome(sys.argv[1:])
        finally:
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        outcome = -signal.SIGINT
    if outcome < 0:
        silence(1, 2)
        die_by(-outcome)
    _leave(outcome)


def _outcome(arguments: Sequence[str]) -> int:
    """Do what is asked and say what was wrong; return the exit code, negative for the signal to die by."""
    asked = None
    try:
        asked = read_command_line(arguments)
        outcome = 0 if asked is None else act(asked)
        emit('')
    except BrokenPipeError:
        return -signal.SIGPIPE
    except WriteError as error:
        return complain_of_output(error)
    except InternalError as error:
        return _bug(error, verbose=asked is not None and asked.verbose)
    except ParprocError as error:
        trace = getattr(error, 'trace', '')
        if asked is not None and asked.verbose:
            import traceback

            trace = ''.join(traceback.format_exception(error))
        complain(error.message, error.hint, trace, colour='auto' if asked is None else asked.colour)
        return error.exit_code
    except Exception as error:
        return _bug(error, verbose=asked is not None and asked.verbose)
    return outcome


def _leave(code: int) -> NoReturn:
    """End with an exit code, and wait for nothing that a task file has started by itself: what was asked for is done."""
    processes = sys.modules.get('multiprocessing.process')
    for process in processes.active_children() if processes is not None else ():
        process.kill()
    threading = sys.modules.get('threading')
    if threading is not None and any(
        not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()
    ):
        from parproc.exec.cpython import run_exit_handlers

        run_exit_handlers()
        with suppress(WriteError, BrokenPipeError):
            emit('')
        os._exit(code)
    sys.exit(code)


def die_of_closed_output() -> NoReturn:
    """End as a program does whose output nobody reads any more."""
    silence(1, 2)
    die_by(signal.SIGPIPE)


def read_command_line(arguments: Sequence[str]) -> CommandLine | None:
    """Return what ``arguments`` and the environment ask for, None when that was answered already."""
    asked = read_plain(arguments, os.environ)
    if asked is not None:
        return asked
    from parproc.cli.options import read_options

    return read_options(arguments)


def act(asked: CommandLine) -> int:
    """Do what is asked and return the exit code, negative for the signal to die by."""
    from parproc.cli.dispatch import act as do

    return do(asked)


def _bug(error: Exception, *, verbose: bool) -> int:
    trace = ''
    if verbose:
        import traceback

        trace = ''.join(traceback.format_exception(error))
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        complain('too many files are open at once', 'allow more, as with: ulimit -n 1024', trace)
    else:
        said, *story = (
            error.message.split('\n') if isinstance(error, InternalError) else [f'{type(error).__name__}: {error}']
        )
        complain(f'this is a bug in parproc: {said}', 'please report it, with what -v shows', trace, story=story)
    return InternalError.exit_code
