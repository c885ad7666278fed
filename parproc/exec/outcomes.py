"""Run a task's function and say how it ended, whatever it did."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from parproc.context import ProcContext
from parproc.core.model import SUCCESS, ErrorKind, Location, Outcome, ProcState, failure
from parproc.errors import KnotError, ProcFailedError, ProcNoChangeError, ProcSkippedError, UserError
from parproc.exec.protocol import Job
from parproc.values import EncodedResult, ResultError, encode

LONGEST_REASON = 300
LONGEST_MESSAGE = 64 * 1024
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def perform(job: Job, context: ProcContext) -> tuple[Outcome, EncodedResult | None]:
    """Call the job's function and encode what it returns; every way to end becomes an outcome.

    A traceback, with the user's frames only, goes to standard error.
    """
    try:
        value = job.call(context)
        return SUCCESS, encode(value, job.result_path)
    except ProcSkippedError as error:
        return Outcome(ProcState.SKIPPED, reason=first_line(error)), None
    except ProcNoChangeError as error:
        return Outcome(ProcState.SUCCEEDED, reason=first_line(error) or 'no change'), None
    except ProcFailedError as error:
        print(message_of(error), file=sys.stderr)
        return failure(ErrorKind.FAILED, first_line(error) or 'failed'), None
    except SystemExit as error:
        return _exited(error), None
    except ResultError as error:
        print(f'not picklable: {error}', file=sys.stderr)
        return failure(ErrorKind.NOT_PICKLABLE, f'not picklable: {error}'), None
    except KeyboardInterrupt:
        return failure(ErrorKind.SIGNAL, 'killed by SIGINT'), None
    except BaseException as error:
        return _raised(error), None


def _exited(error: SystemExit) -> Outcome:
    if error.code is None or error.code == 0:
        return SUCCESS
    if isinstance(error.code, int):
        return failure(ErrorKind.EXIT, f'exit {error.code & 255}')
    print(message_of(error), file=sys.stderr)
    return failure(ErrorKind.EXIT, 'exit 1')


def _raised(error: BaseException) -> Outcome:
    trace = _user_part(error.__traceback__)
    print(_formatted(error, trace), file=sys.stderr, end='')
    if isinstance(error, KnotError):
        kind = ErrorKind.KNOT
    else:
        kind = ErrorKind.USER_ERROR if isinstance(error, UserError) else ErrorKind.EXCEPTION
    text = first_line(error)
    name = type(error).__name__
    reason = f'{name}: {text}' if text else name
    retry = kind is ErrorKind.EXCEPTION
    return Outcome(ProcState.FAILED, kind, reason, location=_location(trace), retry=retry)


def message_of(error: BaseException) -> str:
    """Return an exception's text, bounded; an exception that cannot be printed says so instead."""
    try:
        text = str(error)
    except BaseException as second:
        return f'<{type(error).__name__} that cannot be printed: {type(second).__name__}>'
    return text if len(text) <= LONGEST_MESSAGE else f'{text[:LONGEST_MESSAGE]}… ({len(text)} characters)'


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, short enough for a status line."""
    lines = message_of(error).strip().splitlines()
    line = lines[0] if lines else ''
    return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + '…'


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    """Drop the frames above the user's function, which are parproc's own."""
    start = trace
    while start is not None and start.tb_frame.f_code.co_filename.startswith(PACKAGE):
        start = start.tb_next
    return start or trace


def _formatted(error: BaseException, trace: TracebackType | None) -> str:
    if len(message_of(error)) < LONGEST_MESSAGE:
        import traceback

        try:
            return ''.join(traceback.format_exception(type(error), error, trace))
        except BaseException as second:
            return f'{type(error).__name__}: <cannot be printed: {type(second).__name__}>\n'
    import traceback

    frames = ''.join(traceback.format_tb(trace))
    return f'Traceback (most recent call last):\n{frames}{type(error).__name__}: {message_of(error)}\n'


def _location(trace: TracebackType | None) -> Location | None:
    """Return the innermost place in the user's own code: not the standard library, not an installed package."""
    found = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        foreign = file.startswith((os.path.dirname(os.__file__), PACKAGE, '<')) or 'site-packages' in file
        if found is None or not foreign:
            found = Location(file, trace.tb_lineno)
        trace = trace.tb_next
    return found
