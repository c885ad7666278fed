"""Time left: what remains of the graph, played through on the slots there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush


def time_left(
    expected: Mapping[str, float | None],
    deps: Mapping[str, Sequence[str]],
    running: Mapping[str, float],
    parallel: int,
) -> float | None:
    """Return the seconds until all is over, as far as one can tell.

    Tasks are started as the scheduler would: of those that are ready, the one with the longest path behind it, then
    the one that comes first in ``expected``. A task nobody has timed counts as the mean of those that were; one that
    is overdue counts as about to end. What waits for something that never comes is left out.

    Args:
        expected: every task that is not over -> seconds it takes from its start, None when unknown.
        deps: task -> what it waits for; names that are not in ``expected`` are over.
        running: tasks that hold a slot -> seconds since their start.
        parallel: how many may hold a slot.

    Returns:
        None when fewer than half of the tasks have a known duration, or there are none.
    """
    known = [seconds for seconds in expected.values() if seconds is not None]
    if not known or 2 * len(known) < len(expected):
        return None
    mean = sum(known) / len(known)
    length = {name: mean if seconds is None else seconds for name, seconds in expected.items()}
    for name, elapsed in running.items():
        length[name] = max(0.0, length[name] - elapsed)
    blockers, dependents = _edges(length, deps, running)
    paths = _paths(length, blockers, dependents)
    order = {name: index for index, name in enumerate(length)}
    free = parallel - len(running)
    ends = [(length[name], order[name], name) for name in running]
    heapify(ends)
    ready = [(-paths[name], order[name], name) for name, count in blockers.items() if not count and name not in running]
    heapify(ready)
    now = 0.0
    while ends or ready:
        while ready and (free > 0 or not ends):
            _, place, name = heappop(ready)
            heappush(ends, (now + length[name], place, name))
            free -= 1
        now = ends[0][0]
        while ends and ends[0][0] == now:
            free += 1
            for name in dependents.get(heappop(ends)[2], ()):
                blockers[name] -= 1
                if not blockers[name]:
                    heappush(ready, (-paths[name], order[name], name))
    return now


def _edges(
    length: Mapping[str, float], deps: Mapping[str, Iterable[str]], running: Mapping[str, float]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return how many open dependencies each task has, and who depends on each."""
    blockers = dict.fromkeys(length, 0)
    dependents: dict[str, list[str]] = {}
    for name, needed in deps.items():
        if name in length and name not in running:
            for dep in set(needed):
                if dep in length:
                    blockers[name] += 1
                    dependents.setdefault(dep, []).append(name)
    return blockers, dependents


def _paths(
    length: Mapping[str, float], blockers: Mapping[str, int], dependents: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Return, for each task, the seconds of the longest path that begins with it."""
    counts = dict(blockers)
    order = [name for name, count in counts.items() if not count]
    for name in order:
        for other in dependents.get(name, ()):
            counts[other] -= 1
            if not counts[other]:
                order.append(other)
    paths = dict(length)
    for name in reversed(order):
        paths[name] += max((paths[other] for other in dependents.get(name, ())), default=0.0)
    return paths
