"""What happens to the processes of a run when parproc itself is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from parproc.exec import system

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')

PARENT = """
    import os, selectors, subprocess, sys, time
    from pathlib import Path
    from parproc.exec.processes import ProcessExecutor
    from parproc.exec.protocol import Job
    from parproc.values import Results
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
    executor = ProcessExecutor(selector, print, run_id=run_id)
    for name in ('a', 'b'):
        executor.start(Job(name, 1, 1, task, {}, {}, (), Results({}), str(folder / f'{name}.log'), (), repr, None,
                           {'PARPROC_NAME': name, 'PARPROC_RUN_ID': run_id}))
    if 'holder' in sys.argv:
        if os.fork() == 0:  # keeps the writing end of the reaper's pipe
            os.setsid()
            (folder / 'holder').write_text(str(os.getpid()))
            time.sleep(99)
    if 'reaper' in sys.argv:  # the reaper is gone before; the next start makes a new one
        os.kill(executor._reaper.pid, 9)
        time.sleep(0.05)
        executor.start(Job('c', 1, 1, task, {}, {}, (), Results({}), str(folder / 'c.log'), (), repr, None,
                           {'PARPROC_NAME': 'c', 'PARPROC_RUN_ID': run_id}))
    (folder / 'ready').touch()
    while True:
        for key, _ in selector.select():
            key.data()
"""


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@pytest.mark.parametrize('kind', ['plain', 'holder', 'reaper'])
def test_killing_the_parent_leaves_nothing(tmp_path, kind):
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
        command = system.command_of(parent.pid)
    finally:
        parent.kill()
        parent.wait()

    def left():
        holder = int((tmp_path / 'holder').read_text()) if kind == 'holder' else 0
        table = system.process_table()
        return {
            pid: system.describe(pid)
            for pid in table
            if pid != holder and (entry in system.environment_of(pid) or system.command_of(pid) == command)
        }

    gone = wait_until(lambda: not left(), 2)
    remaining = left()
    if kind == 'holder':
        os.kill(int((tmp_path / 'holder').read_text()), signal.SIGKILL)
    for pid in remaining:
        os.kill(pid, signal.SIGKILL)
    assert gone, remaining


def test_a_tree_holds_sessions_and_descendants():
    table = {10: (1, 10), 11: (10, 10), 12: (11, 12), 13: (1, 10), 14: (12, 14), 20: (1, 20), 21: (20, 20)}
    assert system.tree_of({10}, table) == {10, 11, 12, 13, 14}
    assert system.tree_of({20, 12}, table) == {12, 14, 20, 21}
    assert system.tree_of({99}, table) == set()
