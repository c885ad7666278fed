"""The fold of everything announced: what every reporter draws. One event costs what it changes, never a scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from parproc.core.closed import assert_never
from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import ErrorKind, Outcome, ProcState

HELD_BACK = frozenset({ErrorKind.DEPENDENCY_FAILED, ErrorKind.FAILURES_PRESENT, ErrorKind.NOT_RUN})
"""The reasons of a FAILED task that did nothing wrong itself: it never got to run."""

SLOWEST_KEPT_TASKS = 5
WIDEST_NAME_COLUMNS = 40
MOST_NAMED_TASKS = 3


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A run starts.

    Args:
        run_id: of this run.
        targets: what was asked for.
        log_folder: where the logs are.
        parallel: how many tasks run at once.
        total: how many are planned so far.
        time: monotonic seconds.
        planned: their names.
        rerun: how a command that runs some of it again begins.
        extra_args: what such a command ends with, after ``--``.
    """

    run_id: str
    targets: tuple[str, ...]
    log_folder: str
    parallel: int
    total: int
    time: float
    planned: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ('parproc',)
    extra_args: tuple[str, ...] = ()

    def command(self, name: str) -> tuple[str, ...]:
        """Return the words of a command that runs one task of this run again."""
        return (*self.rerun, name, *(('--', *self.extra_args) if self.extra_args else ()))


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
class RunWarned:
    """Something worth one line that is not a task's failure."""

    message: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    exit_code: int
    time: float


Message: TypeAlias = RunBegan | TaskLogged | TaskProgressed | RunWarned | RunEnded


@dataclass(slots=True)
class RunningTask:
    """A task that has started and is not over.

    Attributes:
        began: start of its first attempt.
        attempt: which one it is at, from 1.
        awaited: what it waits for from inside, if it does.
        again_at: when its next attempt starts, while it waits for that.
        fraction: how far it says it is, from 0 to 1.
        message: what it says it is doing.
        busy_since: since when it works, None while it waits.
        worked: seconds it worked before that.
        wanted: how it was scheduled.
    """

    began: float
    attempt: int = 1
    awaited: tuple[str, ...] = ()
    again_at: float | None = None
    fraction: float | None = None
    message: str = ''
    busy_since: float | None = None
    worked: float = 0.0
    wanted: TaskWanted | None = None

    def work(self, time: float) -> None:
        """Note that it works from ``time`` on."""
        self.busy_since = time

    def rest(self, time: float) -> None:
        """Note that it stops working at ``time``."""
        if self.busy_since is not None:
            self.worked += time - self.busy_since
            self.busy_since = None


@dataclass(frozen=True, slots=True)
class EndedTask:
    """A task that is over.

    Args:
        name: the task.
        outcome: how its last attempt ended.
        seconds: from the start of its first attempt to its end; None when it never ran.
        attempts: how many there were.
    """

    name: str
    outcome: Outcome
    seconds: float | None
    attempts: int = 1


