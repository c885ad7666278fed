"""Where a task's output goes: into its own log, wherever that has to be made, and into nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parproc.exec import system
from parproc.exec.job_log import open_log
from parproc.exec.protocol import Job, StartError, Warned
from tests.exec.conftest import Bench


@pytest.fixture
def nothing() -> Iterator[int]:
    descriptor = os.open(os.devnull, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def written(job: Job, nothing: int, **more: bool) -> str:
    """Write through a job's log, and return what went wrong with that."""
    log, complaint = open_log(job, nothing, **more)
    os.write(log, b'text')
    if log != nothing:
        assert os.get_blocking(log)
        os.close(log)
    return complaint


def test_a_command_that_cannot_be_started_at_once_finds_its_own_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name = (os, 'posix_spawnp') if system.LINUX else (subprocess, 'Popen')
    real = getattr(owner, name)
    refused: list[bool] = []

    def refuse_once(*arguments: Any, **options: Any) -> object:
        if not refused:
            refused.append(True)
            raise BlockingIOError(errno.EAGAIN, 'not now')
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, refuse_once)
    job = bench.job('a', None, commands=(('echo', 'said'),))
    with pytest.raises(StartError) as error:
        bench.executor.start(job)
    assert error.value.scarce
    bench.executor.start(job)
    bench.ended('a')
    assert [report for report in bench.reports if isinstance(report, Warned)] == []
    assert (bench.folder / 'a.log').read_text() == 'said\n'


@pytest.mark.parametrize('attempt', [1, 2])
def test_a_log_is_made_again_with_its_folders(attempt: int, bench: Bench, nothing: int, tmp_path: Path) -> None:
    folder = tmp_path / '.parproc' / 'runs' / 'id' / 'logs'
    job = bench.job('a', None, attempt=attempt, log_path=str(folder / 'a.log'))
    assert written(job, nothing) == ''
    shutil.rmtree(tmp_path / '.parproc')
    assert written(job, nothing, first=False) == ''
    assert (folder / 'a.log').read_text() == 'text'


def plant(path: Path, what: str, elsewhere: Path) -> None:
    elsewhere.write_text('kept')
    if what == 'link':
        path.symlink_to(elsewhere)
    elif what == 'hard link':
        path.hardlink_to(elsewhere)
    elif what == 'fifo':
        os.mkfifo(path)
    else:
        path.mkdir()


@pytest.mark.parametrize('attempt', [1, 2])
@pytest.mark.parametrize('what', ['link', 'hard link', 'fifo', 'folder'])
def test_nothing_else_is_opened_in_the_place_of_a_log(
    what: str, attempt: int, bench: Bench, nothing: int, tmp_path: Path
) -> None:
    job = bench.job('a', None, attempt=attempt)
    plant(bench.folder / 'a.log', what, tmp_path / 'elsewhere')
    assert 'the log of "a" cannot be written' in written(job, nothing)
    assert (tmp_path / 'elsewhere').read_text() == 'kept'


def test_a_pipe_that_somebody_reads_is_no_log(bench: Bench, nothing: int) -> None:
    os.mkfifo(bench.folder / 'a.log')
    reader = os.open(bench.folder / 'a.log', os.O_RDONLY | os.O_NONBLOCK)
    assert 'cannot be written' in written(bench.job('a', None), nothing)
    assert os.read(reader, 10) == b''
    os.close(reader)


def test_a_log_that_somebody_has_filled_is_not_taken_for_a_new_one(bench: Bench, nothing: int) -> None:
    (bench.folder / 'a.log').write_text('foreign')
    assert 'cannot be written' in written(bench.job('a', None), nothing)
    assert (bench.folder / 'a.log').read_text() == 'foreign'


def test_a_large_result_survives_the_removal_of_its_folder(bench: Bench) -> None:
    shutil.rmtree(bench.folder)
    bench.folder.mkdir()
    place = bench.folder / 'runs' / 'id' / 'results' / 'a'
    outcome, value = bench.run(lambda context: b'x' * 100_000, result_paths=(str(place),))
    assert (outcome.error, value) == (None, b'x' * 100_000)
    assert place.exists()
