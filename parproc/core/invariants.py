"""What must be true of the machine between any two events; tests check it after every one."""

from __future__ import annotations

from collections import Counter

from parproc.core.machine import Machine
from parproc.core.task import HOLDING, Phase, Task
from parproc.errors import InternalError


def validate(machine: Machine) -> None:
    """Check every invariant of the machine by looking at all of its tasks.

    Raises:
        InternalError: names the first invariant that is broken and, where it is one task's, its story.
    """
    phases = Counter(task.phase for task in machine.tasks.values())
    _require(machine.active_count == phases[Phase.ACTIVE], 'the count of active tasks is right')
    _require(machine.suspended_count == phases[Phase.SUSPENDED], 'the count of waiting tasks is right')
    _require(machine.delayed_count == phases[Phase.DELAYED], 'the count of delayed tasks is right')
    _require(machine.open_count == len(machine.tasks) - phases[Phase.ENDED], 'the count of open tasks is right')
    _require(machine.active_count <= machine.most_active, 'no more tasks run than there are slots')
    _check_locks(machine)
    for task in machine.tasks.values():
        for invariant, holds in _invariants_of(machine, task).items():
            if not holds:
                raise InternalError(f'"{task.spec.name}": {invariant}\n{machine.story(task.spec.name)}')


def _invariants_of(machine: Machine, task: Task) -> dict[str, bool]:
    unfinished = [dep for dep in task.deps if dep not in machine.tasks or not machine.tasks[dep].is_over]
    ended = task.is_over
    gate = ended or task.phase is Phase.BLOCKED or task.phase in HOLDING  # what runs may do so on what runs again
    return {
        'an outcome and the phase ENDED come together': (task.outcome is not None) == ended,
        'a blocked task has something to wait for': task.phase is not Phase.BLOCKED or task.blockers > 0,
        'blockers are the unfinished dependencies': ended or task.phase in HOLDING or task.blockers == len(unfinished),
        'a task past its dependencies has none unfinished': gate or not unfinished,
        'what depends on a failure has ended': ended
        or task.phase in HOLDING
        or not any(_failed(machine, dep) for dep in task.deps),
        'a suspended task waits for something open': task.phase is not Phase.SUSPENDED
        or sum(name in machine.tasks and not machine.tasks[name].is_over for name in set(task.awaited))
        == task.pending
        > 0,
        'only what runs can be stale': not task.stale or task.phase in HOLDING,
        'attempts are within bounds': task.attempt <= task.spec.retries + 1,
    }


def _failed(machine: Machine, name: str) -> bool:
    task = machine.tasks.get(name)
    return task is not None and task.is_over and not task.satisfies


def _check_locks(machine: Machine) -> None:
    holders = machine.lock_holders()
    wanted = {lock: task for task in machine.tasks.values() if task.phase in HOLDING for lock in task.spec.locks}
    _require(holders == wanted, 'exactly the running tasks hold their locks')


def _require(holds: bool, invariant: str) -> None:
    if not holds:
        raise InternalError(f'broken invariant: {invariant}')
