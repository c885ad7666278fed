"""Run a task's function and say how it ended, whatever it did.

A task may have broken all that is around it: exchanged built-in functions, emptied ``sys.modules``, used up its
descriptors, raised what raises when it is looked at. So what is used here is bound when this module is loaded, types
are asked and not values, and nothing that a value raises is more than a word in a message.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable
from types import TracebackType

from parproc.context import ProcContext
from parproc.core.model import SUCCESS, ErrorKind, Location, Outcome, ProcState, failure
from parproc.errors import DeadlockError, ProcFailedError, ProcNoChangeError, ProcSkippedError, UserError
from parproc.exec.child.tracebacks import PACKAGE, drop_our_frames
from parproc.exec.system import signal_name
from parproc.values.encoding import EncodedResult, ResultError, encode
from parproc.values.references import Reference
from parproc.values.type_names import name_of

LONGEST_REASON_CHARACTERS = 300
LONGEST_MESSAGE_CHARACTERS = 64 * 1024
LONGEST_TRACEBACK_CHARACTERS = 1024 * 1024
LARGEST_CODE = 1 << 63
LIBRARY = os.path.dirname(os.__file__) + os.sep
DEBUGGERS = {'bdb', 'pdb'}
# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_write = os.write
_trace_of = BaseException.__dict__['__traceback__'].__get__  # an exception's class may have another
_format_exception: Callable[..., list[str]] | None = None


def prepare() -> None:
    """Load what a failing task needs, before it can empty ``sys.modules``, change its root or use up descriptors."""
    global _format_exception
    if _format_exception is None:
        import ast  # noqa: F401 - with the next, what traceback loads when it is used
        import tokenize  # noqa: F401
        import traceback

        _format_exception = traceback.format_exception


class Terminated(SystemExit):
    """Raised in a task by a signal that asks it to end, so that its ``finally`` blocks run.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def say_on_stderr(text: str) -> None:
    """Write to standard error, even where the task has broken its standard streams."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BaseException:
        try:
            _write(2, text.encode('utf-8', 'backslashreplace'))
        except OSError:
            return


def perform(
    call: Callable[[ProcContext], object],
    context: ProcContext,
    result_paths: tuple[str, ...],
    say: Callable[[str], None] = say_on_stderr,
    references: set[Reference] | None = None,
) -> tuple[Outcome, EncodedResult | None]:
    """Call a task's function and encode what it returns; every way to end becomes an outcome.

    Args:
        call: takes the context and runs the function.
        context: what it is given.
        result_paths: files that a large result may be written to.
        say: takes a traceback, with the user's frames only, and whatever else belongs into the log.
        references: as for :func:`parproc.values.encoding.encode`.
    """
    try:
        value = call(context)
    except BaseException as error:
        return judge(error, say), None
    try:
        return SUCCESS, encode(value, result_paths, references)
    except (ResultError, ProcFailedError, Terminated, KeyboardInterrupt) as error:
        return judge(error, say), None
    except BaseException as error:  # whatever else the value's own methods raise, SystemExit(0) among it
        return judge(ResultError(f'{name_of(type(value))} raised {described(error)}'), say), None


def enter_directory(directory: str) -> None:
    """Make ``directory`` the working directory; raises ProcFailedError where that is impossible."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise ProcFailedError(f'working directory {directory}: {error.strerror}') from None


def is_failure(error: BaseException) -> bool:
    """Return whether an exception that came after a task's own end makes it fail: SystemExit(0) does not."""
    return not issubclass(type(error), SystemExit) or _exited(error, lambda _: None).error is not None


def judge(error: BaseException, say: Callable[[str], None] = say_on_stderr) -> Outcome:
    """Return how a task ended that raised ``error``, after writing to its log what belongs there."""
    kind = type(error)  # not isinstance, which asks the exception for its class
    if issubclass(kind, ProcSkippedError):
        return Outcome(ProcState.SKIPPED, reason=first_line(error))
    if issubclass(kind, ProcNoChangeError):
        return Outcome(ProcState.SUCCEEDED, reason=first_line(error) or 'no change')
    if issubclass(kind, ProcFailedError):
        say(message_of(error) + '\n')
        return failure(ErrorKind.FAILED, first_line(error) or 'failed')
    if issubclass(kind, ResultError):
        say(f'not picklable: {message_of(error)}\n')
        return failure(ErrorKind.NOT_PICKLABLE, f'not picklable: {first_line(error)}')
    if kind is Terminated:
        return failure(ErrorKind.SIGNAL, f'killed by {signal_name(error.number)}')  # type: ignore[attr-defined]
    if issubclass(kind, SystemExit):
        return _exited(error, say)
    if issubclass(kind, KeyboardInterrupt):
        return failure(ErrorKind.SIGNAL, 'killed by SIGINT')
    return _raised(error, say)


