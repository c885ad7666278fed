"""Descriptors 0, 1 and 2 that are closed."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, Project

REPORT = """
import os, sys
from parproc.host.standard_descriptors import fill_standard_descriptors
closed = [int(word) for word in sys.argv[1:]]
for descriptor in closed:
    os.close(descriptor)
before = [os.fstat(descriptor) for descriptor in range(3) if descriptor not in closed]
fill_standard_descriptors()
assert before == [os.fstat(descriptor) for descriptor in range(3) if descriptor not in closed]
for descriptor in closed:
    assert os.path.sameopenfile(descriptor, os.open(os.devnull, os.O_RDONLY))
    assert os.get_inheritable(descriptor) and os.read(descriptor, 1) == b''
    try:
        os.write(descriptor, b'lost')
    except OSError:
        continue
    os._exit(3)
assert os.open(os.devnull, os.O_RDONLY) > 2
os._exit(0)
"""
CLOSED = [closed for count in range(4) for closed in itertools.combinations('012', count)]


@pytest.mark.parametrize('closed', CLOSED, ids=''.join)
def test_what_is_closed_reads_as_empty_and_refuses_what_is_written(closed: tuple[str, ...]) -> None:
    command = [sys.executable, '-c', REPORT, *closed]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    assert subprocess.run(command, env=environment, stdin=subprocess.PIPE, timeout=30, check=False).returncode == 0


@pytest.mark.parametrize('arguments', ['-l', '-n good', '--graph', '-o stream good other', 'good'])
def test_output_is_not_lost_in_silence_where_a_task_file_closes_it(project: Project, arguments: str) -> None:
    project.write(
        'tasks.py',
        """
        import os
        import parproc as pp
        os.close(1)
        @pp.Proc
        def good(context): print('said')
        @pp.Proc
        def other(context): print('said')
        """,
    )
    ran = project.run(*arguments.split())
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == 'parproc: write error: Bad file descriptor'


def test_a_task_file_that_closes_all_three_changes_only_what_is_shown(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import os
        import parproc as pp
        os.closerange(0, 3)
        @pp.Proc
        def good(context): open('ran', 'w').close()
        @pp.Proc(deps=[good])
        def other(context): print('said')
        """,
    )
    ran = project.run('-o', 'plain', 'other')
    assert (ran.code, ran.out, ran.err) == (0, '', '')
    assert (project.folder / 'ran').exists()
