"""Priorities: the longest expected path behind each task, also when tasks are added one after another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parproc.core.model import TaskSpec
from parproc.core.priority import raise_for
from parproc.core.task import Phase, Task


def longest_behind(task: Task, tasks: dict[str, Task]) -> float:
    behind = (longest_behind(other, tasks) for other in tasks.values() if task.spec.name in other.deps)
    return task.spec.expected + max(behind, default=0.0)


ROWS = st.lists(st.tuples(st.sets(st.integers(0, 9)), st.integers(1, 5), st.booleans()), max_size=10)


@given(ROWS)
def test_it_agrees_with_following_every_path_and_names_the_earlier_tasks_that_changed(
    rows: list[tuple[set[int], int, bool]],
) -> None:
    tasks: dict[str, Task] = {}
    batch: list[Task] = []
    for number, (deps, seconds, closes) in enumerate(rows):
        names = tuple(f't{dep}' for dep in sorted(deps) if dep < number)
        batch.append(Task(TaskSpec(f't{number}', names, expected=seconds)))
        if closes or number == len(rows) - 1:
            before = {name: task.priority for name, task in tasks.items()}
            tasks.update((task.spec.name, task) for task in batch)
            changed = {task.spec.name for task in raise_for(batch, tasks)}
            assert changed == {name for name, priority in before.items() if tasks[name].priority != priority}
            assert all(task.priority == longest_behind(task, tasks) for task in tasks.values())
            batch = []


def test_what_is_over_or_unknown_is_left_alone() -> None:
    over = Task(TaskSpec('over'))
    over.phase = Phase.ENDED
    user = Task(TaskSpec('user', ('over', 'unknown')))
    assert raise_for([user], {'over': over, 'user': user}) == []
    assert over.priority == 1.0


def test_a_long_chain_that_is_added_one_by_one_costs_a_bounded_walk_each_time() -> None:
    tasks: dict[str, Task] = {}
    for number in range(300):
        task = Task(TaskSpec(f't{number}', (f't{number - 1}',) if number else ()))
        tasks[task.spec.name] = task
        assert len(raise_for([task], tasks)) <= 70
