"""What runs leave behind for the next: the history, through the whole program."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project

TASKS = """
    import os, time
    import parproc as pp

    @pp.Proc
    def good(context): pass

    @pp.Proc(deps=['good'])
    def bad(context):
        if not os.path.exists('fixed'):
            raise pp.ProcFailedError('not yet')

    @pp.Proc(deps=['bad'])
    def after(context): pass

    @pp.Proc
    def slow(context):
        open('started', 'w').close()
        time.sleep(60)
"""


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write('tasks.py', TASKS)
    return project


def database(project: Project) -> Path:
    return project.folder / '.parproc' / 'parproc.db'


def rows(project: Project, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database(project))
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_the_last_runs_and_the_trend_of_a_proc(tasks: Project) -> None:
    assert tasks.run('--history').err == 'no runs are remembered\n'
    tasks.run('good')
    tasks.run('after', 'good')
    lines = tasks.run('--history').out.splitlines()
    assert re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  exit 1  \d+\.\ds  after good', lines[0])
    assert re.fullmatch(r'\S+ \S+  good {4}\d+\.\ds  good', lines[1])
    trend = tasks.run('--history', 'bad').out.splitlines()
    assert trend[0] == 'bad' and 'FAILED' in trend[1] and trend[1].endswith('not yet')
    assert re.match(r'good  usually \d', tasks.run('--history=good').out)
    assert tasks.run('--history', 'after').err == 'after has not run yet\n'
    assert tasks.run('--history', 'god').code == 2


def test_what_failed_or_never_ran_runs_again(tasks: Project) -> None:
    assert tasks.run('after').code == 1
    assert [line.split()[1] for line in tasks.run('--lf', '-n').out.splitlines()] == ['good', 'bad', 'after']
    (tasks.folder / 'fixed').touch()
    ran = tasks.run('--last-failed')
    assert ran.code == 0 and '✓ after' in ran.err
    ran = tasks.run('--lf')
    assert (ran.code, ran.err) == (0, 'nothing failed in the last run\n')


def test_a_killed_run_is_known_to_the_next_as_abandoned(tasks: Project) -> None:
    process = tasks.start('-o', 'plain', 'slow')
    deadline = time.monotonic() + 20
    while not (tasks.folder / 'started').exists():
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    assert 'killed' in tasks.run('--history').out
    assert tasks.run('--lf', '-n').out.split() == ['1.', 'slow']


@pytest.mark.parametrize('damage', ['garbage', 'truncated', 'newer', 'folder'])
def test_a_damaged_history_changes_no_exit_code(tasks: Project, damage: str) -> None:
    tasks.run('good')
    path = database(tasks)
    if damage == 'garbage':
        path.write_bytes(b'this is no database' * 1000)
    elif damage == 'truncated':
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == 'newer':
        connection = sqlite3.connect(path)
        connection.execute('PRAGMA user_version = 99')
        connection.close()
    else:
        path.unlink()
        path.mkdir()
    ran = tasks.run('-o', 'plain', 'good')
    assert ran.code == 0 and 'Traceback' not in ran.err, ran.err
    assert ran.err.count('warning:') == 1, ran.err
    assert path.exists() and os.path.exists(f'{path}.damaged') is (damage in ('garbage', 'truncated'))
    assert tasks.run('-q', 'good', 'bad').code == 1


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root to give a folder away')
@pytest.mark.parametrize('what', ['.parproc', '.parproc/runs', '.parproc/parproc.db'])
def test_a_state_folder_of_another_user_is_refused_as_a_whole(tasks: Project, what: str) -> None:
    tasks.run('good')
    before = database(tasks).read_bytes(), os.listdir(tasks.folder / '.parproc' / 'runs')
    os.chown(tasks.folder / what, 12345, 12345)
    temporary = tasks.folder / 'temporary'
    temporary.mkdir()
    for arguments in (('-o', 'plain', 'good'), ('--history',), ('--history', 'good')):
        ran = tasks.run(*arguments, TMPDIR=str(temporary))
        assert ran.code == 0 and 'Traceback' not in ran.err, ran.err
        assert (ran.err.count('warning:'), ran.err.count('another user')) == (1, 1), ran.err
    assert 'no runs are remembered' in tasks.run('--history').err
    assert (database(tasks).read_bytes(), os.listdir(tasks.folder / '.parproc' / 'runs')) == before
    assert os.listdir(temporary) == []
    failed = tasks.run('-o', 'plain', 'bad', TMPDIR=str(temporary))
    assert failed.code == 1 and str(temporary) in failed.err
    assert len(os.listdir(temporary)) == 1


def test_absurd_values_break_no_list_no_plan_and_no_run(tasks: Project) -> None:
    tasks.run('good', 'after')
    connection = sqlite3.connect(database(tasks), isolation_level=None)
    for value in ('1e300', '-1e300', '9e999', "x'00'", "'\x1b[2J'"):
        connection.execute(
            f'INSERT INTO runs (run_id, started, ended, exit_code, targets) SELECT 1, {value}, {value}, 1, 1'
        )
        connection.execute(
            f"INSERT INTO attempts SELECT 1, 'good', 1, {value}, {value}, 'failed', NULL, 1, {value}, 1, 1"
        )
    connection.execute("INSERT INTO unfinished (run, name) SELECT id, char(27) || '[2J' FROM runs")
    connection.execute("UPDATE procs SET expected = 1e300, recent = '1e300 nan'")
    connection.close()
    for arguments, code in (('--history',), 0), (('--history', 'good'), 0), (('-n', 'after'), 0), (('--lf', '-n'), 0):
        ran = tasks.run(*arguments)
        assert ran.code == code and 'Traceback' not in ran.err and '\x1b' not in ran.out + ran.err, ran
    for mode in ('plain', 'json', 'live'):
        ran = tasks.run('-o', mode, 'after')
        assert ran.code == 1 and 'Traceback' not in ran.err, ran.err
    assert re.match(r'good  usually \d', tasks.run('--history=good').out)


CLEAN = """
    import os, shutil, time
    import parproc as pp

    @pp.Proc
    def early(context):
        return 'e' * 1_000_000

    @pp.Proc(deps=['early'])
    def clean(context):
        print('cleaning', flush=True)
        shutil.rmtree('.parproc')

    @pp.Proc(deps=['clean'])
    def late(context):
        print('said late')
        return 'l' * 1_000_000

    @pp.Proc(deps=['early', 'late'])
    def build(context):
        print(context.results['early'][:1] + context.results['late'][:1], flush=True)
