"""Each proc's output in one piece: whole transcripts at fixed times."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from parproc.core.events import TaskFinished, TaskStarted
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.view import RunEnded, RunWarned, TaskLogged
from parproc.report.fanout import Reporters
from parproc.report.lines.group import GroupReporter
from parproc.report.streams.sink import Sink
from parproc.report.style import Style
from tests.report.teller import FAILURE, Both, available, ran, wanted


def test_a_run_reads_as_this(told: Callable[..., Both]) -> None:
    both = told(GroupReporter)
    both.tell(*wanted('lint', 'build::prod', 'docs', 'ship'))
    for name in ('lint', 'build::prod', 'docs'):
        both.tell(TaskStarted(name, 1, 0.0))
    both.seen = 0
    for number in range(2):
        both.log('lint', f'lint {number}\n')
        both.log('build::prod', f'\x1b[31mbuild {number}\x1b[2J\n')
        both.reporters.tick(float(number))
    both.log('build::prod', 'main.c:3:5: error: bad')
    dependency = failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: build::prod')
    text = both.tell(
        TaskLogged('lint', 'stands in the log already', 1.0),
        TaskFinished('build::prod', FAILURE, 1, 0.0, 2.0),
        TaskFinished('ship', dependency, 0, None, 2.0),
        TaskFinished('lint', Outcome(ProcState.SUCCEEDED, leaked=('sleep 9 (pid 7)',)), 1, 0.0, 3.0),
        RunWarned('odd'),
        TaskFinished('docs', SUCCESS, 1, 0.0, 3.0),
        RunEnded(1, 3.0),
    )
    assert text == (
        '▶ lint\n'
        '▶ build::prod\n'
        '▶ docs\n'
        '✗ build::prod  FAILED  exit 2  2.0s\n'
        '    build 0\n'
        '    build 1\n'
        '    main.c:3:5: error: bad\n'
        '- ship         not run  dependency failed: build::prod\n'
        '✓ lint         3.0s\n'
        '    left behind and ended: sleep 9 (pid 7)\n'
        '    lint 0\n'
        '    lint 1\n'
        'warning: odd\n'
        '✓ docs         3.0s\n'
        '\n'
        '✗ build::prod  FAILED  exit 2  2.0s\n'
        '    log:   LOGS/build::prod.log\n'
        '    rerun: parproc build::prod\n'
        '\n'
        '2 succeeded, 1 failed, 1 not run because a dependency failed\n'
        '3.0s for 8.0s of work\n'
        'slowest: lint 3.0s, docs 3.0s, build::prod 2.0s\n'
        'logs: LOGS\n'
    )


def test_a_proc_that_never_ran_has_no_output_whatever_lies_there(told: Callable[..., Both]) -> None:
    both = told(GroupReporter)
    both.log('a', 'from elsewhere\n')
    text = both.tell(*wanted('a'), TaskFinished('a', failure(ErrorKind.NOT_RUN, 'not run: SIGINT'), 0, None, 1.0))
    assert text == '- a  not run  SIGINT\n'


def test_a_heartbeat_breaks_thirty_seconds_of_silence(told: Callable[..., Both]) -> None:
    both = told(GroupReporter)
    both.tell(*wanted('a', 'b'), TaskStarted('b', 1, 0.0), *ran('a', end=10.0))
    assert both.reporters.next_tick(11.0) == 40.0
    assert both.tick(39.0) == ''
    assert both.tick(40.0) == '… 1 running: b 40s; 1 of 2 done\n'


def test_status_waits_for_a_slow_reader_and_the_run_does_not(tmp_path: Path) -> None:
    read, write = os.pipe()
    status = io.StringIO()
    reporters = Reporters(
        [GroupReporter(Sink(write), Style(status, colour=False), lambda name: f'{tmp_path}/{name}.log')]
    )
    (tmp_path / 'a.log').write_bytes(b'0123456789\n' * 100_000)
    for message in [*wanted('a', 'b'), *ran('a'), TaskStarted('b', 1, 1.0)]:
        reporters.handle(message)
    assert status.getvalue() == '> a\n'
    copied = b''
    now = 1.0
    while '> b\n' not in status.getvalue():
        copied += available(read)
        now += 1.0
        reporters.tick(now)
    assert reporters.next_tick(now) == now + 30.0
    copied += available(read)
    os.close(write)
    os.close(read)
    assert copied == b'+ a  1.0s\n' + b'    0123456789\n' * 100_000


def test_an_output_that_nobody_reads_ends_the_run_quietly(tmp_path: Path) -> None:
    read, write = os.pipe()
    status = io.StringIO()
    reporters = Reporters(
        [GroupReporter(Sink(write), Style(status, colour=False), lambda name: f'{tmp_path}/{name}.log')]
    )
    for message in [*wanted('a'), TaskStarted('a', 1, 0.0)]:
        reporters.handle(message)
    os.close(read)
    with pytest.raises(BrokenPipeError):
        reporters.handle(TaskFinished('a', SUCCESS, 1, 0.0, 2.0))
    reporters.handle(RunEnded(0, 2.0))
    os.close(write)
    assert '1 succeeded' in status.getvalue()


def test_of_an_endless_log_the_beginning_and_the_end_are_shown(
    told: Callable[..., Both], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('parproc.report.lines.group.LONGEST_OUTPUT_BYTES', 400)
    both = told(GroupReporter)
    both.log('a', ''.join(f'{number:09}\n' for number in range(1000)))
    lines = both.tell(*wanted('a'), *ran('a')).splitlines()
    numbers = [int(line) for line in lines if line.strip().isdigit()]
    assert numbers == [*range(10), *range(970, 1000)]
    assert lines[-31].strip().startswith('... 9600 bytes left out, which stand in ') and lines[-31].endswith('a.log')
