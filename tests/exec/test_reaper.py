"""What happens to the processes of a run when parproc itself is killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeAlias

import pytest

from parproc.exec import system
from parproc.exec.supervision import process_table
from parproc.exec.supervision.process_table import Process, ProcessTable
from tests.conftest import Project
from tests.exec.conftest import Bench

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')

PARENT = """
    import os, selectors, subprocess, sys, time
    from pathlib import Path
    from parproc.exec.processes.executor import ProcessExecutor
    from parproc.exec.protocol import Job, TaskRef
    from parproc.values.results import Results
    folder, run_id = Path(sys.argv[1]), sys.argv[2]

    def daemon():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                (folder / 'daemon').write_text(str(os.getpid()))
                time.sleep(99)
            os._exit(0)
        os.wait()

    def task(context):
        daemon()
        subprocess.Popen(['setsid', 'sh', '-c', 'sleep 99 & exec sleep 98'])
        subprocess.Popen(['sh', '-c', 'trap "" TERM; sleep 97'])
        (folder / context.proc_name).touch()
        time.sleep(99)

    held = None
    selector = selectors.DefaultSelector()
    class Functions:
        def call(self, name, /):
            return task

        def name_of(self, function, /):
            return repr(function)

    executor = ProcessExecutor(selector, print, Functions(), run_id=run_id)
    for name in ('a', 'b'):
        executor.start(Job(name, 1, 1, TaskRef(name), {}, {}, (), Results({}), str(folder / f'{name}.log'), (), None,
                           {'PARPROC_NAME': name, 'PARPROC_RUN_ID': run_id}))
    if 'holder' in sys.argv:
        if os.fork() == 0:  # keeps the writing end of the reaper's pipe
            os.setsid()
            (folder / 'holder').write_text(str(os.getpid()))
            time.sleep(99)
    if 'reaper' in sys.argv:  # the reaper is gone before; the next start makes a new one
        os.kill(executor._supervisor._reaper.pid, 9)
        time.sleep(0.05)
        executor.start(Job('c', 1, 1, TaskRef('c'), {}, {}, (), Results({}), str(folder / 'c.log'), (), None,
                           {'PARPROC_NAME': 'c', 'PARPROC_RUN_ID': run_id}))
    (folder / 'ready').touch()
    while True:
        for key, _ in selector.select():
            key.data()
