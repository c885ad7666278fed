"""What a program shows while it waits, on a real pseudo-terminal with an emulator behind it, and elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskReopened, TaskStarted, TaskWanted
from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.core.view import Message, RunBegan, RunEnded, RunWarned, TaskLogged
from parproc.declare.option_choices import OUTPUTS
from parproc.declare.options import Options
from parproc.report.choose_reporters import mode_for_command, mode_for_program
from parproc.report.program import display
from parproc.report.program.display import program_listener
from parproc.report.program.program_stderr import ProgramStderr
from parproc.run_events import RunEvent

FAILURE = failure(ErrorKind.EXIT, 'exit 2')
COLUMNS, LINES = 60, 16


class Program:
    """A program with its standard error on a pseudo-terminal; what it and parproc write is seen in one place."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        on_event: Callable[[RunEvent], object] | None = None,
        **options: Any,
    ) -> None:
        self.folder = folder
        self.master, slave = os.openpty()
        self.stderr = open(slave, 'w', encoding='utf-8')
        self.screen = pyte.HistoryScreen(COLUMNS, LINES, history=10_000)
        self.emulator = pyte.ByteStream(self.screen)
        monkeypatch.setattr(sys, 'stderr', self.stderr)
        for name in ('NO_COLOR', 'FORCE_COLOR', 'PARPROC_RUN_ID', 'TERM'):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr('parproc.report.board.tty.Tty.size', lambda tty: (COLUMNS, LINES))
        self.listener = program_listener(
            Options().updated(**options), log_path=self.log_path, usual=lambda name: None, on_event=on_event
        )
        self.tell(RunBegan('id', (), 'LOGS', 4, 0, 0.0))

    def log_path(self, name: str) -> str:
        return f'{self.folder}/{name}.log'

    def tell(self, *messages: Announcement | Message) -> None:
        for message in messages:
            self.listener.handle(message)

    def want(self, *names: str, now: float = 0.0) -> None:
        self.tell(*(TaskWanted(name, 1.0, (), now) for name in names))
        self.tell(*(TaskStarted(name, 1, now) for name in names))

    def end(self, *names: str, now: float = 1.0, outcome: Outcome = SUCCESS) -> None:
        self.tell(*(TaskFinished(name, outcome, 1, 0.0, now) for name in names))

    def print(self, text: str) -> None:
        """What the program itself writes to the terminal."""
        self.stderr.write(text)
        self.stderr.flush()

    def at(self, moment: float) -> str:
        self.listener.tick(moment)
        return self.text()

    def read(self) -> bytes:
        data = b''
        while select.select([self.master], [], [], 0)[0]:
            data += os.read(self.master, 1 << 16)
        self.emulator.feed(data)
        return data

    def text(self) -> str:
        self.read()
        above = [''.join(line[x].data for x in range(COLUMNS)) for line in self.screen.history.top]
        return '\n'.join(line.rstrip() for line in [*above, *self.screen.display]).rstrip()

    def close(self) -> None:
        self.listener.handle(RunEnded(0, 99.0))
        self.stderr.close()
        os.close(self.master)


@pytest.fixture
def program_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Program]]:
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Program:
            made = Program(tmp_path, monkeypatch, **options)
            stack.callback(made.close)
            return made

        yield make


