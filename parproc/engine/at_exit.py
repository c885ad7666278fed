"""The end of a program that uses sessions: what nobody waited for is waited for, and a failure is not kept back."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from parproc.engine.exit_status import claims_success
from parproc.host.interactive import is_interactive

if TYPE_CHECKING:
    from types import TracebackType

    from parproc.engine.run import Run
    from parproc.engine.workspace import Workspace

_workspaces: weakref.WeakSet[Workspace] = weakref.WeakSet()
OURS = frozenset({'parproc.engine.run', 'parproc.engine.program_run', 'parproc.engine.loop'})
"""Modules of which one is on the way wherever an error breaks off what runs procs."""
EXIT_PRIORITY = 100  # before queues are closed and pools ended, which procs may use
_registered_in = 0


def watch_over(workspace: Workspace) -> None:
    """Let a session's procs be waited for when this process ends, as long as the session is alive then."""
    global _registered_in
    _workspaces.add(workspace)
    if _registered_in == os.getpid():
        return
    _registered_in = os.getpid()
    atexit.register(_at_exit)
    multiprocessing = sys.modules.get('multiprocessing')
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize

        # a worker that was forked leaves without calling what atexit has
        Finalize(None, _at_exit, exitpriority=EXIT_PRIORITY)


def _at_exit() -> None:
    """Wait for what is open in every session of this process, and let failures be known."""
    here = os.getpid()
    ends = {_finish(workspace) for workspace in list(_workspaces) if workspace.process == here}
    if End.INTERRUPTED in ends:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _end_at_last(partial(os.kill, here, signal.SIGINT))
    elif End.FAILED in ends and claims_success() and _last_error()[0] is None:
        _end_at_last(partial(os._exit, 1))


class End(Enum):
    """How the end of a session went that nobody waited for."""

    WELL = 'well'
    FAILED = 'failed'
    INTERRUPTED = 'interrupted'


def _finish(workspace: Workspace) -> End:
    """Wait for what a session runs and close it; where the program was interrupted, end it as Ctrl-C would have."""
    run = workspace.run
    if run is None:
        return End.WELL
    kind, trace = _last_error()
    interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
    try:
        if interrupted:  # Python forgets that it is to end by this signal, when more is imported now
            return _stop(workspace, run)
        if not (_is_ours(trace) or run.engine.is_broken):
            run.engine.pump()
            if count := run.open_count:
                _say(f'parproc: waiting for {_unwaited(count)}')
            workspace.wait(None)
        return End.FAILED if workspace.untold() else End.WELL
    except KeyboardInterrupt:
        return _stop(workspace, run)
    finally:
        workspace.shut()


def _stop(workspace: Workspace, run: Run) -> End:
    """End what a session still runs as Ctrl-C does where the engine hears it: this one came where it did not listen."""
    from signal import SIGINT

    with suppress(Exception, KeyboardInterrupt):  # what it broke off, or one more: closing ends the rest at once
        run.engine.pump()
        if count := run.open_count:
            _say(f'parproc: ending {_unwaited(count)}')
            if not run.engine.machine.stopping:  # a second one would kill what is ending already
                run.engine.interrupt(SIGINT, 'SIGINT')
            workspace.wait(None)
    return End.INTERRUPTED


def _unwaited(count: int) -> str:
    return f'{count} proc{"s" * (count > 1)} that nobody has waited for'


def _last_error() -> tuple[type[BaseException] | None, TracebackType | None]:
    """Return what has ended the program; nothing where somebody types, who has gone on since."""
    if is_interactive():
        return None, None
    return getattr(sys, 'last_type', None), getattr(sys, 'last_traceback', None)


def _is_ours(trace: TracebackType | None) -> bool:
    """Return whether an error has broken off one of our own waits, or what runs procs, so that one more would fare no better."""
    while trace is not None:
        if trace.tb_frame.f_globals.get('__name__') in OURS:
            return True
        trace = trace.tb_next
    return False


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except Exception:
        return


class _Last:
    """Ends the process when it is deleted, with the modules that Python takes apart at its very end.

    Until then, what else is registered for the program's end has been called, and its output is flushed.

    Args:
        leave: ends the process.
    """

    def __init__(self, leave: Callable[[], object]) -> None:
        self._leave = leave

    def __del__(self) -> None:
        self._leave()


_last: _Last | None = None


def _end_at_last(leave: Callable[[], object]) -> None:
    global _last
    _last = _Last(leave)
