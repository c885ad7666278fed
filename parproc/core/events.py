"""What goes into the machine and what comes out of it: two closed unions of values.

Times are seconds on one monotonic clock that the caller owns. The last group of actions, the announcements,
asks for nothing: they say what happened, in order, and are all that reporters ever read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from parproc.core.model import Outcome, TaskSpec

# --- events: what happened outside ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Schedule these tasks, dependencies first.

    Args:
        specs: tasks that are not known yet.
        injected: (target, dependency) edges to add to tasks that were scheduled before and have not started.
        time: now.
        again: names of tasks that are over and are to run once more.
        resolved: (missing dependency, the names it turned out to stand for), for globs.
        forgiven: the caller knows of every failure so far, so that ``fail_fast`` counts from here on.
    """

    specs: tuple[TaskSpec, ...]
    injected: tuple[tuple[str, str], ...] = ()
    time: float = 0.0
    again: tuple[str, ...] = ()
    resolved: tuple[tuple[str, tuple[str, ...]], ...] = ()
    forgiven: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """End these tasks, and all that depends on them and has not started."""

    names: tuple[str, ...]
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Forget these tasks, for something else is declared under their names; those that run are ended first.

    What waits to start after one of them waits for the name to be scheduled anew.
    """

    names: tuple[str, ...]
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """The running attempt of ``name`` is over and its process reaped."""

    name: str
    outcome: Outcome
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class StartFailed:
    """A Launch could not be carried out; ``scarce`` when the system was short of something that others may give back."""

    name: str
    reason: str
    scarce: bool
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class WaitBegan:
    """The running task ``name`` waits from inside for ``awaited``, all of which are known to the machine."""

    name: str
    awaited: tuple[str, ...]
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Stop: nothing new starts, every running task is sent ``signal``. A second one kills at once."""

    signal: int
    time: float = 0.0
    reason: str = 'interrupted'


@dataclass(frozen=True, slots=True)
class Changed:
    """What tasks read was changed outside: ``changes`` holds (task, when its latest change was made)."""

    changes: tuple[tuple[str, float], ...]
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Slept:
    """The whole run stood still for ``seconds`` (Ctrl-Z): every deadline moves by as much."""

    seconds: float
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; deadlines up to ``time`` are due."""

    time: float


@dataclass(frozen=True, slots=True)
class Settled:
    """The caller waits and will declare nothing more by itself: what nothing running can supply is missing for good."""

    time: float = 0.0


Event: TypeAlias = (
    Wanted | Cancelled | Dropped | Finished | StartFailed | WaitBegan | Interrupted | Changed | Slept | Tick | Settled
)

# --- actions: what to do -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Launch:
    """Start attempt number ``attempt`` (from 1) of ``name``; answer with Finished or StartFailed."""

    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Send ``signal`` to the whole session of ``name``."""

    name: str
    signal: int


@dataclass(frozen=True, slots=True)
class Resume:
    """What ``name`` waited for is over (``failed`` names what of it failed) and it has a slot again."""

    name: str
    awaited: tuple[str, ...]
    failed: tuple[str, ...]
    deadlock: str = ''


# --- announcements -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskWanted:
    """``name`` was scheduled; ``expected`` seconds from history, and what holds it back."""

    name: str
    expected: float
    deps: tuple[str, ...]
    time: float
    locks: tuple[str, ...] = ()
    wave: int = 0


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """An attempt of ``name`` starts."""

    name: str
    attempt: int
    time: float


@dataclass(frozen=True, slots=True)
class TaskRetrying:
    """Attempt ``attempt`` failed; the next one starts at ``again_at``."""

    name: str
    attempt: int
    outcome: Outcome
    again_at: float
    time: float


@dataclass(frozen=True, slots=True)
class TaskWaiting:
    """``name`` waits from inside and has given its slot back."""

    name: str
    awaited: tuple[str, ...]
    time: float


@dataclass(frozen=True, slots=True)
class TaskResumed:
    """``name`` goes on after waiting."""

    name: str
    time: float


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """``name`` is over for good. ``started`` is the start of its last attempt, None when it never ran."""

    name: str
    outcome: Outcome
    attempt: int
    started: float | None
    time: float


@dataclass(frozen=True, slots=True)
class TaskReopened:
    """How ``name`` ended counts no longer: it is to run once more, or something else is declared under its name."""

    name: str
    outcome: Outcome
    attempt: int
    time: float


@dataclass(frozen=True, slots=True)
class RunStopping:
    """The run was told to stop: ``reason`` for people, ``step`` 1 = signalled, 2 = killed."""

    reason: str
    step: int
    time: float


Announcement: TypeAlias = (
    TaskWanted | TaskStarted | TaskRetrying | TaskWaiting | TaskResumed | TaskFinished | TaskReopened | RunStopping
)
Action: TypeAlias = Launch | Kill | Resume | Announcement
