"""Tasks that are forgotten, because something else is declared under their names."""

from __future__ import annotations

from parproc.core.dependencies import unlink
from parproc.core.endings import close
from parproc.core.events import Dropped, TaskReopened
from parproc.core.model import ErrorKind, ProcState, failure
from parproc.core.stopping import stop
from parproc.core.task import HOLDING, Task
from parproc.core.task_table import TaskTable


def drop(table: TaskTable, event: Dropped) -> None:
    """Forget the tasks that were named; those that run are ended first."""
    for name in event.names:
        task = table.tasks.get(name)
        if task is None:
            continue
        if task.phase in HOLDING:
            task.dropped = True
            stop(table, task, ErrorKind.CANCELLED)
        else:
            forget(table, task)


def forget(table: TaskTable, task: Task) -> None:
    """Know a task no longer; what has not started and depends on it waits for its name."""
    name = task.spec.name
    if not task.is_over:
        close(table, task, failure(ErrorKind.CANCELLED, 'declared again'))
    elif task.state is ProcState.FAILED:
        table.failed_count -= 1
    outcome = task.outcome
    assert outcome is not None, 'what is closed has an outcome'
    table.lives[name] = (task.starts, task.waiters)
    table.passed_over.pop(task, None)
    table.actions.append(TaskReopened(name, outcome, task.attempt, table.time))
    del table.tasks[name]
    unlink(table, task)
