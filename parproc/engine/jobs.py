"""Jobs under way: most in processes of their own, by an executor; in mode ``single`` functions inside this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from parproc.control.signals import SignalInbox
from parproc.exec.protocol import Answer, Executor, Job
from parproc.values.encoding import EncodedResult


class Jobs:
    """Starts jobs, passes signals and answers on to them, and keeps those that are to run in this process.

    Args:
        executor: runs them.
        signals: is told while a task runs in this process, so that a signal is raised in it.
    """

    def __init__(self, executor: Executor, signals: SignalInbox) -> None:
        self._executor = executor
        self._signals = signals
        self._inline: deque[Job] = deque()
        self._inline_names: set[str] = set()
        self._inline_answers: dict[str, Answer] = {}

    def start(self, job: Job) -> None:
        """Start a job, or keep it for :meth:`run_inline` when it runs in this process; raises StartError."""
        if job.in_process:
            self._inline.append(job)
        else:
            self._executor.start(job)

    def kill(self, name: str, signal: int) -> None:
        """Send ``signal`` to every process of a task; one that is over is ignored."""
        self._executor.kill(name, signal)

    def reply(
        self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult] | None = None
    ) -> None:
        """Answer what a running task has asked, with results that it may now read."""
        if name in self._inline_names:
            self._inline_answers[name] = (answer, results or {})
        else:
            self._executor.reply(name, answer, results or {})

    def process_of(self, name: str) -> int | None:
        """Return the process that runs a task, None where there is none."""
        return self._executor.process_of(name)

    def close(self) -> None:
        """End whatever still runs."""
        self._executor.close()

    # --- in this process ---------------------------------------------------------------------------------------

    @property
    def has_inline(self) -> bool:
        """True while a job is to be run in this process."""
        return bool(self._inline)

    def next_inline(self) -> Job | None:
        """Take the job that is to be run in this process next; None when there is none."""
        return self._inline.popleft() if self._inline else None

    def run_inline(self, job: Job) -> None:
        """Run a job in this process, to its end."""
        outer = self._signals.set_in_task(True)
        self._inline_names.add(job.name)
        try:
            self._executor.start(job)
        finally:
            self._inline_names.discard(job.name)
            self._signals.set_in_task(outer)

    def has_inline_answer(self, name: str) -> bool:
        """Return whether there is an answer to what a task in this process has asked."""
        return name in self._inline_answers

    def take_inline_answer(self, name: str) -> Answer:
        """Return the answer to what a task in this process has asked."""
        return self._inline_answers.pop(name)
