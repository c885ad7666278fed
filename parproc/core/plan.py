"""From task specs in any order to a plan: dependencies first, no ring, no dependency in a higher wave.

The order is the one in which a single worker would run the tasks: lower wave first, then the longest expected
remaining path (the classic critical-path list scheduling of Hu, 1961), then the order of declaration.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from parproc.core.model import TaskSpec
from parproc.errors import UserError


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks in the order one worker would run them, and how long each path behind them is.

    Args:
        order: the specs, every dependency before its dependents.
        remaining: task name -> seconds expected from its start to the end of the longest path behind it.
    """

    order: tuple[TaskSpec, ...]
    remaining: Mapping[str, float]


def build(specs: Iterable[TaskSpec], wave_of: Callable[[str], int | None] = lambda _: None) -> Plan:
    """Order ``specs`` and check them.

    Args:
        specs: tasks in any order; dependencies outside of them are taken as given.
        wave_of: the wave of a task outside of ``specs``, None when it is unknown.

    Returns:
        The plan.

    Raises:
        UserError: for a cycle, spelled ``a -> b -> a``, or for a dependency in a higher wave.
    """
    by_name = {spec.name: spec for spec in specs}
    dependents: dict[str, list[str]] = {}
    blockers: dict[str, int] = {}
    for name, spec in by_name.items():
        inside = 0
        for dep in spec.deps:
            dep_spec = by_name.get(dep)
            if dep_spec is not None:
                inside += 1
                dependents.setdefault(dep, []).append(name)
            dep_wave = dep_spec.wave if dep_spec is not None else wave_of(dep)
            if dep_wave is not None and dep_wave > spec.wave:
                raise wave_error(name, spec.wave, dep, dep_wave)
        blockers[name] = inside
    topological = _topological(by_name, dependents, dict(blockers))
    remaining = _remaining(topological, by_name, dependents)
    return Plan(_listed(by_name, dependents, blockers, remaining), remaining)


def wave_error(name: str, wave: int, dep: str, dep_wave: int) -> UserError:
    """Return the error for a dependency that its dependent's wave would keep waiting for ever."""
    return UserError(
        f'"{name}" (wave {wave}) depends on "{dep}" in the higher wave {dep_wave}',
        hint=f'give "{dep}" a wave of {wave} or lower',
    )


def cycle_error(path: Sequence[str]) -> UserError:
    """Return the error for a ring of dependencies; ``path`` names each task of it once."""
    return UserError(f'dependency cycle: {" -> ".join([*path, path[0]])}', hint='remove one of these dependencies')


def find_ring(start: str, onward: Callable[[str], Iterable[str]]) -> list[str] | None:
    """Return a path from ``start`` back to itself along ``onward`` edges, each name once, or None.

    Example:
        >>> find_ring('a', {'a': 'b', 'b': 'a'}.__getitem__)
        ['a', 'b']
    """
    path = [start]
    seen = {start}
    iterators = [iter(onward(start))]
    while iterators:
        for name in iterators[-1]:
            if name == start:
                return path
            if name not in seen:
                seen.add(name)
                path.append(name)
                iterators.append(iter(onward(name)))
                break
        else:
            iterators.pop()
            path.pop()
    return None


def _topological(
    by_name: Mapping[str, TaskSpec], dependents: Mapping[str, list[str]], blockers: dict[str, int]
) -> list[str]:
    order = [name for name, count in blockers.items() if not count]
    for name in order:
        for dependent in dependents.get(name, ()):
            blockers[dependent] -= 1
            if not blockers[dependent]:
                order.append(dependent)
    if len(order) < len(by_name):
        stuck = {name for name, count in blockers.items() if count}
        raise cycle_error(_ring_among(stuck, by_name))
    return order


def _ring_among(stuck: set[str], by_name: Mapping[str, TaskSpec]) -> list[str]:
    """Walk dependencies inside ``stuck``, where every task has one, until a name comes again."""
    name = min(stuck, key=lambda candidate: by_name[candidate].order)
    place: dict[str, int] = {}
    path: list[str] = []
    while name not in place:
        place[name] = len(path)
        path.append(name)
        name = next(dep for dep in by_name[name].deps if dep in stuck)
    ring = path[place[name] :]
    first = min(range(len(ring)), key=lambda index: by_name[ring[index]].order)
    return ring[first:] + ring[:first]


def _remaining(
    topological: Sequence[str], by_name: Mapping[str, TaskSpec], dependents: Mapping[str, list[str]]
) -> dict[str, float]:
    remaining: dict[str, float] = {}
    for name in reversed(topological):
        behind = max((remaining[dependent] for dependent in dependents.get(name, ())), default=0.0)
        remaining[name] = by_name[name].expected + behind
    return remaining


def _listed(
    by_name: Mapping[str, TaskSpec],
    dependents: Mapping[str, list[str]],
    blockers: dict[str, int],
    remaining: Mapping[str, float],
) -> tuple[TaskSpec, ...]:
    def entry(name: str) -> tuple[int, float, int, str]:
        spec = by_name[name]
        return spec.wave, -remaining[name], spec.order, name

    heap = [entry(name) for name, count in blockers.items() if not count]
    heapq.heapify(heap)
    order: list[TaskSpec] = []
    while heap:
        name = heapq.heappop(heap)[3]
        order.append(by_name[name])
        for dependent in dependents.get(name, ()):
            blockers[dependent] -= 1
            if not blockers[dependent]:
                heapq.heappush(heap, entry(dependent))
    return tuple(order)
