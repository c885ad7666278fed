"""Logs are read in bounded parts, and only where they are files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from parproc.report.logs.read_log import HEAD_BYTES, TAIL_BYTES, failure_lines, open_log, read_log_excerpt


def test_a_small_log_is_read_whole_with_bytes_that_are_no_text_spelled(tmp_path: Path) -> None:
    path = tmp_path / 'log'
    path.write_bytes(b'caf\xe9 \x00\n')
    assert read_log_excerpt(str(path)) == 'caf\\xe9 \x00\n'
    assert list(failure_lines(str(path), colour=False)) == ['caf\\xe9 \\x00']


def test_of_a_huge_log_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / 'log'
    with path.open('wb') as file:
        file.write(b'first\n')
        file.truncate(2 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b'\nlast\n')
    text = read_log_excerpt(str(path))
    assert text.startswith('first\n')
    assert text.endswith('\nlast\n')
    assert f'\n... {(2 << 30) + 6 - HEAD_BYTES - TAIL_BYTES} bytes left out\n' in text
    assert len(text) < HEAD_BYTES + TAIL_BYTES + 100


def test_all_of_a_log_has_bounded_lines(tmp_path: Path) -> None:
    path = tmp_path / 'log'
    path.write_bytes(b'one\r\n' + b'x' * 200_000 + b'\nend')
    lines = list(failure_lines(str(path), colour=False, full=True))
    assert (lines[0], lines[-1]) == ('one', 'end')
    assert max(map(len, lines)) < 100_000
    assert sum(map(len, lines[1:-1])) == 200_000


@pytest.mark.parametrize('plant', ['nothing', 'link', 'pipe', 'folder'])
def test_what_is_not_a_file_is_not_opened(plant: str, tmp_path: Path) -> None:
    path = tmp_path / 'log'
    (tmp_path / 'secret').write_text('secret')
    if plant == 'link':
        path.symlink_to(tmp_path / 'secret')
    elif plant == 'pipe':
        os.mkfifo(path)
    elif plant == 'folder':
        path.mkdir()
    assert open_log(str(path)) is None
    assert read_log_excerpt(str(path)) == ''
    assert list(failure_lines(str(path), colour=False)) == []
    assert list(failure_lines(str(path), colour=False, full=True)) == []
