"""Plans, against trying every order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.model import TaskSpec
from parproc.core.plan import build, find_ring
from parproc.errors import UserError

GRAPHS = st.lists(
    st.tuples(st.sets(st.integers(0, 8)), st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=9
).flatmap(lambda rows: st.permutations(range(len(rows))).map(lambda orders: specs_of(rows, orders)))


def specs_of(rows: list[tuple[set[int], int, int]], orders: list[int]) -> list[TaskSpec]:
    """Return tasks that depend on earlier ones only, none in a lower wave than what it depends on."""
    waves: list[int] = []
    specs = []
    for number, (wanted, seconds, wave) in enumerate(rows):
        deps = sorted(dep for dep in wanted if dep < number)
        waves.append(max([wave, *(waves[dep] for dep in deps)]))
        names = tuple(f't{dep}' for dep in deps)
        specs.append(TaskSpec(f't{number}', names, wave=waves[number], expected=seconds, order=orders[number]))
    return specs


def slow_remaining(name: str, specs: list[TaskSpec]) -> float:
    own = next(spec.expected for spec in specs if spec.name == name)
    return own + max((slow_remaining(spec.name, specs) for spec in specs if name in spec.deps), default=0.0)


@given(GRAPHS)
def test_each_place_goes_to_the_best_of_all_that_may_come_there(specs: list[TaskSpec]) -> None:
    plan = build(specs)
    assert plan.remaining == {spec.name: slow_remaining(spec.name, specs) for spec in specs}
    left, placed = list(specs), set[str]()
    for spec in plan.order:
        able = [other for other in left if placed.issuperset(other.deps)]
        assert spec is min(able, key=lambda other: (other.wave, -slow_remaining(other.name, specs), other.order))
        left.remove(spec)
        placed.add(spec.name)
    assert not left


@given(GRAPHS, st.data())
def test_a_cycle_is_found_and_named_step_by_step(specs: list[TaskSpec], data: st.DataObject) -> None:
    flat = [TaskSpec(spec.name, spec.deps, order=spec.order) for spec in specs]
    last = data.draw(st.sampled_from(flat))
    above = {spec.name for spec in flat if last.name in reachable(spec.name, flat)} | {last.name}
    first = data.draw(st.sampled_from(sorted(above)))
    closed = [
        TaskSpec(spec.name, (*spec.deps, first) if spec is last else spec.deps, order=spec.order) for spec in flat
    ]
    with pytest.raises(UserError, match='dependency cycle: ') as caught:
        build(closed)
    path = caught.value.message.removeprefix('dependency cycle: ').split(' -> ')
    deps = {spec.name: spec.deps for spec in closed}
    assert path[0] == path[-1]
    assert len(set(path)) == len(path) - 1
    assert all(onward in deps[name] for name, onward in itertools.pairwise(path))
    assert path[0] == min(path, key=lambda name: next(spec.order for spec in closed if spec.name == name))


def reachable(name: str, specs: list[TaskSpec]) -> set[str]:
    """Return all that a task depends on, at any distance."""
    found = set[str]()
    for spec in specs:
        if spec.name == name:
            for dep in spec.deps:
                found |= {dep} | reachable(dep, specs)
    return found


def test_dependencies_outside_of_the_plan_are_taken_as_given_but_for_their_wave() -> None:
    spec = TaskSpec('a', ('outside',), wave=1)
    assert build([spec]).order == (spec,)
    assert build([spec], {'outside': 1}.get).order == (spec,)
    with pytest.raises(UserError, match=r'"a" \(wave 1\) depends on "outside" in the higher wave 2'):
        build([spec], {'outside': 2}.get)


def test_a_plan_of_nothing_is_empty() -> None:
    assert build([]).order == ()


EDGES = st.dictionaries(st.sampled_from('abcdef'), st.sets(st.sampled_from('abcdef')), max_size=6)


@given(EDGES)
def test_a_ring_is_found_exactly_where_a_path_leads_back(edges: dict[str, set[str]]) -> None:
    ring = find_ring('a', lambda name: sorted(edges.get(name, ())))
    met, further = set[str](), {'a'}
    while further:
        met_next = set[str]().union(*(edges.get(name, set()) for name in further)) - met
        met |= met_next
        further = met_next
    assert (ring is not None) == ('a' in met)
    if ring is not None:
        assert ring[0] == 'a'
        assert len(set(ring)) == len(ring)
        assert all(onward in edges[name] for name, onward in zip(ring, [*ring[1:], 'a'], strict=True))


def test_looking_for_a_ring_goes_through_each_name_once_however_many_paths_lead_there() -> None:
    asked: list[int] = []

    def onward(name: str) -> list[str]:
        asked.append(int(name))
        return [str(2 * (int(name) // 2) + step) for step in (2, 3) if int(name) < 18]

    assert find_ring('0', onward) is None
    assert len(asked) == len(set(asked)) > 18