def test_the_board_is_there_while_the_program_waits_and_only_then(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a', 'b')
    assert one.at(1.0) == ''
    one.print('before\n')
    one.listener.begin_wait(1.0)
    assert one.at(1.1) == 'before'  # a wait that is over soon needs no board
    shown = one.at(1.3)
    assert shown.startswith('before\n') and '0/2' in shown and '▶ a' in shown and '▶ b' in shown
    one.end('a', now=2.0)
    one.listener.end_wait(2.0)
    assert one.text().split('\n') == ['before', '✓ a  2.0s']
    one.print('after\n')
    assert one.at(9.0).split('\n') == ['before', '✓ a  2.0s', 'after']
    assert not one.screen.cursor.hidden


def test_what_ended_in_between_is_shown_when_the_next_wait_begins(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a', 'b')
    one.end('a', now=1.0)
    one.print('busy\n')
    assert one.at(1.5) == 'busy'
    one.listener.begin_wait(2.0)
    shown = one.at(2.5)
    assert shown.index('busy') < shown.index('✓ a') < shown.index('1/2') < shown.index('▶ b')


def test_a_line_that_the_program_has_begun_stays(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a')
    one.print('working... ')
    one.listener.begin_wait(0.0)
    assert one.at(0.5).split('\n')[0] == 'working...'
    one.end('a')
    one.listener.end_wait(1.0)
    assert one.text().split('\n') == ['working...', '✓ a  1.0s']
    one.print('done\n')
    assert one.text().split('\n') == ['working...', '✓ a  1.0s', 'done']


def test_what_another_thread_prints_scrolls_up_and_the_board_stays_whole(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a')
    one.listener.begin_wait(0.0)
    one.at(0.5)
    one.print('from a thread\n')
    shown = one.at(1.5)
    assert shown.count('0/1') == shown.count('▶ a') == 1
    assert shown.split('\n')[0] == 'from a thread'


def test_one_line_sums_up_a_wait_for_several(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a', 'b', 'c')
    one.listener.begin_wait(0.0)
    one.end('a', 'b', now=2.0)
    one.end('c', now=3.0, outcome=FAILURE)
    one.listener.end_wait(3.0, raised=['c'])
    assert one.text().split('\n')[-1] == '2 succeeded, 1 failed in 3.0s'
    one.want('d', now=4.0)
    one.listener.begin_wait(4.0)
    one.end('d', now=5.0)
    one.listener.end_wait(5.0)
    assert one.text().split('\n')[-1].startswith('✓ d')


def test_each_batch_is_counted_by_itself(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a', 'b')
    one.end('a', 'b')
    one.want('c', now=10.0)
    one.listener.begin_wait(10.0)
    assert '0/1' in one.at(10.5)
    one.tell(TaskReopened('a', SUCCESS, 1, 11.0), TaskWanted('a', 1.0, (), 11.0))
    assert '0/2' in one.at(11.5)


def test_waits_may_be_nested(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a')
    one.listener.begin_wait(0.0)
    one.listener.begin_wait(0.0)
    one.listener.end_wait(0.5)
    assert '▶ a' in one.at(1.0)
    one.listener.end_wait(1.0)
    assert '▶ a' not in one.text()


def test_keys_mean_something_only_while_the_board_is_there(program_on: Callable[..., Program]) -> None:
    one = program_on()
    assert not one.listener.wants_keys()
    one.listener.begin_wait(0.0)
    assert one.listener.wants_keys()
    one.listener.end_wait(0.0)
    assert not one.listener.wants_keys()
    assert one.text() == ''


def test_of_two_sessions_one_has_the_board_and_the_other_writes_lines(program_on: Callable[..., Program]) -> None:
    one = program_on()
    other = program_listener(Options(), log_path=one.log_path, usual=lambda name: None)
    other.handle(RunBegan('id', (), 'LOGS', 4, 0, 0.0))
    one.want('a')
    one.listener.begin_wait(0.0)
    other.begin_wait(0.0)
    assert one.listener.wants_keys() and not other.wants_keys()
    for message in (TaskWanted('b', 1.0, (), 0.0), TaskStarted('b', 1, 0.0)):
        other.handle(message)
    other.tick(0.5)
    assert '▶ a' in one.at(0.5) and '▶ b' not in one.text()
    other.handle(TaskFinished('b', SUCCESS, 1, 0.0, 1.0))
    other.end_wait(1.0)
    shown = one.at(1.5)
    assert shown.index('✓ b') < shown.index('▶ a')
    one.listener.end_wait(2.0)
    other.begin_wait(3.0)
    assert other.wants_keys()
    other.end_wait(3.0)
    other.handle(RunEnded(0, 4.0))


def test_a_proc_that_has_the_terminal_to_itself_keeps_the_board_away_until_it_gives_it_back(
    program_on: Callable[..., Program],
) -> None:
    one = program_on()
    one.want('a')
    one.listener.begin_wait(0.0)
    one.at(0.5)
    one.listener.step_aside(True)
    one.print('Name? ')
    assert '▶ a' not in one.at(1.0)
    one.listener.step_aside(False)
    shown = one.at(2.0)
    assert shown.startswith('Name?\n') and '▶ a' in shown


def test_a_failure_is_shown_with_the_part_of_its_log_that_matters(program_on: Callable[..., Program]) -> None:
    one = program_on()
    (one.folder / 'a.log').write_text('ValueError: no such thing\n')
    one.want('a')
    one.listener.begin_wait(0.0)
    one.end('a', outcome=FAILURE)
    one.listener.end_wait(1.0)
    assert 'ValueError: no such thing' in one.text()


def test_the_end_of_the_run_adds_nothing(program_on: Callable[..., Program]) -> None:
    one = program_on()
    one.want('a', 'b')
    one.end('a', 'b')
    one.listener.begin_wait(1.0)
    one.listener.end_wait(1.0)
    before = one.text()
    one.listener.handle(RunEnded(0, 2.0))
    assert one.text() == before


def test_a_program_that_shows_nothing_says_what_went_wrong_unless_it_is_raised(
    program_on: Callable[..., Program],
) -> None:
    one = program_on(dynamic=False)
    (one.folder / 'a.log').write_text('ValueError: no such thing\n')
    for raised in (['a'], ['x'], None):
        one.want('a', 'b')
        one.listener.begin_wait(0.0)
        one.end('a', outcome=FAILURE)
        one.end('b')
        one.listener.end_wait(1.0, raised=raised)
        assert ('ValueError: no such thing' in one.text()) is (raised is None)
        one.tell(TaskReopened('a', FAILURE, 1, 2.0), TaskReopened('b', SUCCESS, 1, 2.0))
    one.tell(RunWarned('odd \x1b[2J'))
    assert one.text().split('\n')[-1] == 'parproc: warning: odd \\x1b[2J'


def test_what_a_nested_wait_raises_is_not_told_again(program_on: Callable[..., Program]) -> None:
    one = program_on(dynamic=False)
    one.want('a', 'b')
    one.listener.begin_wait(0.0)
    one.listener.begin_wait(0.0)
    one.end('a', 'b', outcome=FAILURE)
    one.listener.end_wait(1.0, raised=['a'])
    one.listener.end_wait(1.0)
    assert '✗ b' in one.text() and '✗ a' not in one.text()


def test_a_failure_that_was_never_raised_is_told_at_the_end(program_on: Callable[..., Program]) -> None:
    one = program_on(dynamic=False)
    one.want('a', 'b', 'c')
    one.end('a', 'b', outcome=FAILURE)
    one.end('c', outcome=failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: a'))
    one.listener.begin_wait(1.0)
    one.listener.end_wait(1.0, raised=['a'])
    assert one.text() == ''
    one.listener.handle(RunEnded(1, 2.0))
    assert one.text().split('\n')[0] == '✗ b  FAILED  exit 2  1.0s'
    assert '✗ a' not in one.text() and '- c' not in one.text()


def test_mode_single_has_a_line_at_each_start_and_end_and_nothing_that_moves(
    program_on: Callable[..., Program],
) -> None:
    one = program_on(mode='single')
    one.want('a')
    one.tell(TaskLogged('a', 'stands on the terminal already', 0.5))
    one.end('a', outcome=FAILURE)
    assert one.text().split('\n') == ['▶ a', '✗ a  FAILED  exit 2  1.0s']
    one.listener.begin_wait(1.0)
    assert not one.listener.wants_keys()
    one.want('b', now=2.0)
    one.end('b', now=3.0)
    one.tell(RunStopping('SIGINT', 1, 3.0))
    one.listener.end_wait(3.0)
    assert one.text().split('\n')[2:] == ['▶ b', '✓ b  1.0s', 'SIGINT', '1 succeeded, 1 failed in 3.0s']


@pytest.mark.parametrize('mode', ['mp', 'single'])
@pytest.mark.parametrize('output', OUTPUTS)
def test_a_program_can_be_shown_in_every_way(
    program_on: Callable[..., Program], capfd: pytest.CaptureFixture[str], output: str, mode: str
) -> None:
    one = program_on(output=output, mode=mode)
    one.want('a', 'b')
    for name in ('a', 'b') if mode == 'mp' else ():
        (one.folder / f'{name}.log').write_text('what it wrote\n')
    one.listener.begin_wait(0.0)
    one.end('a')
    one.end('b', outcome=FAILURE)
    one.listener.end_wait(1.0)
    one.listener.handle(RunEnded(1, 2.0))
    out, status = capfd.readouterr().out, one.text()
    if output == 'json':
        assert '"event":"result"' in out
    elif output == 'raw':
        assert 'b failed: exit 2' in status
    elif output == 'github':
        assert '::error title=b failed::exit 2' in out
    else:
        assert 'FAILED  exit 2' in out + status
        assert ('1 succeeded, 1 failed' in status) is (output != 'quiet')
    assert 'rerun' not in out + status and 'dropped' not in status
    if mode == 'mp' and output in ('raw', 'stream', 'group'):
        assert 'what it wrote' in out


def test_functions_are_told_beside_what_is_shown(program_on: Callable[..., Program]) -> None:
    seen = []

    def call(event: RunEvent) -> None:
        seen.append(event.event)
        if event.event == 'wanted':
            raise ValueError('mine')

    one = program_on(on_event=call)
    one.want('a')
    one.listener.begin_wait(0.0)
    shown = one.at(0.5)
    assert seen == ['header', 'wanted']
    assert '▶ a' in shown and 'warning: on_event raised and is called no more' in one.at(1.0)


@pytest.mark.parametrize('before', OUTPUTS)
@pytest.mark.parametrize('after', OUTPUTS)
def test_how_a_program_is_shown_may_change_in_the_middle(
    program_on: Callable[..., Program], capfd: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    one = program_on(output=before)
    one.want('a', 'b')
    one.listener.begin_wait(0.0)
    one.at(0.5)
    one.listener.show_on(
        display.program_reporter(Options(output=after), log_path=one.log_path, usual=lambda name: None)
    )
    one.at(1.0)
    one.end('a', outcome=FAILURE)
    one.end('b')
    one.listener.end_wait(1.5)
    one.listener.handle(RunEnded(1, 2.0))
    shown = one.text() + capfd.readouterr().out
    assert 'dropped' not in shown and '▶ a  ' not in one.text()
    assert 'exit 2' in shown


@pytest.mark.parametrize(
    ('options', 'environment', 'terminal', 'mode'),
    [
        ({}, {}, True, 'live'),
        ({}, {}, False, 'silent'),
        ({'dynamic': False}, {}, True, 'silent'),
        ({'dynamic': True}, {}, False, 'silent'),
        ({}, {'TERM': 'dumb'}, True, 'plain'),
        ({'dynamic': True}, {'TERM': 'dumb'}, True, 'live'),
        ({}, {'PARPROC_RUN_ID': 'x'}, True, 'plain'),
        ({}, {'PARPROC_RUN_ID': 'x'}, False, 'silent'),
        ({}, {'GITHUB_ACTIONS': 'true', 'CI': '1'}, False, 'silent'),
        ({'output': 'plain', 'dynamic': False}, {}, False, 'plain'),
        ({'mode': 'single'}, {}, True, 'lines'),
        ({'mode': 'single'}, {}, False, 'silent'),
        ({'mode': 'single', 'output': 'json'}, {}, False, 'json'),
    ],
)
def test_how_a_program_is_shown(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], environment: dict[str, str], terminal: bool, mode: str
) -> None:
    for name in ('TERM', 'PARPROC_RUN_ID', 'GITHUB_ACTIONS', 'CI'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    status = io.StringIO()
    monkeypatch.setattr(status, 'isatty', lambda: terminal, raising=False) if terminal else None
    assert mode_for_program(Options().updated(**options), status) == mode


@pytest.mark.parametrize(
    ('options', 'one', 'mode'),
    [
        ({}, True, 'raw'),
        ({}, False, 'plain'),
        ({'dynamic': True}, False, 'live'),
        ({'output': 'stream'}, True, 'stream'),
        ({'mode': 'single'}, True, 'raw'),
        ({'mode': 'single'}, False, 'lines'),
        ({'mode': 'single', 'output': 'live'}, False, 'lines'),
        ({'mode': 'single', 'output': 'quiet'}, False, 'quiet'),
    ],
)
def test_how_a_run_of_the_command_line_is_shown(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, bool] | dict[str, str], one: bool, mode: str
) -> None:
    for name in ('PARPROC_RUN_ID', 'GITHUB_ACTIONS', 'CI'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr('os.isatty', lambda descriptor: False)
    assert mode_for_command(Options().updated(**options), one=one) == mode


@pytest.mark.parametrize('broken', [None, object()])
def test_a_program_without_standard_error_goes_on(monkeypatch: pytest.MonkeyPatch, broken: object) -> None:
    stream = ProgramStderr()
    monkeypatch.setattr(sys, 'stderr', broken)
    assert stream.write('lost') == 4
    stream.flush()
    assert not stream.isatty()
    with pytest.raises(OSError):
        stream.fileno()


def test_lines_go_where_standard_error_is_at_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = ProgramStderr()
    for _ in range(2):
        moment = io.StringIO()
        monkeypatch.setattr(sys, 'stderr', moment)
        stream.write('line\n')
        assert moment.getvalue() == 'line\n'
