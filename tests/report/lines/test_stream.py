"""Every line at once, under its proc's name: whole transcripts at fixed times."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from parproc.core.events import TaskFinished, TaskRetrying, TaskStarted
from parproc.core.model import SUCCESS
from parproc.core.view import RunEnded, TaskLogged
from parproc.report.fanout import Reporters
from parproc.report.lines.log_copier import INTERVAL_SECONDS
from parproc.report.lines.stream import StreamReporter
from parproc.report.logs.follow import LogFollower
from parproc.report.logs.read_log import LONGEST_LINE_BYTES
from parproc.report.streams.sink import Sink
from parproc.report.style import Style
from tests.report.teller import FAILURE, Both, available, ran, wanted


def test_a_run_reads_as_this(told: Callable[..., Both]) -> None:
    both = told(StreamReporter)
    both.tell(*wanted('lint', 'build::prod', 'docs'))
    assert both.tell(TaskStarted('lint', 1, 0.0), TaskStarted('build::prod', 1, 0.0)) == '▶ lint\n▶ build::prod\n'
    both.log('lint', 'one\ntwo\nhal')
    both.log('build::prod', 'cc main.c\n')
    assert both.tick(0.1) == 'lint        | one\nlint        | two\nbuild::prod | cc main.c\n'
    both.log('lint', 'f\nlast')
    assert both.tick(0.1 + INTERVAL_SECONDS / 2) == ''
    assert both.tick(0.1 + INTERVAL_SECONDS) == 'lint        | half\n'
    assert both.tell(TaskFinished('lint', SUCCESS, 1, 0.0, 1.0)) == 'lint        | last\n✓ lint         1.0s\n'
    both.log('build::prod', 'main.c:3:5: error: bad\n')
    assert both.tell(TaskFinished('build::prod', FAILURE, 1, 0.0, 2.0), RunEnded(1, 2.0)) == (
        'build::prod | main.c:3:5: error: bad\n'
        '✗ build::prod  FAILED  exit 2  2.0s\n'
        '    │ main.c:3:5: error: bad\n'
        '\n'
        '✗ build::prod  FAILED  exit 2  2.0s\n'
        '    log:   LOGS/build::prod.log\n'
        '    rerun: parproc build::prod\n'
        '\n'
        '1 succeeded, 1 failed\n'
        '2.0s for 3.0s of work\n'
        'slowest: build::prod 2.0s, lint 1.0s\n'
        'logs: LOGS\n'
    )
    assert both.reporters.next_tick(3.0) is None


def test_output_can_do_nothing_but_be_read(told: Callable[..., Both]) -> None:
    both = told(StreamReporter)
    name = 'a\x1b[2J'
    both.tell(*wanted(name), TaskStarted(name, 1, 0.0))
    both.log(name, b'\x1b[31mred\x1b[2J\n 10%\r100%\n\xff\x00\n\xc3\xa9\n')
    assert both.tick(1.0) == ''.join(f'a\\x1b[2J | {line}\n' for line in ('red', '100%', '\\xff\\x00', 'é'))


def test_names_have_colours_of_their_own(told: Callable[..., Both]) -> None:
    both = told(StreamReporter, colour=True)
    both.tell(*wanted('a', 'b'), TaskStarted('a', 1, 0.0), TaskStarted('b', 1, 0.0))
    both.log('a', '\x1b[31mred\n')
    both.log('b', 'x\n')
    text = both.tick(1.0)
    found = re.fullmatch(r'(\x1b\[\d+m)a \|\x1b\[0m \x1b\[31mred\x1b\[0m\n(\x1b\[\d+m)b \|\x1b\[0m x\n', text)
    assert found is not None
    assert found[1] != found[2]


def test_the_output_may_be_without_colour_where_the_status_has_it(told: Callable[..., Both]) -> None:
    both = told(lambda *arguments: StreamReporter(*arguments, colour=False), colour=True)
    assert '\x1b' in both.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    both.log('a', '\x1b[31mred\n')
    assert both.tick(1.0) == 'a | red\n'


def test_a_stream_without_unicode_gets_escapes(told: Callable[..., Both]) -> None:
    both = told(StreamReporter, encoding='ascii')
    both.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    both.log('a', 'caf\u00e9\n')
    assert both.tick(1.0) == 'a | caf\\xe9\n'


def test_what_a_task_logs_is_not_shown_twice(told: Callable[..., Both]) -> None:
    both = told(StreamReporter)
    both.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    both.log('a', 'half way\n')
    assert both.tell(TaskLogged('a', 'half way', 0.5)) == ''
    assert both.tick(1.0) == 'a | half way\n'


def test_attempts_follow_each_other_in_one_log(told: Callable[..., Both]) -> None:
    both = told(StreamReporter)
    both.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    both.log('a', 'one\n')
    text = both.tell(TaskRetrying('a', 1, FAILURE, 3.0, 1.0)) + both.tick(1.0)
    both.log('a', '--- attempt 2 of 2 ---\ntwo\n')
    text += both.tell(TaskStarted('a', 2, 3.0), TaskFinished('a', SUCCESS, 2, 3.0, 4.0))
    assert text == (
        '↻ a  attempt 1 failed  exit 2  again in 2.0s\n'
        'a | one\n'
        '▶ a  attempt 2\n'
        'a | --- attempt 2 of 2 ---\n'
        'a | two\n'
        '✓ a  attempt 2  4.0s\n'
    )


def test_a_heartbeat_comes_only_when_nothing_else_does(told: Callable[..., Both]) -> None:
    both = told(StreamReporter)
    both.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    both.log('a', 'x\n')
    assert both.tick(20.0) == 'a | x\n'
    assert both.tick(49.0) == ''
    assert both.tick(50.0) == '… 1 running: a 50s; 0 of 1 done\n'


def test_a_line_too_long_comes_in_pieces_that_cut_no_character(tmp_path: Path) -> None:
    log = tmp_path / 'a.log'
    log.write_bytes(b'x' + 'é'.encode() * LONGEST_LINE_BYTES + b'\nend')
    tail = LogFollower(str(log))
    pieces = []
    while piece := tail.read():
        pieces.append(piece)
    tail.finish()
    pieces.append(tail.read())
    assert all(len(piece) <= LONGEST_LINE_BYTES + 1 for piece in pieces)
    assert [len(piece.decode()) for piece in pieces[:2]] == [LONGEST_LINE_BYTES // 2 + 1] * 2
    assert ''.join(piece.decode()[:-1] for piece in pieces) == 'x' + 'é' * LONGEST_LINE_BYTES + 'end'
    assert tail.read() == b''


def test_a_slow_reader_holds_nothing_back_and_loses_nothing(tmp_path: Path) -> None:
    read, write = os.pipe()
    status = io.StringIO()
    reporters = Reporters(
        [StreamReporter(Sink(write), Style(status, colour=False), lambda name: f'{tmp_path}/{name}.log')]
    )
    content = b'0123456789\n' * 100_000
    (tmp_path / 'a.log').write_bytes(content)
    for message in [*wanted('a'), *ran('a')]:
        reporters.handle(message)
    assert '✓' not in status.getvalue().replace('+', '✓')
    copied = b''
    for now in range(1000):
        assert (due := reporters.next_tick(float(now))) is not None and due <= now + 1
        reporters.tick(float(now))
        copied += available(read)
        if '+' in status.getvalue():
            break
    copied += available(read)
    os.close(write)
    os.close(read)
    assert copied.replace(b'a | ', b'') == content
    assert status.getvalue().endswith('+ a  1.0s\n')


def test_an_output_that_nobody_reads_ends_the_run_quietly(tmp_path: Path) -> None:
    read, write = os.pipe()
    status = io.StringIO()
    reporters = Reporters(
        [StreamReporter(Sink(write), Style(status, colour=False), lambda name: f'{tmp_path}/{name}.log')]
    )
    for message in [*wanted('a'), TaskStarted('a', 1, 0.0)]:
        reporters.handle(message)
    (tmp_path / 'a.log').write_bytes(b'x\n')
    os.close(read)
    with pytest.raises(BrokenPipeError):
        reporters.tick(1.0)
    reporters.tick(2.0)
    reporters.handle(TaskFinished('a', SUCCESS, 1, 0.0, 2.0))
    reporters.handle(RunEnded(0, 2.0))
    os.close(write)
    assert '1 succeeded' in status.getvalue()


def test_a_log_that_is_no_file_is_left_alone(told: Callable[..., Both], tmp_path: Path) -> None:
    both = told(StreamReporter)
    (tmp_path / 'secret').write_text('secret')
    (tmp_path / 'a.log').symlink_to(tmp_path / 'secret')
    assert 'secret' not in both.tell(*wanted('a'), *ran('a'))


def test_no_descriptor_is_left_open(told: Callable[..., Both]) -> None:
    both = told(StreamReporter)
    before = len(os.listdir('/dev/fd'))
    both.tell(*wanted('a'), TaskStarted('a', 1, 0.0))
    both.log('a', 'x')
    both.tick(1.0)
    both.tell(TaskFinished('a', SUCCESS, 1, 0.0, 2.0))
    assert len(os.listdir('/dev/fd')) == before


HUGE = """
import resource, sys
sys.path[:0] = {paths!r}
from tests.report.teller import wanted, ran
from parproc.core.events import TaskStarted
from parproc.report.fanout import Reporters
from parproc.report.streams.sink import Sink
from parproc.report.lines.{module} import {reporter}
from parproc.report.style import Style
out = open('/dev/null', 'w')
reporters = Reporters([{reporter}(Sink(out.fileno()), Style(sys.stderr, colour=False), lambda name: {log!r})])
for message in wanted('a') + ran('a'):
    reporters.handle(message)
now = 1.0
while reporters.next_tick(now) is not None:
    now += 1.0
    reporters.tick(now)
try:
    with open('/proc/self/status') as status:  # getrusage would tell of the process that this one was forked from
        print(int(status.read().split('VmHWM:')[1].split()[0]) // 1024)
except OSError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20)
"""


@pytest.mark.parametrize(('module', 'reporter'), [('stream', 'StreamReporter'), ('group', 'GroupReporter')])
@pytest.mark.parametrize('line', [b'y\n', b'no newline at all ', b'z' * (1 << 20) + b'\n'])
def test_memory_stays_small_whatever_comes(tmp_path: Path, module: str, reporter: str, line: bytes) -> None:
    log = tmp_path / 'a.log'
    block = line * max(1, (1 << 20) // len(line))
    with log.open('wb') as file:
        for _ in range(96):
            file.write(block)
    paths = [str(Path(__file__).parents[3])]
    program = HUGE.format(paths=paths, log=str(log), module=module, reporter=reporter)
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 80
