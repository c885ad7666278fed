"""What runs leave behind for the next: the history, through the whole program."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

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
def tasks(project):
    project.write('tasks.py', TASKS)
    return project


def database(project):
    return project.folder / '.parproc' / 'parproc.db'


def rows(project, query):
    connection = sqlite3.connect(database(project))
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_the_last_runs_and_the_trend_of_a_proc(tasks):
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


def test_what_failed_or_never_ran_runs_again(tasks):
    assert tasks.run('after').code == 1
    assert [line.split()[1] for line in tasks.run('--lf', '-n').out.splitlines()] == ['good', 'bad', 'after']
    (tasks.folder / 'fixed').touch()
    ran = tasks.run('--last-failed')
    assert ran.code == 0 and '✓ after' in ran.err
    ran = tasks.run('--lf')
    assert (ran.code, ran.err) == (0, 'nothing failed in the last run\n')


def test_a_killed_run_is_known_to_the_next_as_abandoned(tasks):
    process = tasks.start('-o', 'plain', 'slow')
    deadline = time.monotonic() + 20
    while not (tasks.folder / 'started').exists():
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    assert 'killed' in tasks.run('--history').out
    assert tasks.run('--lf', '-n').out.split() == ['1.', 'slow']


@pytest.mark.parametrize('damage', ['garbage', 'truncated', 'newer', 'folder'])
def test_a_damaged_history_changes_no_exit_code(tasks, damage):
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
    assert tasks.run('-q', 'good', 'bad').code == 1


def test_a_locked_history_is_waited_for_no_longer_than_worth_it(tasks):
    tasks.run('good')
    connection = sqlite3.connect(database(tasks))
    connection.execute('BEGIN EXCLUSIVE')
    began = time.monotonic()
    ran = tasks.run('-o', 'plain', 'good')
    assert ran.code == 0 and time.monotonic() - began < 20
    connection.rollback()
    connection.close()


@pytest.mark.parametrize('what', ['file', 'read-only'])
def test_a_state_folder_that_cannot_be_used_fails_no_task(tasks, what):
    if what == 'file':
        (tasks.folder / '.parproc').write_text('a file')
    else:
        (tasks.folder / '.parproc').symlink_to('/proc')
    ran = tasks.run('-o', 'plain', 'good')
    assert ran.code == 0, ran.err
    assert 'warning' in ran.err and 'Traceback' not in ran.err


def test_two_runs_in_one_folder_lose_no_row(project):
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


def test_what_takes_longest_is_started_first_once_that_is_known(project):
    project.write(
        'tasks.py',
        """
        import time
        import parproc as pp
        @pp.Proto('p::[n]', arg_choices={'n': ['a', 'b', 'c']})
        def p(context, n):
            time.sleep({'a': 0.0, 'b': 0.1, 'c': 0.4}[n])
        """,
    )
    first = project.run('-j1', '-o', 'plain', 'p::*')
    assert re.findall(r'▶ p::(\w)', first.err) == ['a', 'b', 'c']
    again = project.run('-j1', '-o', 'plain', 'p::*')
    assert re.findall(r'▶ p::(\w)', again.err) == ['c', 'b', 'a']


def test_deleting_the_state_loses_only_history(tasks):
    tasks.run('good')
    shutil.rmtree(tasks.folder / '.parproc')
    assert tasks.run('good').code == 0
    assert (tasks.folder / '.parproc' / '.gitignore').read_text() == '*\n'


def test_a_forked_proc_does_not_touch_the_history(project):
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
