"""The word to programs that let more run at once than there is memory for."""

from __future__ import annotations

import pytest

from parproc.core.events import TaskFinished, TaskWanted
from parproc.core.model import Outcome, ProcState, Usage
from parproc.core.view import RunView
from parproc.report.program.memory_warning import MemoryWarningReporter, machine_memory, resident_memory

GIGABYTE = 1 << 30


def told(*, parallel: int = 100, cpus: int = 2, wanted: int = 50, memory: int) -> list[str]:
    """What is said when the first of ``wanted`` procs has taken ``memory`` bytes, on a machine with 16 GB."""
    said: list[str] = []
    reporter = MemoryWarningReporter(parallel=parallel, cpus=cpus, memory=16 * GIGABYTE, warn=said.append)
    view = RunView()
    for number in range(wanted):
        wish = TaskWanted(f'fit::{number}', 1.0, (), 0.0)
        view.take(wish)
        reporter.handle(wish, view)
    for number in range(2):
        outcome = Outcome(ProcState.SUCCEEDED, usage=Usage(1.0, memory))
        finished = TaskFinished(f'fit::{number}', outcome, 1, 0.0, 1.0)
        view.take(finished)
        reporter.handle(finished, view)
    return said


def test_more_than_there_is_memory_for_is_said_once() -> None:
    (line,) = told(memory=2 * GIGABYTE)
    assert 'set_options(parallel=2)' in line and '"fit::0"' in line


def test_what_fits_is_not_worth_a_word() -> None:
    assert told(memory=resident_memory() + GIGABYTE // 8) == []
    assert told(memory=2 * GIGABYTE, wanted=3) == []
    assert told(memory=2 * GIGABYTE, parallel=2) == []


def test_what_a_proc_shares_with_the_program_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('parproc.report.program.memory_warning.resident_memory', lambda: 2 * GIGABYTE)
    assert told(memory=2 * GIGABYTE + 1) == []


def test_the_machine_says_what_it_has() -> None:
    assert machine_memory() > resident_memory() > 0
