"""The board on a real pseudo-terminal, with an emulator behind it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.view import Message, RunBegan, RunEnded, RunWarned, TaskLogged, TaskProgressed
from parproc.report.board import backlog, terminal_board, tty
from parproc.report.board.live import LiveReporter
from parproc.report.fanout import Reporters
from parproc.report.style import Style

FAILURE = failure(ErrorKind.EXIT, 'exit 2')


class Screen:
    """A reporter on a pseudo-terminal; what it writes is read when asked for, so that it can also stall."""

    def __init__(self, logs: Path, *, columns: int = 80, lines: int = 24, colour: bool = False, **options: Any) -> None:
        self.logs = logs
        self.master, slave = os.openpty()
        self.stream = open(slave, 'w', encoding='utf-8')
        self.screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self.emulator = pyte.ByteStream(self.screen)
        self.raw = b''
        self.resize(columns, lines)
        self.time = 0.0
        options.setdefault('environ', {})
        self.reporter = LiveReporter(Style(self.stream, colour=colour), lambda name: f'{logs}/{name}.log', **options)
        self.reporters = Reporters([self.reporter])

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def log(self, name: str, text: str) -> None:
        (self.logs / f'{name}.log').write_text(text)

    def tell(self, *messages: Announcement | Message) -> None:
        for message in messages:
            self.reporters.handle(message)

    def begin(self, *names: str, start: bool = True) -> None:
        self.tell(RunBegan('id', names, 'LOGS', 4, len(names), self.time))
        self.tell(*(TaskWanted(name, 1.0, (), self.time) for name in names))
        if start:
            self.tell(*(TaskStarted(name, 1, self.time) for name in names))

    def at(self, moment: float) -> str:
        """Let time pass and return what is to be seen."""
        self.time = moment
        self.reporters.tick(moment)
        return self.read()

    def read(self) -> str:
        while select.select([self.master], [], [], 0)[0]:
            data = os.read(self.master, 1 << 16)
            self.raw += data
            self.emulator.feed(data)
        return self.text()

    def text(self) -> str:
        above = [''.join(line[x].data for x in range(self.screen.columns)) for line in self.screen.history.top]
        return '\n'.join(line.rstrip() for line in [*above, *self.screen.display]).rstrip()

    def close(self) -> None:
        self.stream.close()
        os.close(self.master)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    made = []

    def make(**options: Any) -> Screen:
        made.append(Screen(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_is_over_scrolls_up_and_what_runs_is_below(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('lint', 'build', 'docs')
    s.log('build', 'compiling main.c\n\n')
    assert s.at(0.1) == ''
    assert s.at(0.2).splitlines() == [
        '',
        '░░░░░░░░░░░░░░░░░░░  0/3  3 running  0.2s',
        '▶ lint    0.2s',
        '▶ build   0.2s compiling main.c',
        '▶ docs    0.2s',
    ]
    s.tell(TaskFinished('lint', SUCCESS, 1, 0.0, 1.2))
    assert s.at(1.2).splitlines() == [
        '✓ lint   1.2s',
        '',
        '██████░░░░░░░░░░░░░  1/3  2 running  1.2s',
        '▶ build   1.2s compiling main.c',
        '▶ docs    1.2s',
    ]
    s.tell(TaskFinished('build', SUCCESS, 1, 0.0, 2.0), TaskFinished('docs', SUCCESS, 1, 0.0, 2.0), RunEnded(0, 2.0))
    assert s.read().splitlines() == [
        '✓ lint   1.2s',
        '✓ build  2.0s',
        '✓ docs   2.0s',
        '',
        '3 succeeded',
        '2.0s for 5.2s of work',
        'slowest: build 2.0s, docs 2.0s, lint 1.2s',
        'logs: LOGS',
    ]
    assert (s.screen.cursor.x, s.screen.cursor.y, s.screen.cursor.hidden) == (0, 8, False)


def test_a_failure_brings_the_part_of_its_log_that_matters_and_the_command_that_reruns_it(
    screen: Callable[..., Screen],
) -> None:
    s = screen()
    s.begin('a', 'b')
    s.log('a', 'one\nmain.c:3:5: error: bad\n')
    s.tell(TaskFinished('a', FAILURE, 1, 0.0, 1.0))
    assert s.at(1.0).splitlines()[:4] == ['✗ a  FAILED  exit 2  1.0s', '    │ main.c:3:5: error: bad', '',
                                         '█████████░░░░░░░░░░  1/2  1 failed  1 running  1.0s']  # fmt: skip
    s.tell(TaskFinished('b', failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: a'), 0, None, 1.0))
    s.tell(RunEnded(1, 1.0))
    assert (
        s.read().splitlines()[2:9]
        == [
            '- b  not run  dependency failed: a  1.0s',
            '',
            '✗ a  FAILED  exit 2  1.0s',
            f'    log:   {s.logs}/a.log'[:80],
            *([f'    log:   {s.logs}/a.log'[80:]] if len(f'    log:   {s.logs}/a.log') > 80 else []),
            '    rerun: parproc a',
            '',
            '1 failed, 1 not run because a dependency failed',
        ][:7]
    )


def test_names_are_links_to_logs_and_nothing_of_a_task_can_act(screen: Callable[..., Screen]) -> None:
    s = screen(colour=True)
    s.begin('a\x1b[2J', 'b')
    s.log('b', 'x\x1b[2J\x1b]52;c;aGk=\x07\x1b[31mred\n')
    s.tell(TaskFinished('a\x1b[2J', SUCCESS, 1, 0.0, 1.0), TaskLogged('b', 'hi\x1b[5A', 1.0), RunWarned('odd\x1b[2J'))
    s.at(1.0)
    s.tell(TaskFinished('b', FAILURE, 1, 0.0, 1.0), RunEnded(1, 1.0))
    s.read()
    assert f'\x1b]8;;file://{os.uname().nodename}{s.logs}/a%1B%5B2J.log\x1b\\'.encode() in s.raw
    assert b'[2J\x1b' not in s.raw.replace(b'\\x1b[2J', b'')
    assert b'\x1b[5A' not in s.raw
    assert b'\x1b]52' not in s.raw
    assert 'warning:' in s.text()
    assert '  b: hi' in s.text()


def test_it_draws_only_when_something_changed_and_looks_at_logs_five_times_a_second(
    screen: Callable[..., Screen],
) -> None:
    s = screen()
    s.begin('a')
    s.at(0.2)
    assert s.reporters.next_tick(0.2) == pytest.approx(0.4)
    drawn = s.raw
    s.at(0.35)
    assert s.raw == drawn
    s.tell(TaskProgressed('a', 0.5, 'half', 0.35))
    s.at(0.36)
    assert s.raw != drawn
    drawn = s.raw
    s.tell(TaskProgressed('a', 0.6, 'more', 0.37))
    assert s.reporters.next_tick(0.37) == pytest.approx(0.46)
    s.at(0.41)
    assert s.raw == drawn
    assert 'more' in s.at(0.47)


def test_all_that_ended_between_two_frames_is_written_at_once(screen: Callable[..., Screen]) -> None:
    s = screen()
    names = [f'p{number}' for number in range(100)]
    s.begin(*names)
    s.at(0.2)
    before = s.raw.count(terminal_board.HIDE.encode())
    s.tell(*(TaskFinished(name, SUCCESS, 1, 0.0, 0.25) for name in names))
    text = s.at(0.4)
    assert s.raw.count(terminal_board.HIDE.encode()) == before + 1
    assert text.count('✓') == 100


@pytest.mark.parametrize('size', [(40, 24), (120, 24), (20, 10), (80, 12)])
def test_a_resize_leaves_one_board(screen: Callable[..., Screen], size: tuple[int, ...]) -> None:
    s = screen(columns=80, lines=24)
    s.begin(*'abcdef')
    s.tell(TaskFinished('a', SUCCESS, 1, 0.0, 0.1))
    s.at(0.2)
    s.resize(*size)
    text = s.at(1.3)
    assert text.count('1/6') == 1
    assert text.count('▶ b') == 1
    s.tell(TaskFinished('b', SUCCESS, 1, 0.0, 1.4))
    text = s.at(1.5)
    assert (text.count('2/6'), text.count('✓ b'), text.count('▶ c')) == (1, 1, 1)


def test_what_others_write_scrolls_up(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a')
    s.at(0.2)
    s.stream.write('a word from elsewhere\n')
    s.stream.flush()
    text = s.at(1.3)
    assert text.splitlines()[0] == 'a word from elsewhere'
    assert text.count('0/1') == 1


def test_a_terminal_that_takes_nothing_holds_nothing_up_and_gets_the_rest_later(
    screen: Callable[..., Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_board, 'PATIENCE_SECONDS', 0.2)
    s = screen()
    names = [f'p{number}' for number in range(300)]
    s.begin(*names)
    s.log('p0', ''.join(f'error: {"x" * 150} {number}\n' for number in range(60)))
    began = time.monotonic()
    for number, name in enumerate(names):
        s.tell(TaskFinished(name, FAILURE if number % 3 == 0 else SUCCESS, 1, 0.0, 1.0))
        s.reporters.tick(1.0 + number)
    assert time.monotonic() - began < 2.0
    assert s.reporter.unread
    deadline = time.monotonic() + 10
    while 'p299' not in s.at(s.time + 400.0):
        assert time.monotonic() < deadline
    assert s.text().count('FAILED') == 100


def test_the_end_is_kept_until_the_terminal_takes_it(screen: Callable[..., Screen]) -> None:
    s = screen()
    names = [f'p{number}' for number in range(3000)]
    s.begin(*names)
    s.tell(*(TaskFinished(name, SUCCESS, 1, 0.0, 1.0) for name in names))
    s.tell(RunEnded(0, 1.0))
    assert s.reporters.unread()
    for moment in range(1, 1000):
        s.at(float(moment))
        if not s.reporters.unread():
            break
    text = s.read()
    assert text.count('✓ p') == 3000
    assert text.index('✓ p2999') < text.index('3000 succeeded')


def test_what_is_held_for_a_stalled_terminal_is_bounded(
    screen: Callable[..., Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, 'MOST_HELD_CHARACTERS', 2000)
    s = screen()
    s.begin('a')
    for number in range(1000):
        s.tell(TaskLogged('a', f'line {number}', 0.1))
    text = s.at(0.2)
    assert 'lines were left out' in text
    assert 'line 999' in text
    assert 'line 1\n' not in text


def test_a_terminal_that_is_gone_does_not_matter(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a')
    s.at(0.2)
    os.close(s.master)
    try:
        s.time = 1.3
        s.reporters.tick(1.3)
        s.tell(TaskFinished('a', SUCCESS, 1, 0.0, 2.0), RunEnded(0, 2.0))
        assert s.reporters._reporters == [s.reporter]
    finally:
        s.master = os.open(os.devnull, os.O_RDONLY)


def test_the_board_goes_away_for_a_question_and_comes_back(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a', 'b')
    s.at(0.2)
    s.reporter.suspend()
    s.reporter.suspend()
    assert s.read() == ''
    assert s.reporters.next_tick(0.3) is None
    os.write(s.stream.fileno(), b'a: how many? ')
    s.tell(TaskFinished('b', SUCCESS, 1, 0.0, 2.0))
    assert s.at(5.0) == 'a: how many?'
    os.write(s.stream.fileno(), b'3\n')
    s.reporter.resume()
    assert s.at(5.5) == 'a: how many? 3'
    s.reporter.resume()
    assert s.at(6.0).splitlines()[:4] == [
        'a: how many? 3',
        '✓ b  2.0s',
        '',
        '█████████░░░░░░░░░░  1/2  1 running  6.0s',
    ]


def test_after_a_pause_the_board_is_whole_below_what_the_shell_wrote(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a', 'b')
    s.at(0.2)
    os.write(s.stream.fileno(), b'^Z\n[1]+  Stopped\n$ fg\nparproc\n')
    shell, *board = s.at(60.0).splitlines()[3:]
    assert shell.startswith('parproc')
    assert board == ['', '░░░░░░░░░░░░░░░░░░░  0/2  2 running  1m00s', '▶ a  1m00s', '▶ b  1m00s']


def test_a_resize_is_answered_even_when_the_frame_says_the_same(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a')
    s.at(20.0)
    drawn = len(s.raw)
    s.tell(TaskProgressed('a', None, '', 20.1))
    s.at(20.2)
    assert len(s.raw) == drawn
    s.resize(70, 24)
    s.tell(TaskProgressed('a', None, '', 20.3))
    s.at(20.4)
    assert len(s.raw) > drawn


def test_retries_waits_and_a_stop_are_told(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a', 'b')
    s.tell(TaskRetrying('a', 1, FAILURE, 4.0, 1.0), TaskWaiting('b', ('a',), 1.0), RunStopping('SIGINT', 1, 1.0))
    text = s.at(1.0)
    assert '↻ a  attempt 1 failed  exit 2  again in 3.0s' in text
    assert 'SIGINT, stopping 2 running' in text
    assert '| b   1.0s waits for a' in text


def test_the_last_line_follows_the_log(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a')
    s.log('a', 'x' * 10_000 + '\nfirst\n')
    assert 'first' in s.at(0.2)
    s.log('a', 'x' * 10_000 + '\nfirst\nsecond line\r100%\r')
    assert '100%' in s.at(1.3)
    (s.logs / 'a.log').unlink()
    os.mkfifo(s.logs / 'a.log')
    assert '100%' in s.at(2.4)


def test_the_time_left_and_the_usual_times_come_from_history(screen: Callable[..., Screen]) -> None:
    s = screen(usual={'a': 10.0, 'b': 2.0}.get)
    s.begin('a', 'b')
    assert '~8.0s left' in s.at(2.0)
    s.tell(TaskFinished('b', SUCCESS, 1, 0.0, 4.0), TaskFinished('a', SUCCESS, 1, 0.0, 4.0), RunEnded(0, 4.0))
    assert 'slowest: b 4.0s (usually 2.0s), a 4.0s (usually 10s)' in s.read()


@pytest.mark.parametrize(
    ('environ', 'known'),
    [
        ({'WT_SESSION': 'x'}, True),
        ({'ConEmuANSI': 'ON'}, True),
        ({'TERM_PROGRAM': 'ghostty', 'TERM_PROGRAM_VERSION': '1.2.0'}, True),
        ({'TERM_PROGRAM': 'ghostty', 'TERM_PROGRAM_VERSION': '1.1.3'}, False),
        ({'TERM_PROGRAM': 'WezTerm', 'TERM_PROGRAM_VERSION': '20250301-111111-abc'}, True),
        ({'TERM_PROGRAM': 'iTerm.app', 'TERM_PROGRAM_VERSION': '3.5.0'}, False),
        ({'TERM_PROGRAM': 'iTerm.app', 'TERM_PROGRAM_VERSION': '3.6.6'}, True),
        ({'WT_SESSION': 'x', 'TMUX': 'y'}, False),
        ({}, False),
    ],
)
def test_progress_is_told_only_to_terminals_known_to_take_it(
    screen: Callable[..., Screen], environ: dict[str, str], known: bool
) -> None:
    s = screen(environ=environ)
    s.begin('a', 'b')
    s.at(0.2)
    s.tell(TaskFinished('a', SUCCESS, 1, 0.0, 1.0))
    s.at(1.0)
    s.tell(TaskFinished('b', Outcome(ProcState.SUCCEEDED), 1, 0.0, 1.5), RunEnded(0, 2.0))
    s.read()
    told = [b'\x1b]9;4;1;0\x1b\\', b'\x1b]9;4;1;50\x1b\\', b'\x1b]9;4;0;\x1b\\']
    assert [one in s.raw for one in told] == [known] * 3


def test_a_screen_too_low_for_a_board_has_only_lines(screen: Callable[..., Screen]) -> None:
    s = screen(lines=3)
    s.begin('a', 'b')
    s.tell(TaskFinished('a', SUCCESS, 1, 0.0, 0.1))
    assert s.at(0.2) == '✓ a  0.1s'


def test_a_terminal_without_a_size_has_the_usual_one(tmp_path: Path) -> None:
    master, slave = os.openpty()
    try:
        assert tty.Tty(slave).size() == (80, 24)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 0, 0, 0, 0))
        assert tty.Tty(slave).size() == (80, 24)
    finally:
        os.close(master)
        os.close(slave)


def test_what_is_no_terminal_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / 'file', 'w') as stream, pytest.raises(OSError):
        LiveReporter(Style(stream, colour=False), lambda name: name)


def test_a_warning_after_the_end_is_still_seen(screen: Callable[..., Screen]) -> None:
    s = screen()
    s.begin('a')
    s.tell(TaskFinished('a', SUCCESS, 1, 0.0, 0.1), RunEnded(0, 0.1), RunWarned('late'))
    assert s.read().endswith('warning: late')