@dataclass(slots=True)
class RunView:
    """What is known of a run so far.

    Attributes:
        began: how the run started, once it has.
        total: how many tasks were scheduled.
        done: how many of them are over.
        counts: how many ended in each state.
        running: name -> what is known of those that have started, longest-running first.
        waiting: name -> how it was scheduled, of those that have not started, in that order.
        latest: the one that ended last.
        failures: those that failed by themselves, in order.
        interrupted: those that a stop of the run ended.
        held_back: why tasks never got to run -> how many.
        stopped: why the run is being stopped; empty while it is not.
        slowest: the longest, longest first, a few.
        summed: seconds that all attempts worked, together.
        name_width: columns that hold most names.
    """

    began: RunBegan | None = None
    total: int = 0
    done: int = 0
    counts: dict[ProcState, int] = field(default_factory=dict)
    running: dict[str, RunningTask] = field(default_factory=dict)
    waiting: dict[str, TaskWanted] = field(default_factory=dict)
    latest: EndedTask | None = None
    failures: list[EndedTask] = field(default_factory=list)
    interrupted: list[EndedTask] = field(default_factory=list)
    held_back: dict[ErrorKind, int] = field(default_factory=dict)
    stopped: str = ''
    slowest: list[EndedTask] = field(default_factory=list)
    summed: float = 0.0
    name_width: int = 0
    _locks: dict[str, str] = field(default_factory=dict)
    _waves: dict[int, int] = field(default_factory=dict)
    _deps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _chains: dict[str, tuple[float, str]] = field(default_factory=dict)
    _longest: tuple[float, str] = (0.0, '')

    def take(self, message: Announcement | Message) -> None:
        """Fold one message in; the most frequent ones come first."""
        match message:
            case TaskWanted():
                self._want(message)
            case TaskStarted():
                self._start(message)
            case TaskFinished():
                self._finish(message)
            case TaskProgressed():
                self._progress(message)
            case TaskWaiting():
                self._wait(message)
            case TaskResumed():
                self._resume(message)
            case TaskRetrying():
                self._retry(message)
            case TaskReopened():
                self._reopen(message)
            case RunBegan():
                self.began = message
            case RunStopping():
                self.stopped = message.reason
            case TaskLogged() | RunWarned() | RunEnded():
                pass  # said once, and part of no sum
            case _:
                assert_never(message)

    def critical_path(self) -> tuple[list[str], float]:
        """Return the longest chain of dependencies that ran, first to last, and its seconds."""
        seconds, name = self._longest
        path = []
        while name:
            path.append(name)
            name = self._chains[name][1]
        return path[::-1], seconds

    def held_by(self, name: str) -> str:
        """Return what a task that has not started waits for, for people; empty when it is only its turn."""
        wanted = self.waiting[name]
        lowest = min((wave for wave, count in self._waves.items() if count), default=wanted.wave)
        if lowest < wanted.wave:
            return f'wave {lowest}'
        pending = [dep for dep in wanted.deps if dep in self.waiting or dep in self.running]
        if pending:
            more = len(pending) - MOST_NAMED_TASKS
            return ', '.join(pending[:MOST_NAMED_TASKS]) + (f' and {more} more' if more > 0 else '')
        for lock in wanted.locks:
            if lock in self._locks:
                return f'the lock {lock}, which {self._locks[lock]} holds'
        return ''

    def _want(self, message: TaskWanted) -> None:
        self.total += 1
        self.waiting[message.name] = message
        self._waves[message.wave] = self._waves.get(message.wave, 0) + 1
        if message.deps:
            self._deps[message.name] = message.deps
        width = len(message.name)
        if self.name_width < width <= WIDEST_NAME_COLUMNS:
            self.name_width = width

    def _start(self, message: TaskStarted) -> None:
        running = self.running.get(message.name)
        if running is None:
            running = self.running[message.name] = RunningTask(message.time)
            wanted = self.waiting.pop(message.name, None)
            if wanted is not None:
                running.wanted = wanted
                for lock in wanted.locks:
                    self._locks[lock] = message.name
        running.attempt = message.attempt
        running.again_at = running.fraction = None
        running.message = ''
        running.work(message.time)

    def _retry(self, message: TaskRetrying) -> None:
        running = self.running.get(message.name)
        if running is not None:
            running.rest(message.time)
            running.awaited = ()
            running.again_at = message.again_at

    def _wait(self, message: TaskWaiting) -> None:
        running = self.running[message.name]
        running.rest(message.time)
        running.awaited = message.awaited

    def _resume(self, message: TaskResumed) -> None:
        running = self.running[message.name]
        running.work(message.time)
        running.awaited = ()

    def _progress(self, message: TaskProgressed) -> None:
        running = self.running.get(message.name)
        if running is not None:
            running.fraction = message.fraction
            running.message = message.message

    def _finish(self, message: TaskFinished) -> None:
        outcome = message.outcome
        self.done += 1
        self.counts[outcome.state] = self.counts.get(outcome.state, 0) + 1
        running = self.running.pop(message.name, None)
        self._let_go(message.name, self.waiting.pop(message.name, None) if running is None else running.wanted)
        deps = self._deps.pop(message.name, ())
        seconds = None
        if running is not None:
            running.rest(message.time)
            self.summed += running.worked
            seconds = message.time - running.began
            self._lengthen(message.name, deps, seconds)
        self.latest = ended = EndedTask(message.name, outcome, seconds, message.attempt)
        if seconds is not None:
            self._rank(ended, seconds)
        if outcome.state is not ProcState.FAILED:
            return
        if outcome.error is ErrorKind.INTERRUPTED:
            self.interrupted.append(ended)
        elif outcome.error in HELD_BACK:
            self.held_back[outcome.error] = self.held_back.get(outcome.error, 0) + 1
        else:
            self.failures.append(ended)

    def _let_go(self, name: str, wanted: TaskWanted | None) -> None:
        """Note that a task is no longer of its wave, and holds no lock."""
        if wanted is not None:
            self._waves[wanted.wave] -= 1
            for lock in wanted.locks:
                if self._locks.get(lock) == name:
                    del self._locks[lock]

    def _reopen(self, message: TaskReopened) -> None:
        """Take a task back out of all counts: it is announced as wanted once more."""
        self.total -= 1
        running = self.running.pop(message.name, None)
        if running is not None:
            running.rest(message.time)
            self.summed += running.worked
            self._let_go(message.name, running.wanted)
            return
        outcome = message.outcome
        self.done -= 1
        self.counts[outcome.state] -= 1
        if outcome.error in HELD_BACK:
            self.held_back[outcome.error] -= 1
        elif outcome.state is ProcState.FAILED:
            kept = self.interrupted if outcome.error is ErrorKind.INTERRUPTED else self.failures
            kept[:] = [ended for ended in kept if ended.name != message.name]

    def _lengthen(self, name: str, deps: tuple[str, ...], seconds: float) -> None:
        """Put a task that ran at the end of the longest chain that leads to it."""
        chains = self._chains
        before, previous = max(((chains[dep][0], dep) for dep in deps if dep in chains), default=(0.0, ''))
        chains[name] = (before + seconds, previous)
        if before + seconds >= self._longest[0]:
            self._longest = (before + seconds, name)

    def _rank(self, ended: EndedTask, seconds: float) -> None:
        slowest = self.slowest
        if len(slowest) < SLOWEST_KEPT_TASKS or seconds > (slowest[-1].seconds or 0.0):
            slowest.append(ended)
            slowest.sort(key=lambda other: -(other.seconds or 0.0))
            del slowest[SLOWEST_KEPT_TASKS:]
