"""The record of one task: whether it is over, and whether what depends on it may start."""

from __future__ import annotations

import pytest

from parproc.core.events import Changed, Event, Finished, Wanted
from parproc.core.machine import Machine
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, TaskSpec, failure


def task_after(*events: Event) -> tuple[bool, bool]:
    machine = Machine()
    machine.handle(Wanted((TaskSpec('a', retries=0),)))
    for event in events:
        machine.handle(event)
    task = machine.tasks['a']
    return task.is_over, task.satisfies


@pytest.mark.parametrize('state', [ProcState.SUCCEEDED, ProcState.SKIPPED, ProcState.UP_TO_DATE])
def test_what_ended_well_satisfies(state: ProcState) -> None:
    assert task_after(Finished('a', Outcome(state))) == (True, True)


def test_what_runs_is_not_over_and_satisfies_nothing() -> None:
    assert task_after() == (False, False)


def test_what_failed_is_over_and_satisfies_nothing() -> None:
    assert task_after(Finished('a', failure(ErrorKind.EXIT, 'exit 2'))) == (True, False)


def test_what_is_to_run_again_is_not_over_any_more() -> None:
    assert task_after(Finished('a', SUCCESS, 1.0), Changed((('a', 2.0),), 2.0)) == (False, False)
