"""The fold of everything announced: what every reporter draws. One event costs what it changes, never a scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from parproc.core.events import Announcement, TaskFinished, TaskResumed, TaskStarted, TaskWaiting, TaskWanted
from parproc.core.model import GOOD, NEVER_RAN, Outcome, ProcState


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A run starts; ``total`` tasks are planned so far, ``time`` is monotonic."""

    run_id: str
    targets: tuple[str, ...]
    log_folder: str
    parallel: int
    total: int
    time: float


@dataclass(frozen=True, slots=True)
class TaskLogged:
    """A task said something to whoever watches."""

    name: str
    message: str
    time: float


@dataclass(frozen=True, slots=True)
class TaskProgressed:
    """A task said how far it is: ``fraction`` from 0 to 1 or None."""

    name: str
    fraction: float | None
    message: str
    time: float


@dataclass(frozen=True, slots=True)
class Warned:
    """Something worth one line that is not a task's failure."""

    message: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    exit_code: int
    time: float


Message: TypeAlias = RunBegan | TaskLogged | TaskProgressed | Warned | RunEnded


@dataclass(slots=True)
class Ended:
    """A task that is over; ``seconds`` is its last attempt's length, 0.0 when it never ran."""

    name: str
    outcome: Outcome
    seconds: float


@dataclass(slots=True)
class RunView:
    """What is known of a run so far.

    Attributes:
        counts: how many tasks ended in each state.
        running: name -> start time of those that run.
        failures: those that failed by themselves, in order.
        not_run: those that never ran because of another's failure or a stop.
        slowest: the longest, longest first, a few.
        summed: seconds of all attempts together.
        critical_path: the longest chain of dependencies that ran, and its seconds.
    """

    began: RunBegan | None = None
    total: int = 0
    counts: dict[ProcState, int] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)
    waiting: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failures: list[Ended] = field(default_factory=list)
    not_run: list[Ended] = field(default_factory=list)
    slowest: list[Ended] = field(default_factory=list)
    summed: float = 0.0
    critical: tuple[float, str] = (0.0, '')
    _deps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _chains: dict[str, tuple[float, str]] = field(default_factory=dict)

    def take(self, message: Announcement | Message) -> None:
        """Fold one message in."""
        kind = type(message)
        if isinstance(message, TaskFinished):
            self._finish(message)
        elif isinstance(message, TaskStarted):
            self.running[message.name] = message.time
        elif isinstance(message, TaskWanted):
            self.total += 1
            if message.deps:
                self._deps[message.name] = message.deps
        elif isinstance(message, TaskWaiting):
            self.waiting[message.name] = message.awaited
        elif kind is TaskResumed and isinstance(message, TaskResumed):
            self.waiting.pop(message.name, None)
        elif isinstance(message, RunBegan):
            self.began = message

    def critical_path(self) -> list[str]:
        """Return the names along the longest chain of tasks that ran, first to last."""
        path = []
        name = self.critical[1]
        while name:
            path.append(name)
            name = self._chains[name][1]
        return path[::-1]

    @property
    def done(self) -> int:
        """How many tasks are over."""
        return sum(self.counts.values())

    def _finish(self, message: TaskFinished) -> None:
        outcome = message.outcome
        self.counts[outcome.state] = self.counts.get(outcome.state, 0) + 1
        self.running.pop(message.name, None)
        self.waiting.pop(message.name, None)
        seconds = 0.0 if message.started is None else message.time - message.started
        ended = Ended(message.name, outcome, seconds)
        if outcome.state not in GOOD:
            (self.not_run if outcome.error in NEVER_RAN and message.started is None else self.failures).append(ended)
        self.summed += seconds
        if seconds:
            self._rank(ended)
            deps = self._deps.pop(message.name, ())
            before = max(((self._chains[dep][0], dep) for dep in deps if dep in self._chains), default=(0.0, ''))
            self._chains[message.name] = (before[0] + seconds, before[1])
            self.critical = max(self.critical, (before[0] + seconds, message.name))

    def _rank(self, ended: Ended) -> None:
        if len(self.slowest) < 5 or ended.seconds > self.slowest[-1].seconds:
            self.slowest.append(ended)
            self.slowest.sort(key=lambda other: -other.seconds)
            del self.slowest[5:]
