"""Time left, told from messages; and the last lines of logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from parproc.core.events import (
    Announcement,
    TaskFinished,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import SUCCESS, ErrorKind, failure
from parproc.core.view import Message, RunBegan, RunView
from parproc.report.board import last_lines, time_left
from parproc.report.board.last_lines import LastLines
from parproc.report.board.time_left import TimeLeft
from parproc.report.logs.read_log import open_log

USUAL = {'a': 10.0, 'b': 4.0, 'c': 2.0}


class Run:
    def __init__(self, parallel: int = 1, cost: float = 0.0) -> None:
        self.clock = 0.0
        self.cost = cost
        self.view = RunView()
        self.time_left = TimeLeft(USUAL.get, self.measure)
        self.tell(RunBegan('id', (), 'LOGS', parallel, 3, 0.0))

    def measure(self) -> float:
        self.clock += self.cost
        return self.clock

    def tell(self, *messages: Announcement | Message) -> None:
        for message in messages:
            self.view.take(message)
            if isinstance(message, TaskWanted):
                self.time_left.add(message)
            elif isinstance(message, TaskFinished):
                self.time_left.remove(message.name)

    def left(self, now: float) -> float | None:
        return self.time_left.left(now, self.view)


def wanted(*names: str, deps: Sequence[str] = ()) -> list[TaskWanted]:
    return [TaskWanted(name, 1.0, tuple(deps), 0.0) for name in names]


def test_what_is_over_no_longer_counts() -> None:
    run = Run()
    run.tell(*wanted('a', 'b', 'c'), TaskStarted('a', 1, 0.0))
    assert run.left(1.0) == 15.0
    run.tell(TaskFinished('a', SUCCESS, 1, 0.0, 2.0), TaskStarted('b', 1, 2.0))
    assert run.left(3.0) == 5.0


def test_a_task_that_waits_does_the_rest_of_its_work_afterwards() -> None:
    run = Run(parallel=2)
    run.tell(*wanted('a', 'b'), TaskStarted('a', 1, 0.0), TaskWaiting('a', ('b',), 6.0), TaskStarted('b', 1, 6.0))
    assert run.left(6.0) == 4.0 + 4.0
    run.tell(TaskFinished('b', SUCCESS, 1, 6.0, 10.0), TaskResumed('a', 10.0))
    assert run.left(10.0) == pytest.approx(0.0)


def test_a_task_that_is_to_be_tried_again_begins_anew_and_holds_no_slot() -> None:
    run = Run()
    run.tell(*wanted('a', 'b'), TaskStarted('a', 1, 0.0), TaskRetrying('a', 1, failure(ErrorKind.EXIT, 'x'), 9.0, 8.0))
    run.tell(TaskStarted('b', 1, 8.0))
    assert run.left(8.0) == 14.0


def test_between_estimates_it_counts_down() -> None:
    run = Run()
    run.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    assert run.left(2.0) == 8.0
    run.tell(*wanted('b'))
    assert run.left(2.5) == 7.5
    assert run.left(3.0) == 11.0


def test_what_costs_much_is_done_rarely() -> None:
    run = Run(cost=0.1)
    run.tell(*wanted('a', 'b'), TaskStarted('a', 1, 0.0))
    assert run.left(0.0) == 14.0
    run.tell(*wanted('c'))
    assert run.left(9.0) == 5.0
    assert run.left(10.1) == pytest.approx(6.0)


def test_a_graph_too_large_is_not_played_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_left, 'MOST_PLAYED', 2)
    run = Run()
    run.tell(*wanted('a', 'b', 'c'))
    assert run.left(0.0) is None


def test_a_log_is_read_only_when_it_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def open_and_note(path: str) -> int | None:
        opened.append(path)
        return open_log(path)

    monkeypatch.setattr(last_lines, 'open_log', open_and_note)
    log = tmp_path / 'a'
    looker = LastLines(lambda name: f'{tmp_path}/{name}')
    assert looker.look(['a']) == {'a': ''}
    log.write_text('one\ntwo\n')
    assert looker.look(['a']) == looker.look(['a']) == {'a': 'two'}
    assert len(opened) == 1
    log.write_text('one\ntwo\n' + '\n' * 5000)
    assert looker.look(['a']) == {'a': 'two'}
    log.write_bytes(b'\xff' * 10_000)
    assert looker.look(['a'])['a'].startswith('\\xff')
