"""Whether a failed attempt is followed by another one, and when that starts."""

from __future__ import annotations

from parproc.core.dependencies import count_blockers, failed_through
from parproc.core.endings import end
from parproc.core.events import TaskRetrying
from parproc.core.model import Outcome
from parproc.core.task import Phase, Task
from parproc.core.task_table import TaskTable
from parproc.core.timers import TimerKind


def may_retry(table: TaskTable, task: Task, outcome: Outcome) -> bool:
    """Return whether a task whose attempt has failed gets another one."""
    return outcome.retry and task.attempt <= task.spec.retries and not table.stopping and not table.is_tripped


def retry(table: TaskTable, task: Task, outcome: Outcome) -> None:
    """Let a task whose attempt has failed wait for the next one, each time twice as long."""
    delay = task.spec.retry_delay * 2 ** (task.attempt - 1)
    task.last = outcome
    task.awaited = ()
    table.actions.append(TaskRetrying(task.spec.name, task.attempt, outcome, table.time + delay, table.time))
    if is_held_back(table, task):
        return
    table.release(task, Phase.DELAYED)
    if delay > 0:
        table.arm(delay, task, TimerKind.RETRY)
    else:
        table.enqueue(task)


def is_held_back(table: TaskTable, task: Task) -> bool:
    """Return whether a task that is to start another attempt has to wait for, or end with, what runs again."""
    culprit = count_blockers(table, task)
    if culprit is not None:
        end(table, task, failed_through(culprit))
    elif task.blockers:
        table.release(task, Phase.BLOCKED)
    return culprit is not None or task.blockers > 0
