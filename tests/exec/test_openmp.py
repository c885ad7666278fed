"""OpenMP that the parent has used does not hang its children."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.conftest import Project

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')

SOURCE = """
#include <omp.h>
int team(int wished) {
    int count = 0;
    #pragma omp parallel num_threads(wished)
    {
        #pragma omp atomic
        count += 1;
    }
    return count;
}
int usual(void) {
    int count = 0;
    #pragma omp parallel
    {
        #pragma omp atomic
        count += 1;
    }
    return count;
}
"""

SCRIPT = """
import ctypes, sys, threading
import parproc as pp
library = ctypes.CDLL('./library.so')
if {used}:
    assert library.team(3) == 3
def task(context):
    return library.usual() > 1, library.team(3), library.usual() > 1
for name in 'abc':
    pp.Proc(name, task, timeout=20)
pp.start('*')
if __name__ == '__main__':
    pp.wait_for_all(exception_on_failure=False)
    print(pp.results())
"""


@pytest.fixture
def library(project: Project) -> None:
    (project.folder / 'library.c').write_text(SOURCE)
    compiler = shutil.which('gcc') or pytest.skip('no gcc')
    command = [compiler, '-fopenmp', '-shared', '-fPIC', 'library.c', '-o', 'library.so']
    if subprocess.run(command, cwd=project.folder, capture_output=True, check=False).returncode:
        pytest.skip('no OpenMP')


def test_where_the_parent_has_used_it_children_have_one_thread(project: Project, library: None) -> None:
    ran = project.script(SCRIPT.format(used=True))
    assert ran.out == "{'a': (False, 1, False), 'b': (False, 1, False), 'c': (False, 1, False)}\n", ran.err


def test_where_the_parent_has_not_children_have_all(project: Project, library: None) -> None:
    ran = project.script(SCRIPT.format(used=False))
    assert ran.out.count(', 3, ') == 3, ran.err


def test_on_the_command_line_it_is_said_once(project: Project, library: None) -> None:
    project.write(
        'tasks.py',
        """
        import ctypes
        import parproc as pp
        library = ctypes.CDLL('./library.so')
        library.team(3)
        for name in 'abc':
            pp.Proc(name, lambda context: library.team(3), timeout=20)
        """,
    )
    ran = project.run('-o', 'plain', 'a', 'b', 'c')
    assert ran.code == 0 and ran.err.count('OpenMP has been used') == 1, ran.err
