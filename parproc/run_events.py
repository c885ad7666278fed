"""What a run says while it goes on, for programs: what ``Session(on_event=…)`` is called with, and what ``-o json`` writes.

Each event is a value of one class, and one line of JSON under the name in its ``event``; ``events.schema.json`` in
``parproc/report`` describes those lines. Events come in the order in which things happened: a :class:`HeaderEvent`
first, a :class:`ResultEvent` last. With the command line these are the run's beginning and end. A program has no end that
could be known: its header comes when something is scheduled for the first time, its result when the session is closed
or cleared, at the latest when the program ends; what was scheduled in between, and waited for one wait after the other,
is one run. So a program knows that everything is over for now when it has seen a :class:`FinishedEvent` for each
:class:`WantedEvent`.

>>> import parproc as pp
>>> from parproc.run_events import FinishedEvent
>>> def show(event):
...     if isinstance(event, FinishedEvent):
...         print(event.name, event.state.value)
>>> session = pp.Session(on_event=show)

All times are seconds since the run began, on a clock that nobody sets; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from parproc.core.model import ErrorKind, Location, ProcState, Usage

VERSION = 1
"""Of the format: it grows when a reader of the old one would break. New fields and new events may come without that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderEvent:
    """The first event: a run begins.

    Args:
        version: of this format, :data:`VERSION`.
        parproc: version of parproc.
        run_id: identifies the run; sorts by the time of its start.
        targets: what was asked for, by full names; empty in a program, which may ask at any time.
        log_folder: folder of the logs.
        parallel: how many procs may run at once.
        total: how many procs are planned at the start; more may be wanted later, and in a program all are.
        started_at: wall clock at the start, as ISO 8601 in UTC.
    """

    event: ClassVar[str] = 'header'
    version: int = VERSION
    parproc: str
    run_id: str
    targets: tuple[str, ...]
    log_folder: str
    parallel: int
    total: int
    started_at: str


@dataclass(frozen=True, slots=True)
class WantedEvent:
    """A proc was scheduled.

    Args:
        time: when.
        name: the proc, by its full name.
        expected: seconds it is expected to take.
        deps: procs that must end well before it starts.
        locks: names of the locks that it holds while it runs.
        wave: it starts when no proc of a lower wave is wanted or running.
    """

    event: ClassVar[str] = 'wanted'
    time: float
    name: str
    expected: float
    deps: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    wave: int = 0


@dataclass(frozen=True, slots=True)
class StartedEvent:
    """An attempt starts.

    Args:
        time: when.
        name: the proc, by its full name.
        attempt: which attempt, from 1.
    """

    event: ClassVar[str] = 'started'
    time: float
    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RetryingEvent:
    """An attempt failed and another one follows.

    Args:
        time: when.
        name: the proc, by its full name.
        attempt: which attempt failed, from 1.
        again_at: when the next one starts.
        state: how the attempt ended.
        error: why it failed; None when it did not.
        reason: one line for people, such as ``exit 2``.
        location: where in the user's code it failed; None when that is not known.
        usage: processor time and memory that it used; None when that was not measured.
        leaked: processes it left behind, which were ended.
        log: file with the proc's output; None where that went to the terminal.
    """

    event: ClassVar[str] = 'retrying'
    time: float
    name: str
    attempt: int
    again_at: float
    state: ProcState
    error: ErrorKind | None
    reason: str
    location: Location | None
    usage: Usage | None
    leaked: tuple[str, ...]
    log: str | None


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """A running proc waits for others, and has given its slot back.

    Args:
        time: when.
        name: the proc, by its full name.
        awaited: what it waits for, by full names.
    """

    event: ClassVar[str] = 'waiting'
    time: float
    name: str
    awaited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResumedEvent:
    """A proc goes on after waiting.

    Args:
        time: when.
        name: the proc, by its full name.
    """

    event: ClassVar[str] = 'resumed'
    time: float
    name: str


@dataclass(frozen=True, slots=True)
class FinishedEvent:
    """A proc is over.

    Args:
        time: when.
        name: the proc, by its full name.
        state: how it ended.
        error: why it failed; None when it did not.
        reason: one line for people, such as ``exit 2``; empty on success.
        location: where in the user's code it failed; None when that is not known.
        usage: processor time and memory of its last attempt; None when that was not measured.
        leaked: processes it left behind, which were ended.
        log: file with its output; None when it never ran, or where its output went to the terminal.
        seconds: from the start of its first attempt to its end; None when it never ran.
        attempts: how many attempts there were; 0 when it never ran.
    """

    event: ClassVar[str] = 'finished'
    time: float
    name: str
    state: ProcState
    error: ErrorKind | None
    reason: str
    location: Location | None
    usage: Usage | None
    leaked: tuple[str, ...]
    log: str | None
    seconds: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ReopenedEvent:
    """A proc has to run once more, and is wanted again: how it ended before counts no longer.

    Args:
        time: when.
        name: the proc, by its full name.
    """

    event: ClassVar[str] = 'reopened'
    time: float
    name: str


@dataclass(frozen=True, slots=True)
class StoppingEvent:
    """The run was told to stop.

    Args:
        time: when.
        reason: by what, for people.
        step: 1 when what runs was asked to end, 2 when it is killed.
    """

    event: ClassVar[str] = 'stopping'
    time: float
    reason: str
    step: int


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A proc said something to whoever watches; it stands in its log as well.

    Args:
        time: when.
        name: the proc, by its full name.
        message: what it said, one line or several.
    """

    event: ClassVar[str] = 'logged'
    time: float
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class ProgressedEvent:
    """A proc said how far it is.

    Args:
        time: when.
        name: the proc, by its full name.
        fraction: done so far, from 0 to 1; None when it cannot say.
        message: what it is doing; may be empty.
    """

    event: ClassVar[str] = 'progressed'
    time: float
    name: str
    fraction: float | None
    message: str


@dataclass(frozen=True, slots=True)
class WarnedEvent:
    """Something worth knowing that is no proc's failure.

    Args:
        time: as of the event before.
        message: one line.
    """

    event: ClassVar[str] = 'warned'
    time: float
    message: str


@dataclass(frozen=True, slots=True)
class ProcResult:
    """How one proc ended, in a :class:`ResultEvent`.

    Args:
        state: how it ended.
        error: why it failed; None when it did not.
        reason: one line for people, such as ``exit 2``; empty on success.
        seconds: from the start of its first attempt to its end; None when it never ran.
        attempts: how many attempts there were; 0 when it never ran.
    """

    state: ProcState
    error: ErrorKind | None
    reason: str
    seconds: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ResultEvent:
    """The last event: the run is over.

    Args:
        exit_code: 0 all good, 1 a proc failed, 124 the run took too long, 3 a bug or a deadlock; what the command ends with.
        counts: how many procs ended in each state.
        seconds: how long the run took.
        procs: every proc that is over, by full name.
    """

    event: ClassVar[str] = 'result'
    exit_code: int
    counts: Mapping[ProcState, int]
    seconds: float
    procs: Mapping[str, ProcResult] = field(default_factory=dict)


RunEvent: TypeAlias = (
    HeaderEvent
    | WantedEvent
    | StartedEvent
    | RetryingEvent
    | WaitingEvent
    | ResumedEvent
    | FinishedEvent
    | ReopenedEvent
    | StoppingEvent
    | LoggedEvent
    | ProgressedEvent
    | WarnedEvent
    | ResultEvent
)
