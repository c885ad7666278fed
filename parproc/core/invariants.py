"""The invariants of the scheduler: what must be true between any two events.

Tests check them after every event, and so does a run where ``PARPROC_CHECK=1`` is set.
"""

from __future__ import annotations

from collections import Counter

from parproc.core.task import HOLDING, Phase, Task
from parproc.core.task_table import TaskTable
from parproc.errors import InternalError


def validate(table: TaskTable) -> None:
    """Check every invariant by looking at all of its tasks.

    Raises:
        InternalError: names the first invariant that is broken and, where it is one task's, its story.
    """
    phases = Counter(task.phase for task in table.tasks.values())
    _require(table.active_count == phases[Phase.ACTIVE], 'the count of active tasks is right')
    _require(table.suspended_count == phases[Phase.SUSPENDED], 'the count of waiting tasks is right')
    _require(table.delayed_count == phases[Phase.DELAYED], 'the count of delayed tasks is right')
    _require(table.open_count == len(table.tasks) - phases[Phase.ENDED], 'the count of open tasks is right')
    _require(table.active_count <= table.slots.most_active, 'no more tasks run than there are slots')
    _check_locks(table)
    for task in table.tasks.values():
        for invariant, holds in _invariants_of(table, task).items():
            if not holds:
                raise InternalError(f'"{task.spec.name}": {invariant}\n{table.story(task.spec.name)}')


def _invariants_of(table: TaskTable, task: Task) -> dict[str, bool]:
    unfinished = [dep for dep in task.deps if dep not in table.tasks or not table.tasks[dep].is_over]
    ended = task.is_over
    gate = ended or task.phase is Phase.BLOCKED or task.phase in HOLDING  # what runs may do so on what runs again
    return {
        'an outcome and the phase ENDED come together': (task.outcome is not None) == ended,
        'a blocked task has something to wait for': task.phase is not Phase.BLOCKED or task.blockers > 0,
        'blockers are the unfinished dependencies': ended or task.phase in HOLDING or task.blockers == len(unfinished),
        'a task past its dependencies has none unfinished': gate or not unfinished,
        'what depends on a failure has ended': ended
        or task.phase in HOLDING
        or not any(_failed(table, dep) for dep in task.deps),
        'a suspended task waits for something open': task.phase is not Phase.SUSPENDED
        or sum(name in table.tasks and not table.tasks[name].is_over for name in set(task.awaited)) == task.pending > 0,
        'only what runs can be stale': not task.stale or task.phase in HOLDING,
        'attempts are within bounds': task.attempt <= task.spec.retries + 1,
    }


def _failed(table: TaskTable, name: str) -> bool:
    task = table.tasks.get(name)
    return task is not None and task.is_over and not task.satisfies


def _check_locks(table: TaskTable) -> None:
    holders = table.locks.held()
    wanted = {lock: task for task in table.tasks.values() if task.phase in HOLDING for lock in task.spec.locks}
    _require(holders == wanted, 'exactly the running tasks hold their locks')


def _require(holds: bool, invariant: str) -> None:
    if not holds:
        raise InternalError(f'broken invariant: {invariant}')
