"""Deadlines, against a list that is looked through from end to end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parproc.core.timers import Timer, TimerKind, Timers

NAMES = ('a', 'b', 'c')


def always(_timer: Timer) -> bool:
    return True


def taken(timers: Timers, now: float) -> list[str]:
    return [timer.name for timer in timers.due(now)]


def test_what_is_due_comes_in_order_of_time_and_then_of_arming() -> None:
    timers = Timers(always)
    for name, when in (('late', 3.0), ('first', 1.0), ('second', 1.0), ('later', 9.0)):
        timers.arm(when, name, 1, TimerKind.TIMEOUT)
    assert timers.next() == 1.0
    assert taken(timers, 3.0) == ['first', 'second', 'late']
    assert taken(timers, 3.0) == []
    assert timers.next() == 9.0


def test_what_counts_no_longer_is_neither_due_nor_next() -> None:
    void = {'a'}
    timers = Timers(lambda timer: timer.name not in void)
    timers.arm(1.0, 'a', 1, TimerKind.TIMEOUT)
    timers.arm(2.0, 'b', 1, TimerKind.KILL)
    assert timers.next() == 2.0
    assert taken(timers, 5.0) == ['b']
    assert timers.next() is None


def test_a_pause_moves_what_was_armed_before_it_and_nothing_that_is_armed_after_it() -> None:
    timers = Timers(always)
    timers.arm(10.0, 'before', 1, TimerKind.TIMEOUT)
    timers.shift(100.0)
    timers.arm(105.0, 'after', 1, TimerKind.TIMEOUT)
    assert taken(timers, 109.0) == ['after']
    assert timers.next() == 110.0
    assert taken(timers, 110.0) == ['before']


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just('arm'), st.integers(0, 20), st.sampled_from(NAMES)),
        st.tuples(st.just('pass'), st.integers(0, 8), st.just('')),
        st.tuples(st.just('sleep'), st.integers(0, 8), st.just('')),
        st.tuples(st.just('void'), st.just(0), st.sampled_from(NAMES)),
    ),
    max_size=20,
)


@given(STEPS)
def test_it_agrees_with_looking_through_all_of_them(steps: list[tuple[str, int, str]]) -> None:
    starts = dict.fromkeys(NAMES, 0)
    timers = Timers(lambda timer: timer.starts == starts[timer.name])
    now = 0
    armed: list[tuple[int, int, str, int]] = []
    for number, (kind, amount, name) in enumerate(steps):
        if kind == 'arm':
            timers.arm(now + amount, name, starts[name], TimerKind.RETRY)
            armed.append((now + amount, number, name, starts[name]))
        elif kind == 'void':
            starts[name] += 1
        elif kind == 'sleep':
            now += amount
            timers.shift(amount)
            armed = [(when + amount, order, armed_name, at) for when, order, armed_name, at in armed]
        else:
            now += amount
            due = sorted(one for one in armed if one[0] <= now)
            armed = [one for one in armed if one[0] > now]
            assert taken(timers, now) == [name for _, _, name, at in due if starts[name] == at]
        left = [when for when, _, name, at in armed if starts[name] == at]
        assert timers.next() == min(left, default=None)
