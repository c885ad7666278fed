"""Queues, waves and locks, against lists that are looked through from end to end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parproc.core.model import TaskSpec
from parproc.core.queues import LockTable, Queue, ReadyQueue, Waves
from parproc.core.task import Phase, Task


def ready(name: str, *, wave: int = 0, priority: float = 1.0, order: int = 0, urgency: int = 0) -> Task:
    task = Task(TaskSpec(name, wave=wave, expected=priority, order=order))
    task.phase = Phase.READY
    task.urgency = urgency
    return task


def name_of(task: Task | None) -> str | None:
    return None if task is None else task.spec.name


def test_the_most_urgent_goes_first_then_the_lower_wave_the_longer_path_and_the_earlier_declaration() -> None:
    queue = Queue(Phase.READY)
    tasks = [
        ready('later', order=2),
        ready('sooner', order=1),
        ready('longer', priority=9.0, order=3),
        ready('lower', wave=-1, order=4),
        ready('urgent', wave=5, urgency=1, order=5),
    ]
    for ticket, task in enumerate(tasks, 1):
        queue.push(task, ticket)
    assert [name_of(queue.pop()) for _ in range(6)] == ['urgent', 'lower', 'longer', 'sooner', 'later', None]


def test_only_the_latest_place_of_a_task_counts() -> None:
    queue = Queue(Phase.READY)
    first, second = ready('first'), ready('second', order=1)
    queue.push(first, 1)
    queue.push(second, 2)
    second.priority = 5.0
    queue.push(second, 3)
    assert [name_of(queue.pop()) for _ in range(3)] == ['second', 'first', None]


def test_what_has_left_the_phase_of_a_queue_has_left_the_queue() -> None:
    queue = Queue(Phase.READY)
    task = ready('gone')
    queue.push(task, 1)
    task.phase = Phase.ENDED
    assert queue.best() is None


@given(st.lists(st.tuples(st.booleans(), st.integers(-2, 2)), max_size=30))
def test_the_lowest_wave_is_the_least_of_all_that_are_open(steps: list[tuple[bool, int]]) -> None:
    waves = Waves()
    is_open: list[int] = []
    for enters, wave in steps:
        if enters:
            waves.enter(wave)
            is_open.append(wave)
        elif wave in is_open:
            waves.leave(wave)
            is_open.remove(wave)
        assert waves.lowest() == min(is_open, default=None)


def test_a_wave_with_nothing_ready_holds_back_higher_ones_but_not_what_is_urgent() -> None:
    queue = ReadyQueue()
    queue.waves.enter(0)
    for ticket, task in enumerate((ready('high', wave=1), ready('urgent', wave=7, urgency=1)), 1):
        queue.waves.enter(task.spec.wave)
        queue.push(task, ticket)
    assert [name_of(queue.pop()) for _ in range(2)] == ['urgent', None]
    queue.waves.leave(0)
    assert name_of(queue.pop()) == 'high'


def test_what_is_urgent_and_what_is_not_take_turns_by_their_place() -> None:
    queue = ReadyQueue()
    for ticket, task in enumerate(
        (ready('short'), ready('long', priority=5.0), ready('urgent', priority=3.0, urgency=1))
    ):
        queue.waves.enter(task.spec.wave)
        queue.push(task, ticket)
    assert [name_of(queue.pop()) for _ in range(4)] == ['long', 'urgent', 'short', None]


def test_what_is_less_urgent_than_asked_for_stays() -> None:
    queue = ReadyQueue()
    for ticket, task in enumerate((ready('calm'), ready('some', urgency=3), ready('more', urgency=7))):
        queue.waves.enter(0)
        queue.push(task, ticket)
    assert [name_of(queue.pop(5)) for _ in range(2)] == ['more', None]
    assert {name_of(queue.pop()), name_of(queue.pop())} == {'calm', 'some'}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 2), st.integers(1, 3)), max_size=12), st.data())
def test_it_agrees_with_looking_through_all_of_the_ready(made: list[tuple[int, int, int]], data: st.DataObject) -> None:
    queue = ReadyQueue()
    waiting: list[Task] = []
    for order, (urgency, wave, priority) in enumerate(made):
        task = ready(f't{order}', wave=wave, priority=priority, order=order, urgency=urgency)
        queue.waves.enter(wave)
        queue.push(task, order)
        waiting.append(task)
    for ticket, task in enumerate(waiting, len(waiting)):
        if data.draw(st.booleans()):
            task.urgency = data.draw(st.integers(task.urgency, 3))
            queue.push(task, ticket)
    while waiting:
        lowest = min(task.spec.wave for task in waiting)
        startable = [task for task in waiting if task.urgency or task.spec.wave == lowest]
        calm = [task for task in startable if not task.urgency]
        urgent = [task for task in startable if task.urgency]
        heads = [min(calm, key=place)] if calm else []
        heads += [min(urgent, key=lambda task: (-task.urgency, *place(task)))] if urgent else []
        best = queue.pop()
        assert best is min(heads, key=place)
        waiting.remove(best)
        best.phase = Phase.ACTIVE
        queue.waves.leave(best.spec.wave)
    assert queue.pop() is None


def place(task: Task) -> tuple[int, float, int]:
    return task.spec.wave, -task.priority, task.spec.order


def locked(name: str, *locks: str, order: int = 0) -> Task:
    task = Task(TaskSpec(name, locks=locks, order=order))
    task.phase = Phase.LOCKED
    return task


def test_a_lock_is_busy_while_somebody_holds_it_and_then_its_best_waiter_is_next() -> None:
    table = LockTable()
    holder, late, early = locked('holder', 'disk'), locked('late', 'disk', order=2), locked('early', 'disk', order=1)
    assert table.busy(holder) is None
    table.take(holder)
    assert (table.busy(late), table.holder('disk'), table.held()) == ('disk', holder, {'disk': holder})
    table.park(late, 'disk', 1)
    table.park(early, 'disk', 2)
    assert list(table.next_waiters(holder)) == []
    table.drop(holder)
    assert [task.spec.name for task in table.next_waiters(holder)] == ['early']
    assert [task.spec.name for task in table.next_waiters(holder)] == ['late']
    assert list(table.next_waiters(holder)) == []


def test_a_freed_pair_of_locks_wakes_one_waiter_of_each() -> None:
    table = LockTable()
    pair, one, other = locked('pair', 'x', 'y'), locked('one', 'x'), locked('other', 'y')
    table.take(pair)
    table.park(one, 'x', 1)
    table.park(other, 'y', 2)
    table.drop(pair)
    assert [task.spec.name for task in table.next_waiters(pair)] == ['one', 'other']
