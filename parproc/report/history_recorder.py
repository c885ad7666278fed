"""The reporter that hands what happened to the history: how long procs took, and how they ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from parproc.core.attempt import Attempt
from parproc.core.events import TaskFinished, TaskRetrying, TaskStarted, TaskWanted
from parproc.core.model import Outcome
from parproc.core.view import RunBegan, RunEnded, RunView
from parproc.report.reporter import Reporter

EVERY_SECONDS = 1.0


class RunBook(Protocol):
    """Takes what is to be remembered: :class:`parproc.store.history.History`, or what stands for it in tests."""

    def begin(self, run_id: str, targets: Iterable[str], wall_time: float) -> None:
        """Note that a run starts."""

    def want(self, names: Iterable[str]) -> None:
        """Note what is to run."""

    def record(self, attempts: Iterable[Attempt]) -> None:
        """Note attempts that are over."""

    def flush(self) -> None:
        """Write what was noted."""

    def end(self, exit_code: int, wall_time: float) -> None:
        """Note how the run ended, and write everything."""


class HistoryRecorder(Reporter):
    """Collects attempts that are over, and hands them on once a second at most.

    Args:
        history: takes what happened.
        wall_offset: what to add to monotonic seconds to have seconds since the epoch.
    """

    def __init__(self, history: RunBook, wall_offset: float) -> None:
        self._history = history
        self._offset = wall_offset
        self._started: dict[str, float] = {}
        self._wanted: list[str] = []
        self._attempts: list[Attempt] = []
        self._due: float | None = None
        self._last = 0.0

    def on_run_began(self, message: RunBegan, view: RunView) -> None:
        """Write down what is to run before anything starts, so that it is known whoever kills the run."""
        self._last = message.time - EVERY_SECONDS
        self._history.want(message.planned)
        self._history.begin(message.run_id, message.targets, message.time + self._offset)

    def on_task_wanted(self, message: TaskWanted, view: RunView) -> None:
        """Keep a name until the next flush."""
        self._wanted.append(message.name)
        self._plan(message.time)

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Note when an attempt starts."""
        self._started[message.name] = message.time

    def on_task_retrying(self, message: TaskRetrying, view: RunView) -> None:
        """Keep an attempt that failed until the next flush."""
        started = self._started.get(message.name)
        self._keep(message.name, message.outcome, message.attempt, started, message.time)

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Keep the last attempt of a proc until the next flush."""
        self._started.pop(message.name, None)
        self._keep(message.name, message.outcome, message.attempt, message.started, message.time)

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Write everything down."""
        self._hand_over()
        self._history.end(message.exit_code, message.time + self._offset)

    def next_tick(self, view: RunView) -> float | None:
        """Return when the next flush is due."""
        return self._due

    def tick(self, now: float, view: RunView) -> None:
        """Write what was kept, once a second at most."""
        if self._due is not None and now >= self._due:
            self._last = now
            self._hand_over()
            self._history.flush()

    def _keep(self, name: str, outcome: Outcome, number: int, started: float | None, ended: float) -> None:
        offset, usage = self._offset, outcome.usage
        self._attempts.append(
            Attempt(
                name,
                number,
                None if started is None else started + offset,
                ended + offset,
                outcome.state,
                outcome.error,
                outcome.reason,
                None if started is None else ended - started,
                usage.memory if usage is not None else 0,
                usage.cpu if usage is not None else 0.0,
            )
        )
        self._plan(ended)

    def _plan(self, now: float) -> None:
        if self._due is None:
            self._due = max(now, self._last + EVERY_SECONDS)

    def _hand_over(self) -> None:
        self._history.want(self._wanted)
        self._history.record(self._attempts)
        self._wanted, self._attempts, self._due = [], [], None
