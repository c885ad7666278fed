"""What starts next: the gates that a task passes on its way to a slot, and starts that fail."""

from __future__ import annotations

from parproc.core.endings import FAILURES_PRESENT, abandon, end
from parproc.core.events import Launch, StartFailed, TaskStarted
from parproc.core.model import ErrorKind, failure
from parproc.core.retries import is_held_back
from parproc.core.task import Phase, Task
from parproc.core.task_table import TaskTable
from parproc.core.timers import TimerKind


def admit(table: TaskTable, task: Task) -> None:
    """Let a task that was just scheduled wait for its dependencies, or its turn; end it where it may not run."""
    if table.stopping or table.is_tripped:
        abandon(table, task, 'the run is stopping' if table.stopping else 'an earlier proc failed')
    elif task.spec.no_failures and table.failed_count:
        end(table, task, FAILURES_PRESENT)
    else:
        if task.spec.no_failures:
            table.careful[task.spec.name] = task
        if not task.blockers:
            table.enqueue(task)


def start_next(table: TaskTable) -> None:
    """Start ready tasks, best first, as far as there are slots; park those that need a lock of another one."""
    limit = table.slots.limit
    while table.active_count < limit:
        ready = table.ready.pop(table.level)
        if ready is None:
            return
        lock = table.locks.busy(ready) if ready.spec.locks else None
        if lock is None:
            _start(table, ready)
        else:
            table.park(ready, lock)


def start_failed(table: TaskTable, event: StartFailed) -> None:
    """End a task that could not be started; where others may give back what was short, let it wait for a slot again."""
    task = table.running(event.name)
    others = table.active_count - 1
    if not event.scarce or not others or task.stopped is not None:
        end(table, task, failure(ErrorKind.NOT_STARTED, f'could not start: {event.reason}'))
        return
    table.slots.shrink(others)
    task.attempt -= 1
    task.started = None
    task.stale = False
    if not is_held_back(table, task):
        table.release(task, Phase.READY)
        table.requeue(task)


def _start(table: TaskTable, task: Task) -> None:
    name = task.spec.name
    table.careful.pop(name, None)
    if task.spec.locks:
        table.locks.take(task)
    table.move(task, Phase.ACTIVE)
    task.attempt += 1
    task.starts += 1
    task.started = table.time
    task.stopped = None
    if task.spec.timeout is not None:
        table.arm(task.spec.timeout, task, TimerKind.TIMEOUT)
    table.actions.append(Launch(name, task.attempt))
    table.actions.append(TaskStarted(name, task.attempt, table.time))
