"""A run as a trace: which row and which microseconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from parproc.core.events import (
    RunStopping,
    TaskFinished,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, Usage, failure
from parproc.core.view import RunBegan, RunEnded
from parproc.errors import UserError
from parproc.report.fanout import Reporters
from parproc.report.files.trace import TraceReporter
from tests.report.teller import FAILURE, ran, wanted


def traced(folder: Path, *messages: Any) -> dict[str, Any]:
    path = folder / 'trace.json'
    reporters = Reporters([TraceReporter(str(path))])
    for message in messages:
        reporters.handle(message)
    document = json.loads(path.read_bytes())
    assert path.read_bytes().isascii()
    assert isinstance(document, dict)
    return document


def slices(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (event['tid'], event['ts'], event['dur'], event['name'])
        for event in document['traceEvents']
        if event['ph'] == 'X'
    ]


def arguments(document: dict[str, Any], name: str) -> Any:
    (found,) = [event['args'] for event in document['traceEvents'] if event['name'] == name]
    return found


def test_a_run_reads_as_this(tmp_path: Path) -> None:
    document = traced(
        tmp_path,
        RunBegan('id', ('all',), 'LOGS', 2, 3, 100.0),
        TaskWanted('lint', 1.0, (), 100.0),
        TaskWanted('build', 1.0, ('lint', 'gone'), 100.0),
        TaskWanted('docs', 1.0, (), 100.0),
        TaskStarted('lint', 1, 100.0),
        TaskStarted('docs', 1, 100.25),
        TaskFinished('lint', Outcome(ProcState.SUCCEEDED, usage=Usage(0.5, 4096)), 1, 100.0, 101.0),
        TaskStarted('build', 1, 101.5),
        RunStopping('SIGINT', 1, 101.75),
        TaskFinished('build', Outcome(ProcState.FAILED, ErrorKind.EXIT, 'exit 2', leaked=('x',)), 1, 101.5, 102.0),
        TaskFinished('docs', SUCCESS, 1, 100.25, 103.0),
        RunEnded(1, 103.0),
    )
    assert document['otherData'] == {'exit code': 1, 'run': 'id'}
    assert slices(document) == [
        (1, 0, 1_000_000, 'lint'),
        (1, 1_500_000, 500_000, 'build'),
        (2, 250_000, 2_750_000, 'docs'),
    ]
    assert arguments(document, 'lint') == {
        'attempt': 1,
        'seconds until its dependencies were over': 0.0,
        'seconds until it had a slot': 0.0,
        'state': 'succeeded',
        'cpu': 0.5,
        'memory': 4096,
    }
    assert arguments(document, 'build') == {
        'attempt': 1,
        'started after': 'lint',
        'seconds until its dependencies were over': 1.0,
        'seconds until it had a slot': 0.5,
        'state': 'failed',
        'error': 'exit',
        'reason': 'exit 2',
        'left behind': ['x'],
    }
    assert [event for event in document['traceEvents'] if event['ph'] != 'X'] == [
        {'ph': 'i', 'name': 'SIGINT', 'pid': 1, 'ts': 1_750_000, 's': 'g'},
        {'ph': 'M', 'name': 'process_name', 'pid': 1, 'args': {'name': 'parproc all'}},
        {'ph': 'M', 'name': 'thread_name', 'pid': 1, 'tid': 1, 'args': {'name': 'slot 1'}},
        {'ph': 'M', 'name': 'thread_sort_index', 'pid': 1, 'tid': 1, 'args': {'sort_index': 1}},
        {'ph': 'M', 'name': 'thread_name', 'pid': 1, 'tid': 2, 'args': {'name': 'slot 2'}},
        {'ph': 'M', 'name': 'thread_sort_index', 'pid': 1, 'tid': 2, 'args': {'sort_index': 2}},
    ]


def test_a_waiting_proc_keeps_its_row_and_says_what_for(tmp_path: Path) -> None:
    document = traced(
        tmp_path,
        *wanted('a'),
        TaskStarted('a', 1, 0.0),
        TaskWaiting('a', tuple('bcdef'), 1.0),
        *ran('b', start=1.0, end=2.0),
        *ran('c', start=2.0, end=3.0),
        TaskResumed('a', 3.0),
        TaskFinished('a', SUCCESS, 1, 0.0, 4.0),
        *ran('d', start=4.0, end=5.0),
        RunEnded(0, 5.0),
    )
    assert slices(document) == [
        (2, 1_000_000, 1_000_000, 'b'),
        (2, 2_000_000, 1_000_000, 'c'),
        (1, 1_000_000, 2_000_000, 'waits for b, c, d, 2 more'),
        (1, 0, 4_000_000, 'a'),
        (1, 4_000_000, 1_000_000, 'd'),
    ]
    assert arguments(document, 'waits for b, c, d, 2 more') == {'proc': 'a', 'waits for': list('bcdef')}


def test_attempts_are_slices_of_their_own(tmp_path: Path) -> None:
    document = traced(
        tmp_path,
        *wanted('a'),
        TaskStarted('a', 1, 0.0),
        TaskRetrying('a', 1, FAILURE, 3.0, 1.0),
        TaskStarted('a', 2, 3.0),
        TaskFinished('a', SUCCESS, 2, 3.0, 5.0),
        RunEnded(0, 5.0),
    )
    assert slices(document) == [
        (1, 0, 1_000_000, 'a'),
        (1, 1_000_000, 2_000_000, 'waits for attempt 2'),
        (1, 3_000_000, 2_000_000, 'a (attempt 2)'),
    ]
    assert arguments(document, 'a')['reason'] == 'exit 2'
    assert arguments(document, 'a (attempt 2)') == {'attempt': 2, 'state': 'succeeded'}


def test_an_attempt_is_drawn_once_when_the_next_never_comes(tmp_path: Path) -> None:
    document = traced(
        tmp_path,
        *wanted('a'),
        TaskStarted('a', 1, 0.0),
        TaskRetrying('a', 1, FAILURE, 9.0, 1.0),
        TaskFinished('a', FAILURE, 1, 0.0, 2.0),
        RunEnded(1, 2.0),
    )
    assert slices(document) == [(1, 0, 1_000_000, 'a'), (1, 1_000_000, 1_000_000, 'waits for attempt 2')]


def test_an_interrupted_wait_and_what_never_ended_are_there(tmp_path: Path) -> None:
    document = traced(
        tmp_path,
        *wanted('a', 'b'),
        TaskStarted('a', 1, 0.0),
        TaskStarted('b', 1, 0.0),
        TaskWaiting('a', ('x\x1b[2J',), 1.0),
        TaskFinished('a', failure(ErrorKind.INTERRUPTED, 'interrupted'), 1, 0.0, 2.0),
        TaskFinished('never', failure(ErrorKind.NOT_RUN, 'not run'), 0, None, 2.0),
        RunEnded(1, 3.0),
    )
    assert slices(document) == [
        (1, 1_000_000, 1_000_000, 'waits for x\\x1b[2J'),
        (1, 0, 2_000_000, 'a'),
        (2, 0, 3_000_000, 'b'),
    ]


def test_what_cannot_be_written_is_found_out_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'^the trace cannot be written to "'):
        TraceReporter(str(tmp_path))