"""


def command_of(pid: int) -> bytes:
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes()
    except OSError:
        return b''


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@pytest.mark.skipif(not system.LINUX, reason='a daemon that starts no program is found on Linux alone')
@pytest.mark.parametrize('kind', ['plain', 'holder', 'reaper'])
def test_killing_the_parent_leaves_nothing(tmp_path: Path, kind: str) -> None:
    system.prepare()
    run_id = f'killed-{os.getpid()}-{time.monotonic_ns()}'
    entry = b'PARPROC_RUN_ID=' + run_id.encode()
    script = tmp_path / 'parent.py'
    script.write_text(textwrap.dedent(PARENT))
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), run_id, kind], env={**os.environ, 'PYTHONPATH': str(root)}
    )
    needed = ['ready', 'a', 'b', 'daemon', *(['holder'] if kind == 'holder' else ['c'] if kind == 'reaper' else [])]
    try:
        assert wait_until(lambda: all((tmp_path / name).exists() for name in needed), 20)
        time.sleep(0.1)
        command = command_of(parent.pid)
    finally:
        parent.kill()
        parent.wait()

    def left() -> dict[int, str]:
        holder = int((tmp_path / 'holder').read_text()) if kind == 'holder' else 0
        table = process_table.read_table().processes
        return {
            pid: process_table.describe(pid)
            for pid in table
            if pid != holder and (entry in process_table.environment_of(pid) or command_of(pid) == command)
        }

    gone = wait_until(lambda: not left(), 2)
    remaining = left()
    if kind == 'holder':
        os.kill(int((tmp_path / 'holder').read_text()), signal.SIGKILL)
    for pid in remaining:
        os.kill(pid, signal.SIGKILL)
    assert gone, remaining


def test_a_tree_holds_sessions_and_descendants() -> None:
    parents = {10: (1, 10), 11: (10, 10), 12: (11, 12), 13: (1, 10), 14: (12, 14), 20: (1, 20), 21: (20, 20)}
    table = ProcessTable({pid: Process(parent, session, session) for pid, (parent, session) in parents.items()})
    assert table.tree_of({10}) == {10, 11, 12, 13, 14}
    assert table.tree_of({20, 12}) == {12, 14, 20, 21}
    assert table.tree_of({99}) == set()
    assert table.children_of(12) == [14]


Supervised: TypeAlias = 'tuple[Bench, Callable[[], int | None]]'


@pytest.fixture
def supervised(bench: Bench) -> Supervised:
    """A bench with a task that stays, and the pid of its reaper."""
    bench.start('long', lambda context: time.sleep(60))

    def reaper() -> int | None:
        found = bench.executor._supervisor._reaper
        return None if found is None else found.pid

    return bench, reaper


def test_a_reaper_that_is_killed_is_replaced_at_once(supervised: Supervised) -> None:
    bench, reaper = supervised
    first = reaper()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    bench.until(lambda: reaper() not in {None, first})
    assert bench.alive(reaper()) and not bench.alive(first)


def test_a_reaper_that_cannot_be_replaced_now_is_replaced_with_the_next_task(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, reaper = supervised
    first = reaper()
    assert first is not None

    def refuse(*arguments: object) -> NoReturn:
        raise OSError(errno.EAGAIN, 'Resource temporarily unavailable')

    with monkeypatch.context() as patch:
        patch.setattr(os, 'fork', refuse)
        os.kill(first, signal.SIGKILL)
        bench.until(lambda: reaper() is None)
    assert bench.run(lambda context: 1, 'other')[1] == 1
    assert bench.alive(reaper())


def test_a_stopped_reaper_holds_nobody_up(supervised: Supervised) -> None:
    bench, reaper = supervised
    pid = reaper()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    bench.executor.close()
    assert not bench.alive(pid)


def test_a_reaper_that_does_not_listen_is_replaced(supervised: Supervised) -> None:
    bench, reaper = supervised
    deaf = reaper()
    assert deaf is not None
    os.kill(deaf, signal.SIGSTOP)
    held = bench.executor._supervisor._reaper
    assert held is not None
    writer = held.writer
    for lines in (1000, 1):  # a pipe takes a short text wholly or not at all
        with pytest.raises(BlockingIOError):
            while True:
                os.write(writer, b'-1\n' * lines)
    bench.run(lambda context: 1, 'other')
    assert reaper() != deaf and bench.alive(reaper()) and not bench.alive(deaf)


@pytest.mark.skipif(not system.LINUX, reason='what has no environment is found on Linux alone')
@pytest.mark.parametrize('how', ['killed reaper', 'bare'])
def test_killing_a_program_leaves_nothing_hidden_either(project: Project, how: str) -> None:
    """Nor when its reaper was killed just before; the program's own children stay."""
    project.write(
        'script.py',
        """
        import os, subprocess, sys, time
        import parproc as pp
        from parproc.exec.supervision import ownership
        bare = dict(env={}, start_new_session=True)
        @pp.Proc('task')
        def task(context):
            hidden = subprocess.Popen(['/bin/sleep', '99'], **bare)
            open('hidden', 'w').write(f'{hidden.pid} {os.getpid()}')
            time.sleep(99)
        own = subprocess.Popen(['/bin/sleep', '99'], **bare)
        open('own', 'w').write(str(own.pid))
        pp.start('task')
        while not os.path.exists('hidden') or not open('hidden').read():
            time.sleep(0.01)
        (reaper,) = ownership.spared
        open('ready', 'w').write(str(reaper))
        pp.wait_for_all()
        """,
    )
    parent = subprocess.Popen([sys.executable, 'script.py'], cwd=project.folder, env=project.environment())
    ready = project.folder / 'ready'
    assert wait_until(lambda: ready.exists() and ready.read_text(), 20)
    pids = {*map(int, (project.folder / 'hidden').read_text().split())}
    own, reaper = int((project.folder / 'own').read_text()), int(ready.read_text())
    if how == 'killed reaper':
        os.kill(reaper, signal.SIGKILL)

        def replaced() -> bool:
            children = process_table.read_table().children_of(parent.pid)
            return reaper not in children and len(children) == 3

        assert wait_until(replaced, 10)
    parent.kill()
    parent.wait()
    try:
        assert wait_until(lambda: not pids & process_table.read_table().processes.keys(), 5)
        assert own in process_table.read_table().processes
    finally:
        os.kill(own, signal.SIGKILL)
