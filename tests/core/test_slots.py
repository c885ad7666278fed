"""Slots: fewer while starts fail, and back to all of them as tasks end."""

from __future__ import annotations

from parproc.core.slots import Slots


def limits_after(slots: Slots, ends: int) -> list[int]:
    found = []
    for _ in range(ends):
        slots.recover()
        found.append(slots.limit)
    return found


def test_a_failed_start_allows_what_runs_and_each_round_of_ends_one_more() -> None:
    slots = Slots(4)
    slots.shrink(2)
    assert slots.limit == 2
    assert limits_after(slots, 7) == [2, 3, 3, 3, 4, 4, 4]


def test_it_never_exceeds_what_was_asked_for() -> None:
    slots = Slots(2)
    slots.shrink(5)
    assert (slots.limit, slots.parallel) == (2, 2)


def test_a_new_number_holds_at_once_and_what_runs_already_is_remembered() -> None:
    slots = Slots(8)
    slots.shrink(1)
    slots.resize(3, active=6)
    assert (slots.limit, slots.parallel, slots.most_active) == (3, 3, 6)
