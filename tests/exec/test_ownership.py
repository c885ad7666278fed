"""Whose a process is: tasks end with all that they have started, and nobody else's processes are ever touched."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from parproc.context import ProcContext
from parproc.core.model import ErrorKind
from parproc.exec import system
from parproc.exec.supervision import ownership, process_table
from tests.conftest import Project
from tests.exec.conftest import Bench

pytestmark = pytest.mark.skipif(not system.LINUX, reason='there are marks and orphans come home on Linux alone')


def write_pid(path: Path, pid: int) -> None:
    part = path.with_suffix('.part')
    part.write_text(str(pid))
    part.rename(path)


def pid_in(bench: Bench, name: str) -> int:
    bench.until((bench.folder / name).exists)
    return int((bench.folder / name).read_text())


def has_text(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) > 0


def wait_until_gone(pid: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while pid in process_table.read_table().processes:
        assert time.monotonic() < end, process_table.describe(pid)
        time.sleep(0.005)


def hide(path: Path, *, fork: bool) -> None:
    """Leave a process that has its own session, an empty environment and no parent of the task's."""
    if fork:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execve('/bin/sleep', ['sleep', '99'], {})
            os._exit(0)
        os.wait()
    else:
        write_pid(path, subprocess.Popen(['/bin/sleep', '99'], env={}, start_new_session=True).pid)


