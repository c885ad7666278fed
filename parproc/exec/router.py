"""Which executor runs a job of mode ``single``: functions run in this process, the isolated and commands in others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parproc.exec.protocol import Executor, Job
from parproc.values.encoding import EncodedResult


class Router:
    """Passes each job on to the executor for it, in ``mode='single'``: most functions run in this very process.

    Args:
        here: runs functions.
        processes: makes what runs all else, when it is needed.
    """

    def __init__(self, here: Executor, processes: Callable[[], Executor]) -> None:
        self._here = here
        self._make_processes = processes
        self._processes: Executor | None = None

    def start(self, job: Job) -> None:
        """Start ``job``, or run it to its end where it is a function to be called here; raises StartError."""
        if job.in_process:
            self._here.start(job)
            return
        if self._processes is None:
            self._processes = self._make_processes()
        self._processes.start(job)

    def kill(self, name: str, signal: int) -> None:
        """Send a signal to a task that has a process of its own."""
        if self._processes is not None:
            self._processes.kill(name, signal)

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a task that has a process of its own."""
        if self._processes is not None:
            self._processes.reply(name, answer, results)

    def process_of(self, name: str) -> int | None:
        """Return the process of a task that has one."""
        return None if self._processes is None else self._processes.process_of(name)

    def close(self) -> None:
        """End what runs in processes of its own."""
        if self._processes is not None:
            self._processes.close()
            self._processes = None
