"""Warns a program that lets more procs run at once than there is memory for."""

from __future__ import annotations

import os
from collections.abc import Callable

from parproc.core.events import TaskFinished
from parproc.core.view import RunView
from parproc.report.reporter import Reporter

GIGABYTE = 1 << 30


class MemoryWarningReporter(Reporter):
    """Says once that the procs of a program need more memory together than the machine has.

    What a proc needs is the peak of its own process, less what it shares with the program that it was forked from.

    Args:
        parallel: how many procs may run at once.
        cpus: how many processors there are.
        memory: bytes of memory that the machine has.
        warn: takes the line.
    """

    def __init__(self, *, parallel: int, cpus: int, memory: int, warn: Callable[[str], None]) -> None:
        self._parallel = parallel
        self._cpus = cpus
        self._memory = memory
        self._warn = warn
        self._has_warned = parallel <= cpus

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Look at what a proc has used up."""
        if self._has_warned or message.outcome.usage is None:
            return
        used = message.outcome.usage.memory
        at_once = min(self._parallel, 1 + len(view.running) + len(view.waiting))
        if at_once <= self._cpus or used * at_once <= self._memory:
            return
        own = used - resident_memory()
        if own * at_once > self._memory:
            self._has_warned = True
            self._warn(
                f'up to {at_once} procs run at once here, and "{message.name}" alone took {own / GIGABYTE:.1f} GB of '
                f'{self._memory / GIGABYTE:.0f} GB memory: set_options(parallel={self._cpus}) lets as many run as '
                'there are processors'
            )


def machine_memory() -> int:
    """Return how many bytes of memory the machine has; 0 where it does not say."""
    try:
        return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    except (OSError, ValueError):
        return 0


def resident_memory() -> int:
    """Return how many bytes of memory this process has in use; 0 where the system does not say."""
    try:
        with open('/proc/self/statm', 'rb') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    except (OSError, ValueError, IndexError):
        return 0
