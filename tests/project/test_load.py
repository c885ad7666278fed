"""Whatever a task file does while it is loaded, what is ours to say is said, and what is ours to do is done."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import pytest

from tests.conftest import Project

DECLARED = "import parproc as pp\npp.Proc('a', lambda context: print('ran'))\n"

SURVIVED = {
    'environ cleared': 'import os; os.environ.clear()',
    'environ replaced': 'import os; os.environ = {}',
    'no stdout': 'import sys; sys.stdout = None',
    'no streams': 'import sys; sys.stdin = sys.stdout = sys.stderr = None',
    'closed stdout': 'import sys; sys.stdout.close()',
    'detached stdout': 'import sys, io; sys.stdout = io.TextIOWrapper(sys.stdout.detach())',
    'wrapped stdout': 'import sys, io; sys.stdout = io.TextIOWrapper(sys.stdout.buffer)',
    'replaced streams': 'import sys, io; sys.stdout = sys.stderr = io.StringIO()',
    'no search path': 'import sys; sys.path.clear()',
    'elsewhere': 'import os; os.chdir("/")',
    'a thread': 'import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()',
    'a process': 'import multiprocessing as mp, time; mp.get_context("fork").Process(target=time.sleep, args=(1000,)).start()',
    'a pool': 'import concurrent.futures as f, time; f.ThreadPoolExecutor().submit(time.sleep, 1000)',
}


@pytest.mark.parametrize('what', SURVIVED)
def test_it_is_run_as_ever(project: Project, what: str) -> None:
    project.write('tasks.py', f'{DECLARED}{SURVIVED[what]}\n')
    listed = project.run('-l')
    assert (listed.code, listed.out, listed.err) == (0, 'a\n', '')
    ran = project.run('--junit', 'x.xml', '-o', 'plain', 'a')
    assert ran.code == 0 and '1 succeeded' in ran.err and 'Traceback' not in ran.err, ran.err
    assert (project.folder / 'x.xml').exists()
    missing = project.run('nope')
    assert missing.code == 2 and 'unknown proc "nope"' in missing.err


@pytest.mark.parametrize('descriptor', [0, 1, 2])
def test_no_file_of_ours_becomes_a_standard_stream(project: Project, descriptor: int) -> None:
    project.write('tasks.py', f'{DECLARED}import os; os.close({descriptor})\n')
    ran = project.run('--junit', 'x.xml', '-o', 'plain', 'a')
    assert ran.code == 0 and 'Traceback' not in ran.err
    assert (project.folder / 'x.xml').read_text().startswith('<?xml')


def test_handlers_of_the_end_run_although_a_thread_is_not_waited_for(project: Project) -> None:
    project.write(
        'tasks.py',
        f'{DECLARED}{SURVIVED["a thread"]}\nimport atexit; atexit.register(print, "at the end")\n',
    )
    assert project.run('a').out == 'ran\nat the end\n'


def test_a_thread_is_not_waited_for_when_the_file_fails(project: Project) -> None:
    project.write('tasks.py', f'{SURVIVED["a thread"]}\n1 / 0\n')
    ran = project.run('a')
    assert ran.code == 2 and 'tasks.py:2: ZeroDivisionError' in ran.err


BROKEN = {
    'exits': 'def __str__(self): raise SystemExit(0)',
    'is none': 'def __str__(self): return 5',
    'never ends': 'def __str__(self): return str(self)',
    'interrupts': 'def __str__(self): raise KeyboardInterrupt',
}


@pytest.mark.parametrize('base', ['Exception', 'BaseException', 'pp.UserError'])
@pytest.mark.parametrize('how', BROKEN)
def test_an_exception_that_cannot_be_printed_is_told_with_its_place(project: Project, base: str, how: str) -> None:
    init = '    def __init__(self): pass\n'
    project.write('tasks.py', f'{DECLARED}class Odd({base}):\n{init}    {BROKEN[how]}\nraise Odd\n')
    ran = project.run('-l')
    assert ran.code == 2 and 'tasks.py:6: Odd, which cannot be printed' in ran.err
    assert 'parproc: error' in ran.err and '/parproc/' not in ran.err.replace(str(project.folder), '')


@pytest.mark.parametrize('arguments', [['-l'], ['a'], ['--history'], ['--init'], ['-f', 'tasks.py'], ['-C', 'x', 'a']])
def test_a_current_directory_that_is_gone_is_said(project: Project, arguments: list[str]) -> None:
    gone = project.folder / 'gone'
    gone.mkdir()
    done = subprocess.run(
        ['/bin/sh', '-c', f'rmdir {gone}; exec "$@"', 'sh', sys.executable, '-m', 'parproc', *arguments],
        cwd=gone,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2 and not done.stdout
    assert done.stderr == ('parproc: error: the current directory is gone\nhint: change to one that is there\n')


def test_completion_has_nothing_to_say_where_the_current_directory_is_gone(project: Project) -> None:
    gone = project.folder / 'gone'
    gone.mkdir()
    done = subprocess.run(
        ['/bin/sh', '-c', f'rmdir {gone}; exec "$@"', 'sh', sys.executable, '-m', 'parproc'],
        cwd=gone,
        env=project.environment(_PARPROC_COMPLETE='fish_complete', COMP_WORDS='parproc '),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


INTERRUPT = """
import os, signal, sys
def interrupt(event, arguments):
    if event == 'import' and arguments[0] == os.environ['INTERRUPT_AT']:
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(interrupt)
"""
MOMENTS = (
    *(
        'parproc.cli',
        'parproc.cli.main',
        'parproc.cli.command_line',
        'parproc.errors',
        'parproc.cli.dispatch',
        'parproc.api',
    ),
    *(
        'parproc.session',
        'parproc.cli.load',
        'parproc.engine.task_files',
        'parproc.project.modules',
        'own',
        'parproc.cli.run',
        'parproc.engine.loop',
    ),
    'parproc.exec.processes.executor',
)


@pytest.mark.parametrize('moment', MOMENTS)
@pytest.mark.parametrize('how', ['module', 'command'])
def test_ctrl_c_at_any_moment_of_the_start_is_died_of_in_silence(
    project: Project, tmp_path_factory: pytest.TempPathFactory, moment: str, how: str
) -> None:
    folder = tmp_path_factory.mktemp('start')
    (folder / 'sitecustomize.py').write_text(INTERRUPT)
    project.write('own.py', '')
    project.write('tasks.py', f'import own\n{DECLARED}')
    program = ['-m', 'parproc']
    if how == 'command':
        import parproc.launcher

        program = [str(shutil.copy(parproc.launcher.__file__, folder / 'launched'))]
    done = subprocess.run(
        [sys.executable, *program, 'a'],
        cwd=project.folder,
        env=project.environment(PYTHONPATH=f'{folder}:{project.environment()["PYTHONPATH"]}', INTERRUPT_AT=moment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, '', '')


@pytest.mark.parametrize('source', [b'x\0y', b'# coding: nope\n'])
def test_a_file_that_is_no_python_at_all_has_no_line_to_name(project: Project, source: bytes) -> None:
    (project.folder / 'tasks.py').write_bytes(source)
    ran = project.run('-l')
    assert ran.code == 2 and 'tasks.py: ' in ran.err and 'None' not in ran.err and '^' not in ran.err
