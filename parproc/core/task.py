"""The machine's record of one task, and the table of moves it may make.

The invariants:

- A task is in exactly one phase; it changes only along :data:`MOVES`.
- An attempt that failed and will be tried again is DELAYED, never ENDED. A task leaves ENDED only to run once more
  from the beginning: what it reads, or what it depends on, was changed, or somebody wants it once more.
- Only ACTIVE tasks hold a slot. ACTIVE, SUSPENDED and RESUMING tasks hold their locks; no other phase holds any.
"""

from __future__ import annotations

import enum

from parproc.core.model import ErrorKind, Outcome, ProcState, TaskSpec


class Phase(enum.Enum):
    """Where a task is, finer than :class:`ProcState`."""

    BLOCKED = 'waits for dependencies'
    READY = 'waits for its wave or a slot'
    LOCKED = 'waits for a lock'
    DELAYED = 'waits before its next attempt'
    ACTIVE = 'runs'
    SUSPENDED = 'waits from inside for others'
    RESUMING = 'waits for a slot to go on'
    ENDED = 'is over'

    __hash__ = object.__hash__  # members are singletons; Enum's own hash runs Python code for every look-up


MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.BLOCKED: frozenset({Phase.READY, Phase.ENDED}),
    Phase.READY: frozenset({Phase.BLOCKED, Phase.LOCKED, Phase.ACTIVE, Phase.ENDED}),
    Phase.LOCKED: frozenset({Phase.BLOCKED, Phase.READY, Phase.ENDED}),
    Phase.DELAYED: frozenset({Phase.BLOCKED, Phase.READY, Phase.ENDED}),
    Phase.ACTIVE: frozenset({Phase.SUSPENDED, Phase.READY, Phase.DELAYED, Phase.BLOCKED, Phase.ENDED}),
    Phase.SUSPENDED: frozenset({Phase.RESUMING, Phase.DELAYED, Phase.BLOCKED, Phase.ENDED}),
    Phase.RESUMING: frozenset({Phase.ACTIVE, Phase.SUSPENDED, Phase.DELAYED, Phase.BLOCKED, Phase.ENDED}),
    Phase.ENDED: frozenset({Phase.BLOCKED}),
}

UNSTARTED = frozenset({Phase.BLOCKED, Phase.READY, Phase.LOCKED, Phase.DELAYED})
"""The phases of a task whose attempt has not begun."""
HOLDING = frozenset({Phase.ACTIVE, Phase.SUSPENDED, Phase.RESUMING})
"""The phases of a task that has a process: it holds its locks, and a slot while it does not wait from inside."""


class Task:
    """One task in the machine.

    Only the queues, and the modules that take a :class:`~parproc.core.task_table.TaskTable`, change it.

    Attributes:
        spec: what was declared.
        phase: where it is; only the table of tasks changes it.
        blockers: how many of its dependencies are not over, or not there.
        dependents: the tasks that depend on it, also when it is over.
        extra_deps: what was put before it after it was scheduled.
        priority: seconds expected from its start to the end of the longest path behind it.
        urgency: above 0, it skips the wave gate, for somebody waits for it from inside; higher goes first.
        ticket: number of its place in a queue, or of its wait from inside; older places and waits are void.
        attempt: which attempt it is at, from 1; 0 before the first.
        started: when that attempt started, None where there is none.
        stopped: why that attempt was told to end, None where it was not.
        deadlock: who waits for whom, where a deadlock has ended its wait from inside; else empty.
        last: how the attempt before ended, while it waits for the next one.
        awaited: what it waits for from inside.
        pending: how many of these are not over.
        outcome: how it ended, None while it is not over.
        starts: how often it was started, in all of its lives; ``attempt`` counts from 1 in each.
        stale: it runs with what has been changed since, and has to run again.
        dropped: it is forgotten as soon as its attempt is over.
        waiters: who has waited for it from inside -> the ticket of the latest wait.
    """

    __slots__ = (
        'attempt',
        'awaited',
        'blockers',
        'deadlock',
        'dependents',
        'dropped',
        'extra_deps',
        'last',
        'outcome',
        'pending',
        'phase',
        'priority',
        'spec',
        'stale',
        'started',
        'starts',
        'stopped',
        'ticket',
        'urgency',
        'waiters',
    )

    def __init__(self, spec: TaskSpec) -> None:
        self.spec = spec
        self.phase = Phase.BLOCKED
        self.blockers = 0
        self.dependents: list[Task] | None = None
        self.extra_deps: tuple[str, ...] = ()
        self.priority = spec.expected
        self.urgency = 0
        self.ticket = 0
        self.attempt = 0
        self.starts = 0
        self.stale = False
        self.dropped = False
        self.started: float | None = None
        self.stopped: ErrorKind | None = None
        self.deadlock = ''
        self.last: Outcome | None = None
        self.awaited: tuple[str, ...] = ()
        self.pending = 0
        self.waiters: dict[Task, int] | None = None
        self.outcome: Outcome | None = None

    @property
    def state(self) -> ProcState:
        """The state that users see; between two attempts a task counts as running."""
        if self.outcome is not None:
            return self.outcome.state
        if self.attempt or self.phase in HOLDING:
            return ProcState.RUNNING
        return ProcState.WANTED

    @property
    def is_over(self) -> bool:
        """True when it will not run any more, however it ended, unless it is to run once more."""
        return self.phase is Phase.ENDED

    @property
    def satisfies(self) -> bool:
        """True when what depends on it may start."""
        return self.outcome is not None and self.outcome.state.is_good

    @property
    def deps(self) -> tuple[str, ...]:
        """All it depends on: declared, and injected while it was wanted."""
        return self.spec.deps + self.extra_deps

    def add_dependent(self, task: Task) -> None:
        """Note that ``task`` depends on this one."""
        if self.dependents is None:
            self.dependents = []
        self.dependents.append(task)

    def begin_again(self) -> None:
        """Forget how it went, to run once more."""
        self.attempt = 0
        self.awaited = ()
        self.started = self.stopped = self.last = self.outcome = None
        self.stale = False
