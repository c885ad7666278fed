"""Being told that a child has ended: by a descriptor of its process, or by SIGCHLD where there is no such thing."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from functools import partial

from parproc.exec import system
from parproc.exec.processes.child_process import ChildProcess
from parproc.exec.supervision.sigchld import SigchldWatch


class ExitWatch:
    """Calls back, out of the engine's one wait, when a child may have ended.

    Args:
        selector: becomes readable then.
        on_exit: takes the child whose descriptor tells so.
        look: is called where no descriptor tells which one it is.
    """

    def __init__(
        self, selector: selectors.BaseSelector, on_exit: Callable[[ChildProcess], None], look: Callable[[], None]
    ) -> None:
        self._selector = selector
        self._on_exit = on_exit
        self._look = look
        self._sigchld: SigchldWatch | None = None

    def watch(self, child: ChildProcess) -> None:
        """Be told when a child ends; raises OSError when that is impossible."""
        try:
            child.pidfd = system.open_pidfd(child.pid)
        except ProcessLookupError:  # it has ended, and the program has waited for it
            return
        if child.pidfd >= 0:
            self._selector.register(child.pidfd, selectors.EVENT_READ, partial(self._on_exit, child))
            return
        if self._sigchld is None:
            self._sigchld = SigchldWatch(self._selector, self._look)
        self._sigchld.look()

    def close(self) -> None:
        """Release everything."""
        sigchld, self._sigchld = self._sigchld, None
        if sigchld is not None:
            sigchld.close()
