"""Run a task's function and say how it ended, whatever it did."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import TracebackType

from parproc.context import ProcContext
from parproc.core.model import SUCCESS, ErrorKind, Location, Outcome, ProcState, failure
from parproc.errors import KnotError, ProcFailedError, ProcNoChangeError, ProcSkippedError, UserError
from parproc.exec.frames import PACKAGE, drop_our_frames
from parproc.exec.system import signal_name
from parproc.values import EncodedResult, ResultError, encode

LONGEST_REASON = 300
LONGEST_MESSAGE = 64 * 1024
LONGEST_TRACEBACK = 1024 * 1024
LIBRARY = os.path.dirname(os.__file__) + os.sep


class Terminated(SystemExit):
    """Raised in a task by a signal that asks it to end, so that its ``finally`` blocks run.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def perform(
    call: Callable[[ProcContext], object], context: ProcContext, result_paths: tuple[str, ...]
) -> tuple[Outcome, EncodedResult | None]:
    """Call a task's function and encode what it returns; every way to end becomes an outcome.

    A traceback, with the user's frames only, goes to standard error.

    Args:
        call: takes the context and runs the function.
        context: what it is given.
        result_paths: files that a large result may be written to.
    """
    try:
        return SUCCESS, encode(call(context), result_paths)
    except BaseException as error:
        return judge(error), None


def enter_directory(directory: str) -> None:
    """Make ``directory`` the working directory; raises ProcFailedError where that is impossible."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise ProcFailedError(f'working directory {directory}: {error.strerror}') from None


def judge(error: BaseException) -> Outcome:
    """Return how a task ended that raised ``error``, after writing to its log what belongs there."""
    if isinstance(error, ProcSkippedError):
        return Outcome(ProcState.SKIPPED, reason=first_line(error))
    if isinstance(error, ProcNoChangeError):
        return Outcome(ProcState.SUCCEEDED, reason=first_line(error) or 'no change')
    if isinstance(error, ProcFailedError):
        _say(message_of(error))
        return failure(ErrorKind.FAILED, first_line(error) or 'failed')
    if isinstance(error, ResultError):
        _say(f'not picklable: {message_of(error)}')
        return failure(ErrorKind.NOT_PICKLABLE, f'not picklable: {first_line(error)}')
    if isinstance(error, SystemExit):
        return _exited(error)
    if isinstance(error, KeyboardInterrupt):
        return failure(ErrorKind.SIGNAL, 'killed by SIGINT')
    return _raised(error)


def _exited(error: SystemExit) -> Outcome:
    if isinstance(error, Terminated):
        return failure(ErrorKind.SIGNAL, f'killed by {signal_name(error.number)}')
    if error.code is None or error.code == 0:
        return SUCCESS
    if isinstance(error.code, int):
        return failure(ErrorKind.EXIT, f'exit {error.code & 255}')
    _say(message_of(error))
    return failure(ErrorKind.EXIT, 'exit 1')


def _raised(error: BaseException) -> Outcome:
    drop_our_frames(error)
    trace = error.__traceback__
    _say(_formatted(error, trace))
    if isinstance(error, KnotError):
        kind = ErrorKind.KNOT
    else:
        kind = ErrorKind.USER_ERROR if isinstance(error, UserError) else ErrorKind.EXCEPTION
    text = first_line(error)
    name = type(error).__name__
    reason = f'{name}: {text}' if text else name
    retry = kind is ErrorKind.EXCEPTION
    return Outcome(ProcState.FAILED, kind, reason, location=_location(trace), retry=retry)


def _say(text: str) -> None:
    """Write to the task's log, even where the task has broken its standard streams."""
    text = text if text.endswith('\n') else text + '\n'
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except Exception:
        try:
            os.write(2, text.encode('utf-8', 'backslashreplace'))
        except OSError:
            return


def message_of(error: BaseException) -> str:
    """Return an exception's text, bounded; an exception that cannot be printed says so instead."""
    try:
        text = str(error)
    except Exception as second:
        return f'<{type(error).__name__} that cannot be printed: {type(second).__name__}>'
    return text if len(text) <= LONGEST_MESSAGE else f'{text[:LONGEST_MESSAGE]}… ({len(text)} characters)'


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, short enough for a status line."""
    lines = message_of(error).strip().splitlines()
    line = lines[0] if lines else ''
    return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + '…'


def _formatted(error: BaseException, trace: TracebackType | None) -> str:
    import traceback

    text = ''
    if len(message_of(error)) < LONGEST_MESSAGE:
        try:
            text = ''.join(traceback.format_exception(type(error), error, trace))
        except Exception:
            text = ''
    if not text:
        frames = ''.join(traceback.format_tb(trace))
        text = f'Traceback (most recent call last):\n{frames}{type(error).__name__}: {message_of(error)}\n'
    if len(text) > LONGEST_TRACEBACK:
        half = LONGEST_TRACEBACK // 2
        text = f'{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}'
    return text


def _location(trace: TracebackType | None) -> Location | None:
    """Return the innermost place in the user's own code: not the standard library, not an installed package."""
    found = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        foreign = file.startswith((LIBRARY, PACKAGE, '<')) or 'site-packages' in file
        if found is None or not foreign:
            found = Location(file, trace.tb_lineno)
        trace = trace.tb_next
    return found
