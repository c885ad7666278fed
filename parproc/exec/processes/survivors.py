"""Processes that a task has left running although it was told to end: they are given the time that it had itself."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from functools import partial

from parproc.exec import system
from parproc.exec.processes.child_process import ChildProcess, forget_descriptor
from parproc.exec.supervision.orphans import Orphans


class Survivors:
    """Watches what children have left running.

    Args:
        selector: tells when one of them ends.
        orphans: finds them.
        is_running: tells whether a task of this run still runs.
    """

    def __init__(self, selector: selectors.BaseSelector, orphans: Orphans, is_running: Callable[[str], bool]) -> None:
        self._selector = selector
        self._orphans = orphans
        self._is_running = is_running

    def watch(self, child: ChildProcess, when_none: Callable[[ChildProcess], None]) -> bool:
        """Watch what a task that was told to end has left running; return whether there is anything.

        Where no descriptor tells when it ends, it is given no time.

        Args:
            child: the task's process, which is reaped.
            when_none: called once nothing is left.
        """
        self.forget(child)
        for pid in self._orphans.find(child.pid, self.is_running_beside(child)) - {child.pid}:
            try:
                descriptor = system.open_pidfd(pid)
            except OSError:
                continue
            if descriptor >= 0:
                child.survivors.append(descriptor)
                call = partial(self._on_ended, child, when_none)
                self._selector.register(descriptor, selectors.EVENT_READ, call)
        return bool(child.survivors)

    def forget(self, child: ChildProcess) -> None:
        """Watch no more what a child has left running."""
        for descriptor in child.survivors:
            forget_descriptor(self._selector, descriptor)
        child.survivors = []

    def is_running_beside(self, child: ChildProcess) -> Callable[[str], bool]:
        """Return what tells whether a task other than a child's still runs."""
        return lambda name: name != child.job.name and self._is_running(name)

    def _on_ended(self, child: ChildProcess, when_none: Callable[[ChildProcess], None]) -> None:
        if not self.watch(child, when_none):
            when_none(child)
