"""A run of one proc is its output, byte for byte."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from parproc.core.events import RunStopping, TaskFinished, TaskStarted
from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.core.view import RunWarned, TaskLogged
from parproc.report.fanout import Reporters
from parproc.report.lines.raw import INTERVAL_SECONDS, RawReporter
from parproc.report.streams.sink import RETRY_SECONDS, Sink
from parproc.report.style import Style

FAILURE = failure(ErrorKind.EXIT, 'exit 2')


class Raw:
    """A raw reporter between a log and an output."""

    def __init__(self, folder: Path, output: BinaryIO) -> None:
        self.log = folder / 'a.log'
        self.status = io.StringIO()
        self.reporters = Reporters(
            [RawReporter(Sink(output.fileno()), Style(self.status, colour=False), lambda name: f'{folder}/{name}.log')]
        )

    def write(self, data: bytes) -> None:
        with self.log.open('ab') as file:
            file.write(data)

    def start(self, name: str = 'a') -> None:
        self.reporters.handle(TaskStarted(name, 1, 0.0))

    def finish(self, outcome: Outcome = SUCCESS, name: str = 'a') -> None:
        self.reporters.handle(TaskFinished(name, outcome, 1, 0.0, 1.0))


@pytest.fixture
def output(tmp_path: Path) -> Iterator[BinaryIO]:
    with (tmp_path / 'out').open('w+b') as file:
        yield file


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    read, write = os.pipe()
    with open(read, 'rb', buffering=0) as reader, open(write, 'wb') as writer:
        yield reader, writer


def written(output: BinaryIO) -> bytes:
    return Path(output.name).read_bytes()


def test_output_is_copied_as_it_grows(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    raw.start()
    raw.reporters.tick(1.0)
    raw.write(b'one\x00\xff\r')
    raw.reporters.tick(1.0 + INTERVAL_SECONDS)
    assert written(output) == b'one\x00\xff\r'
    raw.write(b'\x1b[2Jtwo')
    raw.reporters.tick(1.0 + 1.5 * INTERVAL_SECONDS)
    assert written(output) == b'one\x00\xff\r'
    raw.finish()
    assert written(output) == b'one\x00\xff\r\x1b[2Jtwo'
    assert raw.status.getvalue() == ''
    assert raw.reporters.next_tick(9.0) is None


def test_nothing_is_copied_twice_when_others_run_on(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    raw.start()
    raw.start('b')
    (tmp_path / 'b.log').write_bytes(b'other')
    raw.write(b'mine')
    raw.finish()
    raw.reporters.tick(5.0)
    raw.finish(FAILURE, 'b')
    assert written(output) == b'mine'
    assert raw.status.getvalue() == 'parproc: b failed: exit 2\n'


def test_a_failure_adds_one_line(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    raw.start()
    raw.reporters.handle(TaskLogged('a', 'stands in the log already', 0.5))
    raw.write(b'wrong\n')
    raw.finish(failure(ErrorKind.EXCEPTION, 'ValueError: \x1b[2J'))
    assert written(output) == b'wrong\n'
    assert raw.status.getvalue() == 'parproc: a failed: ValueError: \\x1b[2J\n'


def test_a_proc_that_never_ran_is_named_too(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    raw.finish(failure(ErrorKind.DEPENDENCY_MISSING, 'dependency "x" missing'))
    assert raw.status.getvalue() == 'parproc: a failed: dependency "x" missing\n'


def test_a_stop_adds_one_line(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    raw.start()
    raw.reporters.handle(RunStopping('SIGINT', 1, 0.5))
    raw.finish(failure(ErrorKind.INTERRUPTED, 'interrupted'))
    assert raw.status.getvalue() == 'parproc: a interrupted: SIGINT\n'


def test_warnings_and_what_was_left_behind_are_said(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    raw.start()
    raw.reporters.handle(RunWarned('odd'))
    raw.finish(Outcome(SUCCESS.state, leaked=('sleep 9 (pid 1)',)))
    assert raw.status.getvalue() == 'parproc: warning: odd\nparproc: a left behind and ended: sleep 9 (pid 1)\n'


def test_a_reader_that_does_not_read_never_blocks_the_run(tmp_path: Path, pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    raw = Raw(tmp_path, writer)
    raw.start()
    content = os.urandom(300_000)
    raw.write(content)
    copied = b''
    for now in range(200):
        raw.reporters.tick(float(now))
        if now == 0:
            assert raw.reporters.next_tick(0.0) == RETRY_SECONDS
        copied += reader.read(65536) or b''
        if len(copied) == len(content):
            break
    assert copied == content
    raw.finish()


def test_an_output_that_nobody_reads_ends_the_run_quietly(tmp_path: Path, pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    raw = Raw(tmp_path, writer)
    raw.start()
    raw.write(b'x')
    reader.close()
    with pytest.raises(BrokenPipeError):
        raw.reporters.tick(1.0)
    assert raw.reporters.next_tick(1.0) is None
    raw.write(b'y')
    raw.finish(failure(ErrorKind.INTERRUPTED, 'interrupted'))
    assert raw.status.getvalue() == ''


def test_a_log_that_is_no_file_is_left_alone(tmp_path: Path, output: BinaryIO) -> None:
    (tmp_path / 'secret').write_text('secret')
    raw = Raw(tmp_path, output)
    raw.log.symlink_to(tmp_path / 'secret')
    raw.start()
    raw.reporters.tick(1.0)
    raw.finish()
    assert written(output) == b''


def test_no_descriptor_is_left_open(tmp_path: Path, output: BinaryIO) -> None:
    raw = Raw(tmp_path, output)
    before = set(os.listdir('/dev/fd'))
    raw.start()
    raw.write(b'x')
    raw.reporters.tick(1.0)
    raw.finish()
    assert len(os.listdir('/dev/fd')) == len(before)
