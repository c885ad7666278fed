"""Time left, against a simulation that looks at every task at every second."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.estimate import time_left


def test_tasks_share_the_slots() -> None:
    assert time_left({'a': 4.0, 'b': 4.0, 'c': 4.0}, {}, {}, 2) == 8.0


def test_what_runs_has_done_a_part_already() -> None:
    assert time_left({'a': 10.0, 'b': 3.0}, {'b': ['a', 'over']}, {'a': 4.0}, 1) == 9.0


def test_an_overdue_task_is_about_to_end() -> None:
    assert time_left({'a': 10.0, 'b': 3.0}, {'b': ['a']}, {'a': 40.0}, 1) == 3.0


def test_the_longest_path_goes_first() -> None:
    expected = {'short': 1.0, 'other': 1.0, 'head': 1.0, 'tail': 5.0}
    assert time_left(expected, {'tail': ['head']}, {}, 1) == 8.0
    assert time_left(expected, {'tail': ['head']}, {}, 2) == 6.0


def test_more_may_run_than_there_are_slots() -> None:
    assert time_left({'a': 5.0, 'b': 6.0, 'c': 1.0}, {}, {'a': 0.0, 'b': 0.0}, 1) == 7.0


@pytest.mark.parametrize(('known', 'left'), [(0, None), (1, None), (2, 4.0), (4, 4.0)])
def test_half_of_the_durations_must_be_known(known: int, left: float | None) -> None:
    expected = {str(number): 1.0 if number < known else None for number in range(4)}
    assert time_left(expected, {}, {}, 1) == left


def test_nothing_left_says_nothing() -> None:
    assert time_left({}, {}, {}, 4) is None


def test_what_can_never_start_is_left_out() -> None:
    assert time_left({'a': 1.0, 'b': 9.0, 'c': 9.0}, {'b': ['c'], 'c': ['b']}, {}, 4) == 1.0


def path(name: str, length: dict[str, int], deps: dict[str, list[str]]) -> int:
    return length[name] + max((path(other, length, deps) for other in deps if name in deps[other]), default=0)


def oracle(length: dict[str, int], deps: dict[str, list[str]], running: list[str], parallel: int) -> int:
    """Second by second, over everything: start what is ready and urgent, let go of what is done."""
    paths = {name: path(name, length, deps) for name in length}
    left = dict(length)
    active = list(running)
    over: set[str] = set()
    now = 0
    while len(over) < len(length):
        over |= {name for name in active if not left[name]}
        active = [name for name in active if left[name]]
        ready = [name for name in length if name not in over and name not in active and over.issuperset(deps[name])]
        ready.sort(key=lambda name: -paths[name])
        started = ready[: max(0, parallel - len(active))]
        active += started
        if not any(not left[name] for name in active) and len(over) < len(length):
            for name in active:
                left[name] -= 1
            now += 1
    return now


GRAPHS = st.lists(st.tuples(st.integers(1, 9), st.sets(st.integers(0, 12), max_size=3)), min_size=1, max_size=12)


@given(GRAPHS, st.integers(1, 4), st.integers(0, 6))
def test_it_agrees_with_the_slow_simulation(graph: list[tuple[int, set[int]]], parallel: int, started: int) -> None:
    length = {str(number): seconds for number, (seconds, _) in enumerate(graph)}
    deps = {str(number): [str(dep) for dep in wanted if dep < number] for number, (_, wanted) in enumerate(graph)}
    running = [name for name in length if not deps[name]][:started]
    elapsed = dict.fromkeys(running, 0.0)
    found = time_left({name: float(seconds) for name, seconds in length.items()}, deps, elapsed, parallel)
    assert found == oracle(length, deps, running, parallel)


def test_its_cost_hardly_grows_faster_than_the_graph() -> None:
    def cost(count: int) -> float:
        expected: dict[str, float | None] = {str(number): 1.0 + number % 7 for number in range(count)}
        deps = {str(number): [str(number - step) for step in (1, 30) if number >= step] for number in range(count)}
        spent = []
        for _ in range(3):
            began = time.perf_counter()
            assert time_left(expected, deps, {}, 8) is not None
            spent.append(time.perf_counter() - began)
        return min(spent)

    assert cost(20_000) < 40 * cost(2_000)
