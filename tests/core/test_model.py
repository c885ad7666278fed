"""States of procs: the two questions that the whole project asks of them."""

from __future__ import annotations

from parproc.core.model import ProcState


def test_a_proc_is_over_once_it_has_ended_in_any_way() -> None:
    assert {state for state in ProcState if not state.is_over} == {
        ProcState.IDLE,
        ProcState.WANTED,
        ProcState.RUNNING,
    }


def test_whatever_is_over_is_good_but_a_failure() -> None:
    assert {state for state in ProcState if state.is_over and not state.is_good} == {ProcState.FAILED}
    assert not any(state.is_good for state in ProcState if not state.is_over)
