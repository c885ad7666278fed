"""What is to run again though it was over: tasks whose files were changed, or that are wanted again, and all that has used what they gave.

What had started before a change goes back to BLOCKED: at once when it is over, else when its attempt ends. What has
not started will see the change anyway.
"""

from __future__ import annotations

from parproc.core import urgency
from parproc.core.dependencies import count_blockers, failed_through
from parproc.core.endings import end
from parproc.core.events import Changed, TaskReopened
from parproc.core.model import Outcome, ProcState
from parproc.core.starting import admit
from parproc.core.task import HOLDING, UNSTARTED, Phase, Task
from parproc.core.task_table import TaskTable
from parproc.core.waits import await_again, break_deadlocks


def change(table: TaskTable, event: Changed) -> None:
    """Let what was changed, and all that has used it, run again."""
    if table.stopping:
        return
    roots = [table.tasks[name] for name, when in event.changes if _has_missed(table, name, when)]
    if not roots:
        return
    if not table.open_count:
        table.is_tripped = False
    affected = _affected_by(table, [*roots, *table.passed_over])
    for task in affected:
        task.stale = task.phase in HOLDING
    _live_again(table, affected)
    break_deadlocks(table)


def want_again(table: TaskTable, tasks: list[Task]) -> None:
    """Let tasks that are over run once more; what depends on them and has not started waits for that."""
    affected = {task: None for task in tasks if task.is_over}
    for task in list(affected):
        affected.update((other, None) for other in task.dependents or () if not other.is_over)
    _live_again(table, list(affected))


def run_again(table: TaskTable, task: Task, outcome: Outcome) -> None:
    """Start a task afresh that was running while what it reads was changed."""
    table.release(task, Phase.BLOCKED)
    _begin_again(table, task, outcome)
    culprit = count_blockers(table, task)
    if culprit is not None:
        end(table, task, failed_through(culprit))
    else:
        admit(table, task)
        break_deadlocks(table)


def _live_again(table: TaskTable, tasks: list[Task]) -> None:
    """Reopen those of ``tasks`` that are over, and let the others wait for what they depend on of these."""
    reopened = [task for task in tasks if task.is_over]
    for task in reopened:
        _reopen(table, task)
    if not table.failed_count:
        table.is_tripped = False
    doomed = {task: culprit for task in tasks if (culprit := count_blockers(table, task)) is not None}
    for task in tasks:
        if task.phase in UNSTARTED and task.phase is not Phase.BLOCKED and task.blockers:
            table.leave_queue(task, Phase.BLOCKED)
    urgency.renew(table, tasks)
    for task in reopened:
        if task in doomed:
            end(table, task, failed_through(doomed[task]))
    for task in reopened:
        if task.phase is Phase.BLOCKED:
            admit(table, task)


def _has_missed(table: TaskTable, name: str, when: float) -> bool:
    """Return whether a task has done without a change that was made at ``when``."""
    task = table.tasks.get(name)
    return task is not None and task.phase not in UNSTARTED and (task.started is None or task.started <= when)


def _affected_by(table: TaskTable, roots: list[Task]) -> list[Task]:
    """Return tasks and all that has started or ended with what they gave, or that waits to start with it."""
    found: dict[Task, None] = {}
    while roots:
        task = roots.pop()
        if task in found or table.tasks.get(task.spec.name) is not task:  # a forgotten one has waited for others too
            continue
        found[task] = None
        if task.phase not in UNSTARTED:
            roots.extend(task.dependents or ())
            for waiter, ticket in (task.waiters or {}).items():
                waits_still = waiter.phase is Phase.SUSPENDED and waiter.ticket == ticket
                if task.is_over or not waits_still:
                    roots.append(waiter)
    return list(found)


def _reopen(table: TaskTable, task: Task) -> None:
    """Let a task that is over be wanted once more."""
    outcome = task.outcome
    assert outcome is not None, 'only a task that is over is reopened'
    table.move(task, Phase.BLOCKED)
    table.passed_over.pop(task, None)
    table.open_count += 1
    table.ready.waves.enter(task.spec.wave)
    if outcome.state is ProcState.FAILED:
        table.failed_count -= 1
    task.urgency = 0
    _begin_again(table, task, outcome)
    await_again(table, task)


def _begin_again(table: TaskTable, task: Task, outcome: Outcome) -> None:
    table.actions.append(TaskReopened(task.spec.name, outcome, task.attempt, table.time))
    table.announce_wanted(task)
    task.begin_again()
