"""Plain and quiet lines: whole transcripts at fixed times."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskRetrying, TaskStarted, TaskWanted
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.view import Message, RunBegan, RunEnded, RunWarned, TaskLogged, TaskProgressed
from parproc.report.fanout import Reporters
from parproc.report.lines.plain import PlainReporter
from parproc.report.style import Style

FAILURE = failure(ErrorKind.EXIT, 'exit 2')


class Screen:
    """A plain reporter that writes to memory."""

    def __init__(self, logs: Path, *, encoding: str = 'utf-8', colour: bool = False, **options: Any) -> None:
        self.logs = logs
        self.raw = io.BytesIO()
        self.stream = io.TextIOWrapper(self.raw, encoding=encoding, newline='\n')
        reporter = PlainReporter(Style(self.stream, colour=colour), lambda name: f'{logs}/{name}.log', **options)
        self.reporters = Reporters([reporter])

    def tell(self, *messages: Announcement | Message) -> str:
        for message in messages:
            self.reporters.handle(message)
        return self.text()

    def text(self) -> str:
        text = self.raw.getvalue().decode(self.stream.encoding).replace(str(self.logs), 'LOGS')
        self.raw.seek(0)
        self.raw.truncate()
        return text

    def log(self, name: str, text: str) -> None:
        (self.logs / f'{name}.log').write_text(text)


def wanted(*names: str) -> list[Announcement | Message]:
    began = RunBegan('id', names, 'LOGS', 4, len(names), 0.0)
    return [began, *(TaskWanted(name, 1.0, (), 0.0) for name in names)]


STORY: list[Announcement | Message] = [
    RunBegan('id', ('build::prod', 'ship it'), 'LOGS', 4, 6, 0.0),
    TaskWanted('lint', 1.0, (), 0.0),
    TaskWanted('build::dev', 1.0, ('lint',), 0.0),
    TaskWanted('build::prod', 1.0, ('lint',), 0.0),
    TaskWanted('docs', 1.0, (), 0.0),
    TaskWanted('ship it', 1.0, ('build::prod',), 0.0),
    TaskStarted('lint', 1, 0.0),
    TaskStarted('docs', 1, 0.0),
    TaskFinished('lint', SUCCESS, 1, 0.0, 1.2),
    TaskStarted('build::dev', 1, 1.2),
    TaskStarted('build::prod', 1, 1.2),
    TaskLogged('build::dev', 'half \x1b[31mway\x1b[2J', 2.0),
    TaskFinished('docs', Outcome(ProcState.SKIPPED, reason='nothing new'), 1, 0.0, 2.0),
    TaskFinished('build::prod', FAILURE, 1, 1.2, 14.6),
    TaskFinished('ship it', failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: build::prod'), 0, None, 14.6),
    TaskFinished('build::dev', Outcome(ProcState.SUCCEEDED, leaked=('sleep 99 (pid 7)',)), 1, 1.2, 65.2),
    RunEnded(1, 65.3),
]


def test_a_run_reads_as_this(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.log('build::prod', 'working\nmain.c:3:5: error: bad\n    3 | x\n')
    assert screen.tell(*STORY) == (
        '▶ lint\n'
        '▶ docs\n'
        '✓ lint         1.2s\n'
        '▶ build::dev\n'
        '▶ build::prod\n'
        '  build::dev: half way\n'
        '○ docs         skipped  nothing new  2.0s\n'
        '✗ build::prod  FAILED  exit 2  13s\n'
        '    │ main.c:3:5: error: bad\n'
        '    │     3 | x\n'
        '- ship it      not run  dependency failed: build::prod\n'
        '✓ build::dev   1m04s\n'
        '    left behind and ended: sleep 99 (pid 7)\n'
        '\n'
        '✗ build::prod  FAILED  exit 2  13s\n'
        '    log:   LOGS/build::prod.log\n'
        '    rerun: parproc build::prod\n'
        '\n'
        '2 succeeded, 1 skipped, 1 failed, 1 not run because a dependency failed\n'
        '1m05s for 1m21s of work\n'
        'longest path: lint → build::dev  1m05s\n'
        'slowest: build::dev 1m04s, build::prod 13s, docs 2.0s\n'
        'logs: LOGS\n'
    )


def test_quiet_says_only_what_failed(tmp_path: Path) -> None:
    screen = Screen(tmp_path, quiet=True)
    screen.log('build::prod', 'working\n')
    assert screen.tell(*STORY) == (
        '✗ build::prod  FAILED  exit 2  13s\n'
        '    │ working\n'
        '    log: LOGS/build::prod.log\n'
        '✓ build::dev  1m04s\n'
        '    left behind and ended: sleep 99 (pid 7)\n'
    )
    assert screen.reporters.next_tick(0.0) is None


def test_a_stream_without_unicode_gets_simpler_signs(tmp_path: Path) -> None:
    screen = Screen(tmp_path, encoding='ascii')
    screen.log('é', 'caf\u00e9\n')
    text = screen.tell(*wanted('é'), TaskStarted('é', 1, 0.0), TaskFinished('é', FAILURE, 1, 0.0, 1.0))
    assert text == '> \\xe9\nx \\xe9  FAILED  exit 2  1.0s\n    | caf\\xe9\n'


def test_colour_is_added_to_words_and_ends_with_them(tmp_path: Path) -> None:
    screen = Screen(tmp_path, colour=True)
    screen.log('a', '\x1b[35mpurple\n')
    text = screen.tell(*wanted('a'), TaskStarted('a', 1, 0.0), TaskFinished('a', FAILURE, 1, 0.0, 1.0))
    assert text == (
        '\x1b[2m▶\x1b[0m a\n'
        '\x1b[31m✗\x1b[0m a  \x1b[31mFAILED\x1b[0m  exit 2  \x1b[2m1.0s\x1b[0m\n'
        '    \x1b[31m│\x1b[0m \x1b[35mpurple\x1b[0m\n'
    )


def test_names_and_reasons_cannot_move_the_cursor(tmp_path: Path) -> None:
    screen = Screen(tmp_path, colour=True)
    name = 'a\x1b[2J\u202e'
    text = screen.tell(
        *wanted(name),
        TaskStarted(name, 1, 0.0),
        TaskFinished(name, failure(ErrorKind.EXCEPTION, 'bad\r\x1b]0;x\x07'), 1, 0.0, 1.0),
        RunWarned('odd\x1b[2J'),
        RunEnded(1, 1.0),
    )
    assert '\x1b[2J' not in text
    assert '\x1b]' not in text
    assert '\r' not in text
    assert '\u202e' not in text


def test_attempts_are_told_apart(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.log('a', 'one\n--- attempt 2 of 2 ---\ntwo\n')
    text = screen.tell(
        *wanted('a'),
        TaskStarted('a', 1, 0.0),
        TaskRetrying('a', 1, FAILURE, 3.0, 1.0),
        TaskStarted('a', 2, 3.0),
        TaskFinished('a', FAILURE, 2, 3.0, 4.0),
    )
    assert text == (
        '▶ a\n'
        '↻ a  attempt 1 failed  exit 2  again in 2.0s\n'
        '▶ a  attempt 2\n'
        '✗ a  FAILED  exit 2  attempt 2  4.0s\n'
        '    │ two\n'
    )


def test_a_stopped_run_says_so(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.log('a', 'half\n')
    text = screen.tell(
        *wanted('a', 'b'),
        TaskStarted('a', 1, 0.0),
        RunStopping('SIGINT', 1, 1.0),
        TaskFinished('b', failure(ErrorKind.NOT_RUN, 'not run: SIGINT'), 0, None, 1.0),
        TaskFinished('a', failure(ErrorKind.INTERRUPTED, 'interrupted'), 1, 0.0, 1.5),
        RunEnded(1, 1.5),
    )
    assert text == (
        '▶ a\n'
        'SIGINT, stopping 1 running\n'
        '- b  not run  SIGINT\n'
        '✗ a  interrupted  1.5s\n'
        '\n'
        '1 interrupted, 1 not run because the run was stopped\n'
        '1.5s for 1.5s of work\n'
        'slowest: a 1.5s\n'
        'logs: LOGS\n'
    )


def test_a_heartbeat_breaks_thirty_seconds_of_silence(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.tell(*wanted(*'abcde'), *(TaskStarted(name, 1, float(when)) for when, name in enumerate('abcd')))
    screen.tell(TaskProgressed('a', 0.5, 'half', 20.0))
    assert screen.reporters.next_tick(25.0) == 33.0
    screen.reporters.tick(32.9)
    assert screen.text() == ''
    screen.reporters.tick(33.0)
    assert screen.text() == '… 4 running: a 33s, b 32s, c 31s, 1 more; 0 of 5 done\n'
    screen.reporters.tick(40.0)
    assert screen.text() == ''
    assert screen.reporters.next_tick(40.0) == 63.0


def test_no_heartbeat_is_due_while_nothing_runs(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.tell(*wanted('a'))
    assert screen.reporters.next_tick(100.0) is None
    screen.reporters.tick(100.0)
    assert screen.text() == ''


def test_the_rerun_command_is_quoted_for_a_shell(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    text = screen.tell(
        *wanted('it is $HOME'),
        TaskFinished('it is $HOME', failure(ErrorKind.NOT_STARTED, 'no'), 1, None, 1.0),
        RunEnded(1, 1.0),
    )
    assert "    rerun: parproc 'it is $HOME'\n" in text
    assert 'log:' not in text


def test_the_whole_log_is_shown_when_asked_for(tmp_path: Path) -> None:
    screen = Screen(tmp_path, full_log=True)
    screen.log('a', ''.join(f'line {number}\n' for number in range(100)))
    text = screen.tell(*wanted('a'), TaskStarted('a', 1, 0.0), TaskFinished('a', FAILURE, 1, 0.0, 1.0))
    assert text.count('│ line') == 100


def test_many_failures_are_not_all_repeated(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    names = [f'p{number}' for number in range(25)]
    screen.tell(*wanted(*names))
    for name in names:
        screen.tell(TaskFinished(name, failure(ErrorKind.NOT_STARTED, 'no'), 1, None, 1.0))
    text = screen.tell(RunEnded(1, 1.0))
    assert text.count('rerun:') == 20
    assert 'and 5 more' in text
    assert '25 failed' in text
