"""Priorities: the longest expected path that waits behind a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parproc.core.task import Task


def raise_for(added: Sequence[Task], tasks: Mapping[str, Task]) -> list[Task]:
    """Raise the priority of whatever ``added`` depends on and return the earlier tasks that changed.

    One pass backwards is exact within the batch. Tasks of earlier batches are followed only as far as the batch is
    large, so that defining a long chain one by one stays linear; what lies further keeps its lower priority.

    Args:
        added: tasks just scheduled, dependencies first.
        tasks: all tasks by name.
    """
    batch = {task.spec.name for task in added}
    changed: dict[str, Task] = {}

    def lift(task: Task) -> None:
        for dep in task.deps:
            other = tasks.get(dep)
            if other is not None and not other.is_over:
                priority = other.spec.expected + task.priority
                if priority > other.priority:
                    other.priority = priority
                    if dep not in batch:
                        changed[dep] = other
                        onward.append(other)

    onward: list[Task] = []
    for task in reversed(added):
        lift(task)
    budget = 4 * len(added) + 64
    while onward and budget:
        budget -= 1
        lift(onward.pop())
    return list(changed.values())
