"""What holds a task back: how many of its dependencies are not over, which of them failed, and which nothing has."""

from __future__ import annotations

from parproc.core.model import ErrorKind, Outcome, failure
from parproc.core.task import UNSTARTED, Phase, Task
from parproc.core.task_table import TaskTable


def failed_through(name: str) -> Outcome:
    """Return the outcome of a task that cannot run because ``name``, which it depends on, failed."""
    return failure(ErrorKind.DEPENDENCY_FAILED, f'dependency failed: {name}')


def link(table: TaskTable, task: Task) -> str | None:
    """Hang ``task`` onto its dependencies; return the first that failed already."""
    for dep in task.spec.deps:
        other = table.tasks.get(dep)
        if other is not None:
            other.add_dependent(task)
    return count_blockers(table, task)


def count_blockers(table: TaskTable, task: Task) -> str | None:
    """Count what holds a task back; return the first dependency that has failed."""
    task.blockers = 0
    culprit = None
    for dep in task.deps:
        other = table.tasks.get(dep)
        if other is None:
            table.missing.setdefault(dep, {})[task] = None
            task.blockers += 1
        elif not other.is_over:
            task.blockers += 1
        elif culprit is None and not other.satisfies:
            culprit = dep
    return culprit


def adopt_dependents(table: TaskTable, task: Task) -> int:
    """Hang onto ``task`` those that waited for its name to appear; return how urgent that makes it."""
    waiting = table.missing.pop(task.spec.name, None)
    if waiting is None:
        return 0
    task.dependents = list(dict.fromkeys((*(task.dependents or ()), *waiting)))
    return max(other.urgency for other in waiting)


def unlink(table: TaskTable, task: Task) -> None:
    """Take a task that is forgotten off its dependencies; what depends on it and has not started waits for its name."""
    name = task.spec.name
    for dep in task.deps:
        other = table.tasks.get(dep)
        dependents = table.bereft.get(dep) if other is None else other.dependents
        if dependents and task in dependents:
            dependents.remove(task)
        if dep in table.missing:
            table.missing[dep].pop(task, None)
            if not table.missing[dep]:
                del table.missing[dep]
    if task.dependents:
        table.bereft[name] = task.dependents
    waiting = {other: None for other in task.dependents or () if other.phase in UNSTARTED}
    if waiting:
        table.missing[name] = waiting
    for other in waiting:
        count_blockers(table, other)
        if other.phase is not Phase.BLOCKED:
            table.leave_queue(other, Phase.BLOCKED)