"""


def test_a_task_that_removes_the_state_folder_loses_no_result_and_no_later_log(project: Project) -> None:
    project.write('tasks.py', CLEAN)
    project.write('parproc.toml', '[proc.shout]\nrun = "echo shouted"\ndeps = ["clean"]\n')
    temporary = project.folder / 'temporary'
    temporary.mkdir()
    ran = project.run('-o', 'plain', 'clean', 'build', 'shout', TMPDIR=str(temporary))
    assert (ran.code, ran.err.count('warning')) == (0, 0), ran.err
    (run,) = (project.folder / '.parproc' / 'runs').iterdir()
    logs = {path.name: path.read_text() for path in (run / 'logs').iterdir()}
    assert logs == {'late.log': 'said late\n', 'build.log': 'el\n', 'shout.log': 'shouted\n'}
    assert (project.folder / '.parproc' / '.gitignore').read_text() == '*\n'
    assert not (run / 'results').exists()
    assert os.listdir(temporary) == []
    assert 'good' in project.run('--history').out


def test_a_result_that_is_gone_fails_what_needs_it_and_says_so(project: Project) -> None:
    project.write(
        'tasks.py', CLEAN.replace("shutil.rmtree('.parproc')", "shutil.rmtree('temporary'); os.mkdir('temporary')")
    )
    (project.folder / 'temporary').mkdir()
    ran = project.run('-o', 'plain', 'build', TMPDIR=str(project.folder / 'temporary'))
    assert ran.code == 1
    assert 'was removed while the run went on' in ran.err


@pytest.mark.skipif(sys.platform != 'linux' or os.geteuid() != 0, reason='mounts a small file system')
def test_a_full_disk_fails_no_task(project: Project) -> None:
    state = project.folder / '.parproc'
    state.mkdir(0o700)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', state], check=False).returncode:
        pytest.skip('cannot mount')
    try:
        project.write(
            'tasks.py',
            """
            import parproc as pp
            @pp.Proto('p::[n]', arg_choices={'n': list(range(20))})
            def p(context, n):
                print('x' * 200_000)
                return 'r' * 100_000
            @pp.Proc(deps=['p::*'])
            def all(context):
                assert all_of(context) == 2_000_000
            def all_of(context):
                return sum(len(context.results[f'p::{n}']) for n in range(20))
            """,
        )
        ran = project.run('-o', 'plain', 'all')
        assert (ran.code, 'Traceback' in ran.err) == (0, False), ran.err
        assert ran.err.count('warning:') <= 1, ran.err
    finally:
        subprocess.run(['umount', state], check=True)


def test_a_locked_history_is_waited_for_no_longer_than_worth_it(tasks: Project) -> None:
    tasks.run('good')
    connection = sqlite3.connect(database(tasks))
    connection.execute('BEGIN EXCLUSIVE')
    began = time.monotonic()
    ran = tasks.run('-o', 'plain', 'good')
    assert ran.code == 0 and time.monotonic() - began < 20
    connection.rollback()
    connection.close()


@pytest.mark.parametrize('what', ['file', 'read-only'])
def test_a_state_folder_that_cannot_be_used_fails_no_task(tasks: Project, what: str) -> None:
    if what == 'file':
        (tasks.folder / '.parproc').write_text('a file')
    else:
        (tasks.folder / '.parproc').symlink_to('/proc')
    ran = tasks.run('-o', 'plain', 'good')
    assert ran.code == 0, ran.err
    assert 'warning' in ran.err and 'Traceback' not in ran.err


def test_two_runs_in_one_folder_lose_no_row(project: Project) -> None:
    project.write(
        'parproc.toml',
        '[proto."a::[n]"]\nrun = "true"\narg_choices.n = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n'
        '[proto."b::[n]"]\nrun = "true"\narg_choices.n = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n',
    )
    rounds = 5
    for _ in range(rounds):
        both = [project.start('-q', '-j4', f'{name}::*') for name in 'ab']
        for process in both:
            _, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, '')
    assert rows(project, 'SELECT COUNT(*) FROM attempts') == [(rounds * 20,)]
    assert rows(project, 'SELECT COUNT(*) FROM runs WHERE exit_code = 0') == [(rounds * 2,)]


def test_what_takes_longest_is_started_first_once_that_is_known(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import time
        import parproc as pp
        @pp.Proto('p::[n]', arg_choices={'n': ['a', 'b', 'c']})
        def p(context, n):
            time.sleep({'a': 0.0, 'b': 0.7, 'c': 2.0}[n])
        """,
    )
    first = project.run('-j1', '-o', 'plain', 'p::*')
    assert re.findall(r'▶ p::(\w)', first.err) == ['a', 'b', 'c']
    again = project.run('-j1', '-o', 'plain', 'p::*')
    assert re.findall(r'▶ p::(\w)', again.err) == ['c', 'b', 'a']


def test_deleting_the_state_loses_only_history(tasks: Project) -> None:
    tasks.run('good')
    shutil.rmtree(tasks.folder / '.parproc')
    assert tasks.run('good').code == 0
    assert (tasks.folder / '.parproc' / '.gitignore').read_text() == '*\n'


def test_a_forked_proc_does_not_touch_the_history(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import os, subprocess, sys
        import parproc as pp
        @pp.Proto('p::[n]', arg_choices={'n': [1, 2, 3]})
        def p(context, n):
            return [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if int(fd) > 2
                    and os.path.exists(f'/proc/self/fd/{fd}')]
        """,
    )
    if sys.platform != 'linux':
        pytest.skip('looks into /proc')
    done = subprocess.run(
        [sys.executable, '-m', 'parproc', 'p::*', '--print', 'p::3'],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert 'parproc.db' not in done.stdout
