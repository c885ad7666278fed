"""The terminal, lent to an interactive child; when that is stopped there, the program stops with it."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Iterable
from signal import SIGCONT, SIGTSTP

from parproc.exec import system
from parproc.exec.foreground import Foreground
from parproc.exec.processes.child_process import ChildProcess
from parproc.exec.supervision.sigchld import SigchldWatch


class TerminalLoans:
    """Lends the terminal to children, and sees when one is stopped from there.

    Args:
        selector: tells of children that have stopped.
        children: returns all that run.
    """

    def __init__(self, selector: selectors.BaseSelector, children: Callable[[], Iterable[ChildProcess]]) -> None:
        self._selector = selector
        self._children = children
        self._stops: SigchldWatch | None = None

    def lend(self, child: ChildProcess, foreground: Foreground) -> None:
        """Let a child have the terminal."""
        child.foreground = foreground
        if not foreground.is_ours:
            return
        if self._stops is None and hasattr(os, 'waitid'):
            self._stops = SigchldWatch(self._selector, self._look)
            self._stops.look()
        foreground.lend(child.pid)
        if child.job.function is None:  # a command may have been stopped for using the terminal before it had it
            system.send_group(child.pid, SIGCONT)
        self._look()

    def close(self) -> None:
        """Look for no stopped children any more."""
        stops, self._stops = self._stops, None
        if stops is not None:
            stops.close()

    def _look(self) -> None:
        """Stand still with a child that was stopped at its terminal, as the shell expects of the whole."""
        for child in self._children():
            terminal = child.foreground
            if terminal is not None and terminal.is_ours and system.is_stopped(child.pid):
                terminal.take_back()
                system.send(os.getpid(), SIGTSTP)