def _exited(error: BaseException, say: Callable[[str], None]) -> Outcome:
    """Return how a task ended that left by SystemExit: as a program does, but that no number is cut to a byte."""
    try:
        code = error.code  # type: ignore[attr-defined]
    except BaseException as second:
        return failure(ErrorKind.EXIT, f'exit 1 ({name_of(type(error))} raised {name_of(type(second))})')
    if code is None:
        return SUCCESS
    if not issubclass(type(code), int):
        say(f'{text_of(code)}\n')
        return failure(ErrorKind.EXIT, 'exit 1')
    number = int.__index__(code)
    if number == 0:
        return SUCCESS
    if not -LARGEST_CODE <= number < LARGEST_CODE:
        return failure(ErrorKind.EXIT, 'exit with a number too large for an exit code')
    return failure(ErrorKind.EXIT, f'exit {number}')


def _raised(error: BaseException, say: Callable[[str], None]) -> Outcome:
    kind = type(error)
    try:  # noqa: SIM105 - contextlib would use the built-in functions that a task may have exchanged
        drop_our_frames(error)
    except BaseException:
        pass
    trace = _trace_of(error)
    say(_formatted(error, trace))
    if issubclass(kind, DeadlockError):
        found = ErrorKind.DEADLOCK
    else:
        found = ErrorKind.USER_ERROR if issubclass(kind, UserError) else ErrorKind.EXCEPTION
    retry = found is ErrorKind.EXCEPTION
    return Outcome(ProcState.FAILED, found, described(error), location=_location(trace), retry=retry)


def described(error: BaseException) -> str:
    """Return an exception's type and the first line of its text, for a status line."""
    text = first_line(error)
    name = name_of(type(error)).rpartition('.')[2]
    return f'{name}: {text}' if text else name


def in_debugger(error: BaseException) -> bool:
    """Return whether an exception comes out of a debugger, which had nobody to talk to or was told to quit."""
    trace: TracebackType | None = _trace_of(error)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get('__name__') in DEBUGGERS


def message_of(error: BaseException) -> str:
    """Return an exception's text, bounded; an exception that cannot be printed says so instead."""
    return text_of(error)


def text_of(value: object) -> str:
    """Return ``str(value)`` as a plain string, bounded; what cannot be printed says so instead."""
    try:
        text = str.__str__(str(value))
    except BaseException as second:
        return f'<{name_of(type(value)).rpartition(".")[2]} that cannot be printed: {name_of(type(second))}>'
    return (
        text
        if len(text) <= LONGEST_MESSAGE_CHARACTERS
        else f'{text[:LONGEST_MESSAGE_CHARACTERS]}… ({len(text)} characters)'
    )


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, short enough for a status line."""
    lines = message_of(error).strip().splitlines()
    line = lines[0] if lines else ''
    return line if len(line) <= LONGEST_REASON_CHARACTERS else line[:LONGEST_REASON_CHARACTERS] + '…'


def _formatted(error: BaseException, trace: TracebackType | None) -> str:
    text = ''
    if _format_exception is not None and len(message_of(error)) < LONGEST_MESSAGE_CHARACTERS:
        try:
            text = str.__str__(''.join(_format_exception(type(error), error, trace)))
        except BaseException:
            text = ''
    if not text:
        text = f'Traceback (most recent call last):\n{_frames(trace)}{name_of(type(error))}: {message_of(error)}\n'
    if len(text) > LONGEST_TRACEBACK_CHARACTERS:
        half = LONGEST_TRACEBACK_CHARACTERS // 2
        text = f'{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}'
    return text


def _frames(trace: TracebackType | None) -> str:
    """Return a stack as ``traceback`` would print it, but for the lines of the source."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}\n')
        trace = trace.tb_next
    return ''.join(found)


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
