"""All tasks of a run, the counters over them, and the one place that moves a task from phase to phase.

The modules that decide something (``starting``, ``waits``, ``endings``, ``reopening`` and the others that take a
:class:`TaskTable`) change tasks through it only. It keeps every counter, queue and lock in step with each move, so
that no decision has to look at all tasks.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

from parproc.core.events import Action, TaskWanted
from parproc.core.queues import LockTable, ReadyQueue
from parproc.core.slots import Slots
from parproc.core.task import HOLDING, MOVES, Phase, Task
from parproc.core.timers import Timer, TimerKind, Timers
from parproc.errors import InternalError

STORY_LENGTH_MOVES = 2000


class TaskTable:
    """What the scheduler knows.

    Args:
        parallel: how many tasks may run at once.
        inline: tasks run inside one another's stack, in this process.

    Attributes:
        time: seconds on the caller's clock, of the event that is being handled.
        actions: what that event has led to so far.
        tasks: every task by name, in the order in which they were scheduled.
        missing: a name that nothing has -> the tasks that depend on it.
        bereft: the name of a task that was forgotten -> the tasks that depend on it.
        lives: the name of a task that was forgotten -> how often it was started, and who has waited for it.
        open_count: how many tasks are not over.
        active_count: how many hold a slot.
        suspended_count: how many wait from inside.
        delayed_count: how many wait for their next attempt.
        failed_count: how many have failed.
        stopping: how many signals to stop the run has got; 0 when it is not being stopped.
        is_tripped: a failure came, and ``fail_fast`` lets nothing start after it.
        careful: tasks that run only while nothing has failed, and have not started.
        passed_over: tasks that never ran because others failed; a change may give them another chance.
        resuming: tasks that wait for a slot to go on, the first to get one first.
        nest: tasks that wait from inside, innermost last; kept only where tasks run inside one another.
        level: what has a lower urgency must not start, for it would run inside the innermost wait; 0 for no bound.
        is_level_stale: a nested wait has ended since the level was set.
    """

    def __init__(self, *, parallel: int, grace: float, stop_grace: float, fail_fast: bool, inline: bool) -> None:
        self.grace = grace
        self.stop_grace = stop_grace
        self.fail_fast = fail_fast
        self.inline = inline
        self.slots = Slots(parallel)
        self.time = 0.0
        self.actions: list[Action] = []
        self.tasks: dict[str, Task] = {}
        self.missing: dict[str, dict[Task, None]] = {}
        self.bereft: dict[str, list[Task]] = {}
        self.lives: dict[str, tuple[int, dict[Task, int] | None]] = {}
        self.open_count = 0
        self.active_count = 0
        self.suspended_count = 0
        self.delayed_count = 0
        self.failed_count = 0
        self.stopping = 0
        self.is_tripped = False
        self.careful: dict[str, Task] = {}
        self.passed_over: dict[Task, None] = {}
        self.resuming: deque[Task] = deque()
        self.nest: list[Task] = []
        self.level = 0
        self.is_level_stale = False
        self.ready = ReadyQueue()
        self.locks = LockTable()
        self.timers = Timers(self._counts)
        self._tickets = itertools.count(1)
        self._story: deque[tuple[float, str, Phase, Phase]] = deque(maxlen=STORY_LENGTH_MOVES)

    # --- looking -----------------------------------------------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """True when nothing runs and nothing will start by itself."""
        return not (self.active_count or self.resuming or self.delayed_count)

    def open_tasks(self) -> Iterator[Task]:
        """Yield every task that is not over, in the order in which they were scheduled."""
        return (task for task in self.tasks.values() if not task.is_over)

    def running(self, name: str) -> Task:
        """Return a task that runs, or waits from inside.

        Raises:
            InternalError: when it does not; the message ends with the task's story.
        """
        task = self.tasks.get(name)
        if task is None or task.phase not in HOLDING:
            raise InternalError(f'"{name}" is not running\n{self.story(name)}')
        return task

    def story(self, name: str) -> str:
        """Return the latest moves of a task, one a line, for an error message."""
        return '\n'.join(f'{time:.3f} {old.name} -> {new.name}' for time, task, old, new in self._story if task == name)

    # --- moving ------------------------------------------------------------------------------------------------

    def move(self, task: Task, phase: Phase) -> None:
        """Put ``task`` into another phase.

        Raises:
            InternalError: when :data:`~parproc.core.task.MOVES` has no such move; the message ends with its story.
        """
        old = task.phase
        self._story.append((self.time, task.spec.name, old, phase))
        if phase not in MOVES[old]:
            raise InternalError(f'"{task.spec.name}" made an illegal move\n{self.story(task.spec.name)}')
        task.phase = phase
        if old is Phase.ACTIVE:
            self.active_count -= 1
        elif phase is Phase.ACTIVE:
            self.active_count += 1
        if old is Phase.SUSPENDED:
            self.suspended_count -= 1
            if self.inline:
                self.nest.remove(task)
                self.is_level_stale = True
        elif phase is Phase.SUSPENDED:
            self.suspended_count += 1
            if self.inline:
                self.nest.append(task)
        if phase is Phase.DELAYED:
            self.delayed_count += 1
        elif old is Phase.DELAYED:
            self.delayed_count -= 1

    def enqueue(self, task: Task) -> None:
        """Let a task that nothing but its wave, a lock or a slot holds back wait for its turn."""
        self.move(task, Phase.READY)
        self.ready.push(task, next(self._tickets))

    def requeue(self, task: Task) -> None:
        """Give a READY task its new place after its urgency or priority changed."""
        if task.phase is Phase.READY:
            self.ready.push(task, next(self._tickets))

    def leave_queue(self, task: Task, phase: Phase) -> None:
        """Move a task away from where it waits; a lock it may have been woken for goes to the next in line."""
        woken = task.phase is Phase.READY
        self.move(task, phase)
        if woken:
            self._wake_waiters(task)

    def park(self, task: Task, lock: str) -> None:
        """Let a READY task wait for ``lock``, which another one holds."""
        self.locks.park(task, lock, next(self._tickets))
        self.leave_queue(task, Phase.LOCKED)

    def release(self, task: Task, phase: Phase) -> None:
        """Move a task out of running: its locks go to the next in line."""
        self.move(task, phase)
        if task.spec.locks:
            self.locks.drop(task)
            self._wake_waiters(task)

    def new_ticket(self) -> int:
        """Return a number above all earlier ones."""
        return next(self._tickets)

    def announce_wanted(self, task: Task) -> None:
        """Say that a task is scheduled, and what holds it back."""
        spec = task.spec
        self.actions.append(TaskWanted(spec.name, spec.expected, task.deps, self.time, spec.locks, spec.wave))

    def arm(self, delay: float, task: Task, kind: TimerKind) -> None:
        """Set a deadline for this attempt of ``task``, ``delay`` seconds from now."""
        self.timers.arm(self.time + delay, task.spec.name, task.starts, kind)

    def _wake_waiters(self, task: Task) -> None:
        """Let the best waiter of each free lock of ``task`` try again."""
        for waiter in self.locks.next_waiters(task):
            self.enqueue(waiter)

    def _counts(self, timer: Timer) -> bool:
        task = self.tasks.get(timer.name)
        if task is None:
            return False
        right = task.phase is Phase.DELAYED if timer.kind is TimerKind.RETRY else task.phase in HOLDING
        return right and task.starts == timer.starts
