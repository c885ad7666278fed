"""A program's own function is told what happens, and can break nothing."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.events import Announcement, TaskFinished, TaskStarted, TaskWanted
from parproc.core.model import SUCCESS, ProcState
from parproc.core.view import Message, RunBegan, RunEnded, RunWarned
from parproc.report.fanout import Reporters
from parproc.report.run_events.callback import CallbackReporter
from parproc.report.run_events.event_stream import EventStream
from parproc.run_events import FinishedEvent, HeaderEvent, ResultEvent, RunEvent, StartedEvent

BEGAN = RunBegan('id', (), 'LOGS', 4, 0, 100.0)
STORY: list[Announcement | Message] = [
    BEGAN,
    TaskWanted('a', 1.0, (), 100.0),
    TaskStarted('a', 1, 100.5),
    TaskFinished('a', SUCCESS, 1, 100.5, 102.0),
]


class Program:
    """A listener for a function, and what it warned of."""

    def __init__(self, call: Callable[[RunEvent], object]) -> None:
        self.warnings: list[str] = []
        stream = EventStream(lambda name: f'LOGS/{name}.log', version='9.8')
        self.reporters = Reporters([CallbackReporter(call, stream, self.warnings.append)])

    def tell(self, *messages: Announcement | Message) -> None:
        for message in messages:
            self.reporters.handle(message)


def test_events_are_told_in_order_with_the_next_tick() -> None:
    seen: list[RunEvent] = []
    program = Program(seen.append)
    program.tell(*STORY)
    assert seen == []
    assert program.reporters.next_tick(102.0) == 102.0
    program.reporters.tick(102.0)
    assert [event.event for event in seen] == ['header', 'wanted', 'started', 'finished']
    assert isinstance(seen[0], HeaderEvent)
    assert seen[2] == StartedEvent(0.5, 'a', 1)
    assert isinstance(seen[3], FinishedEvent)
    assert (seen[3].state, seen[3].seconds, seen[3].log) == (ProcState.SUCCEEDED, 1.5, 'LOGS/a.log')
    assert program.reporters.next_tick(102.0) is None


def test_the_result_is_told_at_once_for_no_tick_follows_it() -> None:
    seen: list[RunEvent] = []
    program = Program(seen.append)
    program.tell(*STORY, RunEnded(0, 103.0))
    assert isinstance(seen[-1], ResultEvent)
    assert seen[-1].counts[ProcState.SUCCEEDED] == 1
    assert seen[-1].procs['a'].seconds == 1.5


def test_what_happens_while_the_function_is_called_is_told_when_it_has_returned() -> None:
    inner: list[str] = []
    seen: list[str] = []

    def call(event: RunEvent) -> None:
        inner.append(event.event)
        if event.event == 'header':
            program.tell(RunWarned('from inside'))
            program.reporters.tick(101.0)  # as when the function waits for a proc
            assert program.reporters.next_tick(101.0) is None
        seen.append(event.event)

    program = Program(call)
    program.tell(*STORY[:2])
    program.reporters.tick(101.0)
    assert inner == seen == ['header', 'wanted', 'warned']


def test_a_function_that_raises_is_called_no_more_and_that_is_said_once() -> None:
    calls = []

    def call(event: RunEvent) -> None:
        calls.append(event.event)
        raise SystemExit('no \x1b[2J more')

    program = Program(call)
    program.tell(*STORY)
    program.reporters.tick(102.0)
    program.tell(TaskWanted('b', 1.0, (), 103.0), RunEnded(0, 104.0))
    program.reporters.tick(104.0)
    assert calls == ['header']
    assert program.warnings == ['on_event raised and is called no more: SystemExit: no \\x1b[2J more']


def test_an_exception_that_cannot_be_printed_is_named() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise ValueError

    def call(event: RunEvent) -> None:
        raise Odd

    program = Program(call)
    program.tell(BEGAN)
    program.reporters.tick(101.0)
    assert program.warnings == ['on_event raised and is called no more: Odd']