@pytest.mark.parametrize('fork', [False, True])
@pytest.mark.parametrize('threads', [0, 1])
def test_a_process_without_environment_and_session_of_its_task_is_still_the_tasks(
    bench: Bench, fork: bool, threads: int
) -> None:
    stop = threading.Event()
    workers = [threading.Thread(target=stop.wait, args=(60,)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        outcome, _ = bench.run(lambda context: hide(bench.folder / 'pid', fork=fork))
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert len(outcome.leaked) == 1


def test_a_commands_process_without_environment_is_the_commands(bench: Bench) -> None:
    bench.start('task', None, commands=(('sh', '-c', 'sleep 0.1; env -i setsid sleep 99 & sleep 0.5'),))
    assert len(bench.ended('task').outcome.leaked) == 1


class Programs:
    """Processes that a program may have, each hidden as well as a task's could be."""

    def __init__(self) -> None:
        self.forked = os.fork()
        if self.forked == 0:
            os.setsid()
            time.sleep(99)
            os._exit(0)
        self.spawned = [
            subprocess.Popen(['sleep', '99'], start_new_session=True),
            subprocess.Popen(['/bin/sleep', '99'], env={}, start_new_session=True),
        ]

    def are_alive(self) -> bool:
        return os.waitpid(self.forked, os.WNOHANG) == (0, 0) and [one.poll() for one in self.spawned] == [None, None]

    def end(self) -> None:
        os.kill(self.forked, signal.SIGKILL)
        os.waitpid(self.forked, 0)
        for one in self.spawned:
            one.kill()
            one.wait()


@pytest.mark.parametrize('moment', ['before', 'meanwhile'])
def test_the_programs_own_children_are_never_touched(bench: Bench, moment: str) -> None:
    early = Programs() if moment == 'before' else None
    bench.start('long', lambda context: time.sleep(0.5))
    programs = early or Programs()
    try:
        quick = subprocess.Popen(['/bin/sh', '-c', 'exit 5'], env={}, start_new_session=True)
        for index in range(3):
            assert bench.run(lambda context: os._exit(3), f'short{index}')[0].leaked == ()
        assert bench.ended('long').outcome.leaked == ()
        assert quick.wait(10) == 5
        assert programs.are_alive()
    finally:
        programs.end()


def test_a_pool_of_the_program_works_while_tasks_come_and_go(bench: Bench) -> None:
    with multiprocessing.get_context('fork').Pool(2) as pool:
        answers = [pool.apply_async(time.sleep, (0.2,)) for _ in range(4)]
        for index in range(5):
            assert bench.run(lambda context: 1, f'task{index}')[1] == 1
        assert [answer.get(10) for answer in answers] == [None] * 4


def test_executors_in_one_program_do_not_meet(make_bench: Callable[..., Bench]) -> None:
    one, other = make_bench(), make_bench()
    ready = one.folder / 'ready'

    def long(context: ProcContext) -> bool:
        child = subprocess.Popen(['/bin/sleep', '99'], env={}, start_new_session=True)
        if os.fork() == 0:
            os.setsid()
            time.sleep(99)
            os._exit(0)
        write_pid(ready, child.pid)
        while not (one.folder / 'stop').exists():
            time.sleep(0.01)
        return child.poll() is None

    one.start('long', long)
    one.start('command', None, commands=(('sh', '-c', 'setsid sleep 1 & sleep 1; wait'),))
    one.until(ready.exists)
    for index in range(5):
        assert other.run(lambda context: os.kill(os.getpid(), 9), f'short{index}')[0].leaked == ()
    other.executor.close()
    (one.folder / 'stop').touch()
    ended = one.ended('long')
    assert (ended.outcome.error, one.value_of(ended), len(ended.outcome.leaked)) == (None, True, 2)
    assert one.ended('command').outcome.error is None
    assert not ownership.living


def test_what_is_left_is_still_found_when_another_executor_has_been_closed(make_bench: Callable[..., Bench]) -> None:
    one, other = make_bench(), make_bench()
    other.run(lambda context: 1, 'other')
    one.run(lambda context: 1, 'first')
    other.executor.close()
    outcome, _ = one.run(lambda context: hide(one.folder / 'pid', fork=True), 'second')
    assert len(outcome.leaked) == 1


def test_a_limit_that_is_the_programs_own_stays_as_it_was(bench: Bench) -> None:
    before = resource.getrlimit(ownership.RLIMIT_LOCKS)
    bench.run(lambda context: 1)
    assert resource.getrlimit(ownership.RLIMIT_LOCKS) == before


def test_where_the_limit_cannot_be_used_the_environment_tells(project: Project) -> None:
    ran = project.script(
        """
        import resource, subprocess
        resource.setrlimit(10, (77, 77))
        import parproc as pp
        @pp.Proc('leaky', now=True)
        def leaky(context):
            subprocess.Popen(['sleep', '99'], start_new_session=True)
            return resource.getrlimit(10)
        own = subprocess.Popen(['sleep', '99'], start_new_session=True, env={'PATH': '/usr/bin:/bin'})
        print(pp.wait_for_all(), pp.results()['leaky'], own.poll())
        own.kill()
        """
    )
    assert ran.out.strip() == 'True (77, 77) None', ran.err


# --- signals --------------------------------------------------------------------------------------------------------

NOTER = """
import os, signal, sys, time
def note(number, frame):
    with open(sys.argv[1], 'a') as file:
        file.write(signal.Signals(number).name)
    ended.append(1)
ended = []
signal.signal(getattr(signal, sys.argv[2]), note)
open(sys.argv[1] + '.ready', 'w').close()
while not ended:
    time.sleep(0.05)
time.sleep(0.2)
"""


@pytest.mark.parametrize('number', ['TERM', 'INT', 'HUP'])
@pytest.mark.parametrize('kind', ['function', 'command'])
def test_a_stop_signal_reaches_every_process_once_whatever_group_it_made(bench: Bench, number: str, kind: str) -> None:
    files = [str(bench.folder / name) for name in ('group', 'session', 'orphan', 'plain')]
    starts = [
        [sys.executable, '-c', 'import os, sys; os.setpgid(0, 0); os.execvp(sys.argv[1], sys.argv[1:])'],
        ['setsid'],
        ['sh', '-c', 'setsid "$@" & exit', 'sh'],
        ['env'],
    ]
    noter = [sys.executable, '-c', NOTER]
    commands = [[*start, *noter, file, f'SIG{number}'] for start, file in zip(starts, files, strict=True)]

    def call(context: ProcContext) -> None:
        for command in commands:
            subprocess.Popen(command)
        time.sleep(60)

    line = ''.join(f'{shlex.join(command)} & ' for command in commands) + 'sleep 60 & wait; wait'
    if kind == 'function':
        bench.start('task', call)
    else:
        bench.start('task', None, commands=(('sh', '-c', line),))
    for file in files:
        bench.until(Path(f'{file}.ready').exists)
    bench.executor.kill('task', getattr(signal, f'SIG{number}'))
    for file in files:
        bench.until(partial(has_text, file))
    bench.executor.kill('task', signal.SIGKILL)
    assert bench.ended('task').outcome.error is not None
    assert [Path(file).read_text() for file in files] == [f'SIG{number}'] * 4


def test_stopping_and_going_on_reach_every_process(bench: Bench) -> None:
    def call(context: ProcContext) -> None:
        write_pid(bench.folder / 'pid', subprocess.Popen(['sleep', '60'], start_new_session=True).pid)
        time.sleep(60)

    def state(pid: int) -> str:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0]

    bench.start('task', call)
    pid = pid_in(bench, 'pid')
    bench.executor.kill('task', signal.SIGSTOP)
    bench.until(lambda: state(pid) == 'T')
    bench.executor.kill('task', signal.SIGCONT)
    bench.until(lambda: state(pid) != 'T')
    bench.executor.kill('task', signal.SIGKILL)
    bench.ended('task')
    wait_until_gone(pid)


def test_a_run_inside_a_task_passes_the_signal_on_by_itself(project: Project) -> None:
    """What it has started gets the signal once: a second one would end the clean-up that the first began."""
    project.write(
        'inner/tasks.py',
        """
        import time
        import parproc as pp
        @pp.Proc('inner')
        def inner(context):
            try:
                open('ready', 'w').close()
                time.sleep(60)
            finally:
                time.sleep(0.5)
                open('cleaned', 'w').close()
        """,
    )
    project.write(
        'tasks.py',
        """
        import subprocess, sys
        import parproc as pp
        @pp.Proc('outer', timeout=20)
        def outer(context):
            subprocess.Popen([sys.executable, '-m', 'parproc', '-o', 'plain', 'inner'], cwd='inner').wait()
        """,
    )
    process = project.start('-o', 'plain', 'outer')
    deadline = time.monotonic() + 30
    while not (project.folder / 'inner' / 'ready').exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (project.folder / 'inner' / 'cleaned').exists()


# --- who waits for whom ---------------------------------------------------------------------------------------------


TAKEN = 'its exit status was taken by another part of this program'


@pytest.mark.parametrize('moment', ['when it has ended', 'before it is watched'])
def test_a_program_that_reaps_every_child_costs_no_more_than_what_only_the_status_tells(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Somebody else waits for each child just before we would."""
    bench.run(lambda context: 1, 'first')
    place = 'wait4' if moment == 'when it has ended' else 'pidfd_open'
    real = getattr(os, place)

    def too_late(pid: int, *more: Any) -> object:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        return real(pid, *more)

    monkeypatch.setattr(os, place, too_late)
    assert bench.run(lambda context: 7, 'function')[1] == 7
    mute, _ = bench.run(lambda context: os._exit(0), 'mute')
    bench.start('command', None, commands=(('sh', '-c', 'exit 3'), ('sh', '-c', 'exit 4')))
    command = bench.ended('command').outcome
    assert (mute.error, mute.reason) == (ErrorKind.NO_RESULT, TAKEN)
    assert (command.error, command.reason) == (ErrorKind.NO_RESULT, TAKEN)


def test_ends_that_the_shell_has_thrown_away_are_kept_for_a_run(project: Project) -> None:
    project.write('parproc.toml', '[proc.good]\nrun = "true"\n[proc.bad]\nrun = "exit 3"\n')
    project.write('tasks.py', 'import parproc as pp\npp.Proc("five", lambda context: 5)\n')
    done = subprocess.run(
        ['bash', '-c', f'trap "" CHLD; {sys.executable} -m parproc -o plain good bad five; echo code=$?'],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 'code=1' in done.stdout and 'exit 3' in done.stderr and '2 succeeded' in done.stderr, done.stderr
    assert 'bug in parproc' not in done.stderr


def test_a_program_that_lets_the_system_throw_ends_away_gets_what_its_procs_said(project: Project) -> None:
    ran = project.script(
        """
        import signal
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        import parproc as pp
        pp.Proc('value', lambda context: 5, now=True)
        print(pp.wait_for_all(), pp.results())
        """
    )
    assert ran.out.strip() == "True {'value': 5}", ran.err


# --- logs that are none ---------------------------------------------------------------------------------------------


def test_a_log_that_became_a_pipe_holds_nobody_up(bench: Bench) -> None:
    log = bench.folder / 'task.log'
    replace = ('sh', '-c', f'rm {log}; mkfifo {log}')
    bench.start('task', None, commands=(replace, ('true',)))
    assert bench.ended('task').outcome.error is None
    assert bench.run(lambda context: 1, 'later', attempt=2, log_path=str(log))[1] == 1
    holder = os.open(log, os.O_RDWR)
    try:
        assert bench.run(lambda context: 2, 'again', attempt=2, log_path=str(log))[1] == 2
    finally:
        os.close(holder)
