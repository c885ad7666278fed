"""Deadlocks: tasks that wait for each other in a ring, so that none of them can ever go on.

A task that waits from inside can only be part of a ring when somebody waits for it: through a dependency, a lock it
holds, or a wait of theirs. Every ring is closed by a wait that begins, or by a dependency that appears later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from parproc.core.plan import find_ring
from parproc.core.queues import LockTable
from parproc.core.task import UNSTARTED, Phase, Task


def ring_from(task: Task, tasks: Mapping[str, Task], locks: LockTable) -> list[str] | None:
    """Return the names of a ring through the waiting ``task``, starting with it, or None."""
    if not (task.dependents or task.spec.locks or task.waiters):
        return None
    return find_ring(task.spec.name, lambda name: _held_up_by(tasks.get(name), tasks, locks))


def describe(ring: Sequence[str], tasks: Mapping[str, Task], locks: LockTable) -> str:
    """Return one line that says who waits for whom."""
    links = []
    for name, onward in zip(ring, [*ring[1:], ring[0]], strict=True):
        task = tasks[name]
        if onward in task.awaited:
            links.append(f'"{name}" waits for "{onward}"')
        elif onward in task.deps:
            links.append(f'"{name}" depends on "{onward}"')
        else:
            lock = next(lock for lock in task.spec.locks if locks.holder(lock) is tasks[onward])
            links.append(f'"{name}" needs lock "{lock}" held by "{onward}"')
    return ', '.join(links)


def _held_up_by(task: Task | None, tasks: Mapping[str, Task], locks: LockTable) -> Iterator[str]:
    if task is None:
        return
    if task.phase is Phase.SUSPENDED:
        yield from (name for name in task.awaited if name in tasks and not tasks[name].is_over)
    elif task.phase in UNSTARTED:
        yield from (dep for dep in task.deps if dep not in tasks or not tasks[dep].is_over)
        for lock in task.spec.locks:
            holder = locks.holder(lock)
            if holder is not None and holder.phase is Phase.SUSPENDED:
                yield holder.spec.name
