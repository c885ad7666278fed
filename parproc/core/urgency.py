"""Urgency: what a task waits for from inside, and all that this needs, skips the wave gate."""

from __future__ import annotations

from collections.abc import Iterable

from parproc.core.task import Phase, Task
from parproc.core.task_table import TaskTable


def make_urgent(table: TaskTable, task: Task, level: int) -> None:
    """Let ``task`` and all it still needs skip the wave gate; a higher ``level`` goes first."""
    stack = [task]
    while stack:
        current = stack.pop()
        if current.urgency >= level or current.is_over:
            continue
        current.urgency = level
        if current.phase is Phase.LOCKED:
            table.enqueue(current)
        else:
            table.requeue(current)
        stack.extend(other for dep in current.deps if (other := table.tasks.get(dep)) is not None)


def renew(table: TaskTable, tasks: Iterable[Task]) -> None:
    """Pass urgency on to what was reopened: from those that wait for it, and from those that depend on it."""
    for task in tasks:
        if not task.is_over:
            for waiter, ticket in (task.waiters or {}).items():
                if waiter.phase is Phase.SUSPENDED and waiter.ticket == ticket:
                    make_urgent(table, task, waiter.ticket if table.inline else 1)
            for dep in task.deps if task.urgency else ():
                if dep in table.tasks:
                    make_urgent(table, table.tasks[dep], task.urgency)
