"""The end of a program that uses sessions: what nobody waited for is waited for, and a failure is not kept back."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from parproc.workspace import Workspace

_workspaces: weakref.WeakSet[Workspace] = weakref.WeakSet()
WAITS = 'parproc.engine.run'
_registered_in = 0
_exit_code: object = None


def watch_over(workspace: Workspace) -> None:
    """Let a session's procs be waited for when the program ends, as long as the session is alive then."""
    global _registered_in
    _workspaces.add(workspace)
    if _registered_in != os.getpid():
        _registered_in = os.getpid()
        atexit.register(_at_exit)


def note_exit_codes() -> None:
    """Remember what the program calls ``sys.exit`` with, since nothing else tells at its end."""
    if getattr(sys.exit, '__module__', None) == __name__:
        return
    leave = sys.exit

    def exit(status: Any = None, /) -> NoReturn:  # noqa: A001 - it takes the place of that
        global _exit_code
        _exit_code = status
        leave(status)

    exit.__doc__ = leave.__doc__
    sys.exit = exit


def _at_exit() -> None:
    """Wait for what is open in every session of this process, and let failures be known."""
    here = os.getpid()
    failed = False
    for workspace in list(_workspaces):
        if workspace.process == here:
            failed = _finish(workspace) or failed
    if failed and _exit_code in {None, 0} and getattr(sys, 'last_type', None) is None:
        _fail_at_last()


def _finish(workspace: Workspace) -> bool:
    """Wait for what a session runs and close it; return whether something failed of which nobody was told."""
    run = workspace.run
    if run is None:
        return False
    failed: list[str] = []
    try:
        if not _was_given_up():
            run.engine.pump()
            count = run.engine.machine.open_count
            if count:
                _say(f'parproc: waiting for {count} proc{"s" * (count > 1)} that nobody has waited for')
            workspace.wait(None)
            failed = workspace.untold()
    except KeyboardInterrupt:
        failed = workspace.untold()
    finally:
        workspace.shut()
    return bool(failed)


def _was_given_up() -> bool:
    """Return whether the program ended because it was interrupted, or by what broke one of its waits off."""
    kind = getattr(sys, 'last_type', None)
    trace = getattr(sys, 'last_traceback', None)
    while trace is not None:
        if trace.tb_frame.f_globals.get('__name__') == WAITS:
            return True
        trace = trace.tb_next
    return isinstance(kind, type) and issubclass(kind, KeyboardInterrupt)


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except Exception:
        return


class _Last:
    """Ends the process with a failure when it is deleted, with the modules that Python takes apart at its very end.

    Until then, what else is registered for the program's end has been called, and its output is flushed.
    """

    def __del__(self, leave: Any = os._exit) -> None:
        leave(1)


_last: _Last | None = None


def _fail_at_last() -> None:
    global _last
    _last = _Last()
