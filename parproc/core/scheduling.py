"""How tasks come in: new ones, further dependencies of those that have not started, and names that were missing."""

from __future__ import annotations

from dataclasses import replace

from parproc.core import priority, urgency
from parproc.core.dependencies import adopt_dependents, failed_through, link
from parproc.core.endings import end
from parproc.core.events import Wanted
from parproc.core.model import ErrorKind, TaskSpec, failure
from parproc.core.reopening import want_again
from parproc.core.starting import admit
from parproc.core.task import UNSTARTED, Phase, Task
from parproc.core.task_table import TaskTable
from parproc.core.waits import await_again, break_deadlocks
from parproc.errors import InternalError


def schedule(table: TaskTable, event: Wanted) -> None:
    """Take in all that one event asks for, dependencies first."""
    if event.forgiven:
        table.is_tripped = False
    added = [_add(table, spec) for spec in event.specs if spec.name not in table.tasks]
    if event.again:
        want_again(table, [table.tasks[name] for name in event.again])
    for missing, names in event.resolved:
        _resolve(table, missing, names)
    renewed = [task for task in added if task.waiters]
    for task in renewed:
        await_again(table, task)
    urgent = [(task, level) for task in added if (level := adopt_dependents(table, task))] if table.missing else []
    for target, dep in event.injected:
        _inject(table, table.tasks[target], dep)
    doomed = [(task, culprit) for task in added if (culprit := link(table, task)) is not None]
    for task in priority.raise_for(added, table.tasks):
        table.requeue(task)
    for task, level in urgent:
        urgency.make_urgent(table, task, level)
    urgency.renew(table, renewed)
    for task, culprit in doomed:
        end(table, task, failed_through(culprit))
    for task in added:
        if task.phase is Phase.BLOCKED:
            admit(table, task)
    if urgent or renewed or event.injected or event.again or event.resolved:
        break_deadlocks(table)


def settle(table: TaskTable) -> None:
    """End what depends on a missing name, once nothing runs that could still declare it."""
    if table.is_quiet:
        for name in list(table.missing):
            for task in table.missing.pop(name, ()):
                end(table, task, failure(ErrorKind.DEPENDENCY_MISSING, f'dependency "{name}" missing'))


def _add(table: TaskTable, spec: TaskSpec) -> Task:
    """Know one more task; one that had this name before hands on who depends on it and who waits for it."""
    table.tasks[spec.name] = task = Task(spec)
    task.dependents = table.bereft.pop(spec.name, None)
    task.starts, task.waiters = table.lives.pop(spec.name, (0, None))
    table.open_count += 1
    table.ready.waves.enter(spec.wave)
    table.announce_wanted(task)
    return task


def _resolve(table: TaskTable, missing: str, names: tuple[str, ...]) -> None:
    """Let those that waited for a name which nothing had depend on what it turned out to stand for."""
    for task in table.missing.pop(missing, ()):
        task.spec = replace(task.spec, deps=tuple(dep for dep in task.spec.deps if dep != missing))
        task.blockers -= 1
        for name in names:
            if task.phase in UNSTARTED:
                _inject(table, task, name)
        if task.phase is Phase.BLOCKED and not task.blockers:
            table.enqueue(task)


def _inject(table: TaskTable, task: Task, dep: str) -> None:
    """Put ``dep`` before a task that has not started."""
    if task.phase not in UNSTARTED or task.attempt:
        raise InternalError(f'"{task.spec.name}" can take no further dependency\n{table.story(task.spec.name)}')
    if dep in task.deps:
        return
    other = table.tasks[dep]
    task.extra_deps += (dep,)
    other.add_dependent(task)
    if not other.is_over:
        task.blockers += 1
        if task.phase is not Phase.BLOCKED:
            table.leave_queue(task, Phase.BLOCKED)
        urgency.make_urgent(table, other, task.urgency)
    elif not other.satisfies:
        end(table, task, failed_through(dep))
