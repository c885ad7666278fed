"""The scheduler: events in, actions out, and nothing else.

:class:`Machine` decides what starts when. It owns no clock, process or file: it is told what happened
(:meth:`Machine.handle`) and answers with what to do. The same events give the same actions, so a run can be replayed.

What it knows is one :class:`~parproc.core.task_table.TaskTable`; each decision has a module of its own, which takes that
table: ``scheduling``, ``starting``, ``waits``, ``endings``, ``retries``, ``reopening``, ``stopping`` and ``forgetting``.

The invariants, stated in :mod:`parproc.core.invariants` and checked by the tests after every event:

- A task moves only along :data:`parproc.core.task.MOVES`; an illegal move raises with the task's story.
- At most ``parallel`` tasks are ACTIVE. A task that waits from inside gives its slot back and, when what it waits for
  is over, is the first to get one.
- A lock has one holder, and only a task that runs (or waits from inside) holds any.
- No event costs more than the tasks it moves and their edges; nothing ever scans all tasks but a stop, which moves them.
- As long as something can go on, something does. What can never go on is a deadlock, named at once, or a missing
  dependency, failed when :class:`~parproc.core.events.Settled` says that nobody will declare it any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from parproc.core import endings, forgetting, reopening, retries, scheduling, starting, stopping, waits
from parproc.core.closed import assert_never
from parproc.core.events import (
    Action,
    Cancelled,
    Changed,
    Dropped,
    Event,
    Finished,
    Interrupted,
    Settled,
    Slept,
    StartFailed,
    Tick,
    WaitBegan,
    Wanted,
)
from parproc.core.model import ErrorKind, ProcState
from parproc.core.task import Task
from parproc.core.task_table import TaskTable
from parproc.core.timers import TimerKind


class Machine:
    """Decides what runs when. Only :meth:`handle` and :meth:`configure` change anything.

    Args:
        parallel: how many tasks may run at once.
        grace: seconds between SIGTERM and SIGKILL for a task that took too long.
        stop_grace: seconds between the first signal of a stop and SIGKILL.
        fail_fast: start nothing new after a failure.
        inline: tasks run inside one another's stack, in this process; then only what the innermost waiting task
            needs may start.
    """

    def __init__(
        self,
        *,
        parallel: int = 100,
        grace: float = 5.0,
        stop_grace: float = 10.0,
        fail_fast: bool = False,
        inline: bool = False,
    ) -> None:
        self._table = TaskTable(
            parallel=parallel, grace=grace, stop_grace=stop_grace, fail_fast=fail_fast, inline=inline
        )

    # --- what changes it ---------------------------------------------------------------------------------------

    def handle(self, event: Event) -> list[Action]:
        """Take in what happened and return what to do about it, in order.

        Raises:
            InternalError: when the event cannot be true of the task it names.
        """
        table = self._table
        table.time = event.time
        _take_in(table, event)
        waits.go_on(table)
        starting.start_next(table)
        actions, table.actions = table.actions, []
        return actions

    def configure(self, *, parallel: int, grace: float, stop_grace: float, fail_fast: bool) -> None:
        """Go on with other settings; where more tasks may run at once, they start with the next event."""
        table = self._table
        table.slots.resize(parallel, table.active_count)
        table.grace = grace
        table.stop_grace = stop_grace
        table.fail_fast = fail_fast

    def validate(self) -> None:
        """Check every invariant by looking at all tasks.

        Raises:
            InternalError: when one is broken, which is a bug of ours; the message names it and ends with the story of
                the task that it is about.
        """
        from parproc.core import invariants  # only a run that checks them pays for it

        invariants.validate(self._table)

    # --- what it knows -----------------------------------------------------------------------------------------

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Every task by name, in the order in which they were scheduled."""
        return self._table.tasks

    @property
    def missing(self) -> Mapping[str, Mapping[Task, None]]:
        """A name that nothing has -> the tasks that depend on it."""
        return self._table.missing

    @property
    def open_count(self) -> int:
        """How many tasks are not over."""
        return self._table.open_count

    @property
    def active_count(self) -> int:
        """How many tasks hold a slot."""
        return self._table.active_count

    @property
    def parallel(self) -> int:
        """How many tasks may run at once."""
        return self._table.slots.parallel

    @property
    def inline(self) -> bool:
        """Whether tasks run inside one another's stack, in this process."""
        return self._table.inline

    @property
    def stopping(self) -> int:
        """How many signals to stop the run has got; 0 when it is not being stopped."""
        return self._table.stopping

    @property
    def deadline(self) -> float | None:
        """The time of the next Tick that matters, None when there is none."""
        return self._table.timers.next()

    @property
    def quiet(self) -> bool:
        """True when nothing runs and nothing will start by itself."""
        return self._table.is_quiet

    def state_of(self, name: str) -> ProcState | None:
        """Return the state of a task, None for one that was never scheduled."""
        task = self._table.tasks.get(name)
        return None if task is None else task.state

    def story(self, name: str) -> str:
        """Return the latest moves of a task, one a line, for an error message."""
        return self._table.story(name)

    def open_tasks(self) -> Iterator[Task]:
        """Yield every task that is not over, in the order in which they were scheduled."""
        return self._table.open_tasks()


def _take_in(table: TaskTable, event: Event) -> None:
    """Change what is known by what happened; the most frequent events come first."""
    match event:
        case Finished():
            _finish(table, event)
        case Wanted():
            scheduling.schedule(table, event)
        case WaitBegan():
            waits.begin(table, event)
        case Tick():
            _tick(table, event)
        case Settled():
            scheduling.settle(table)
        case StartFailed():
            starting.start_failed(table, event)
        case Changed():
            reopening.change(table, event)
        case Cancelled():
            stopping.cancel(table, event)
        case Dropped():
            forgetting.drop(table, event)
        case Interrupted():
            stopping.interrupt(table, event)
        case Slept():
            table.timers.shift(event.seconds)
        case _:
            assert_never(event)


def _finish(table: TaskTable, event: Finished) -> None:
    """Decide what follows the end of an attempt."""
    task = table.running(event.name)
    outcome = stopping.judged(task, event.outcome)
    if task.dropped:
        forgetting.forget(table, task)
    elif task.stale and not table.stopping:
        reopening.run_again(table, task, outcome)
    elif outcome.state is ProcState.FAILED and retries.may_retry(table, task, outcome):
        retries.retry(table, task, outcome)
    else:
        endings.end(table, task, outcome)
    table.slots.recover()


def _tick(table: TaskTable, event: Tick) -> None:
    """Do what is due."""
    for timer in table.timers.due(event.time):
        task = table.tasks[timer.name]
        match timer.kind:
            case TimerKind.RETRY:
                table.enqueue(task)
            case TimerKind.KILL:
                stopping.kill(table, task)
            case TimerKind.TIMEOUT:
                stopping.stop(table, task, ErrorKind.TIMEOUT)
            case _:
                assert_never(timer.kind)
