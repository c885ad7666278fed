"""What running things costs a program that does so again and again: ``python -m tests.bench.programs [SCALE]``.

The references are ``concurrent.futures.ProcessPoolExecutor``, one call after the other, and a loop of fork, exit and wait,
each in a process of its own that has nothing of parproc in it. SCALE (default 1.0) shrinks counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.__main__ import show

ROUNDS = 3
ROOT = Path(__file__).parent.parent.parent

FORKS = """
import json, os, sys, time

count = int(sys.argv[1])
began = time.perf_counter()
for _ in range(count):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print(json.dumps((time.perf_counter() - began) / count))
"""
EXECUTOR = """
import json, sys, time
from concurrent.futures import ProcessPoolExecutor

def nothing(number):
    return number

if __name__ == '__main__':
    count = int(sys.argv[1])
    with ProcessPoolExecutor(2) as pool:
        pool.submit(nothing, 0).result()
        began = time.perf_counter()
        for number in range(count):
            pool.submit(nothing, number).result()
        print(json.dumps((time.perf_counter() - began) / count))
"""
AGAIN = """
import json, sys, time
import parproc as pp

count = int(sys.argv[1])
pp.Proc('nothing', lambda context: 1)
pp.wait('nothing')
began = time.perf_counter()
for _ in range(count):
    pp.run('nothing', again=True)
    pp.wait('nothing')
print(json.dumps((time.perf_counter() - began) / count))
"""
NEW_ONES = """
import json, sys, time
import parproc as pp

def lap(numbers):
    began = time.perf_counter()
    for number in numbers:
        pp.wait(f'nothing::{number}')
    return (time.perf_counter() - began) / len(numbers)

count = int(sys.argv[1])
pp.Proto('nothing::[number]', lambda context, number: number)
pp.wait('nothing::first')
laps = [lap(range(count * part // 4, count * (part + 1) // 4)) for part in range(4)]
print(json.dumps((laps[0], laps[-1])))
"""
SESSIONS = """
import json, os, sys, tempfile, time
import parproc as pp

def held():
    children = f'/proc/self/task/{os.getpid()}/children'
    return [len(os.listdir('/proc/self/fd')), len(open(children).read().split()), len(os.listdir(tempfile.gettempdir()))]

def one(number):
    began = time.perf_counter()
    session = pp.Session()
    session.Proc('answer', lambda context: number)
    assert session.wait('answer') == number
    if number % 2:
        session.close()
    return time.perf_counter() - began

count = int(sys.argv[1])
one(0)
before = held()
times = [one(number) for number in range(count)]
print(json.dumps([sorted(times)[len(times) // 2], times[0], times[-1], before, held()]))
"""


def measured(text: str, count: int) -> Any:
    """Run a program that prints a figure, in a process and a temporary folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / 'program.py').write_text(text)
        (Path(folder) / 'tmp').mkdir()
        environment = {'PATH': '/usr/bin:/bin', 'PYTHONPATH': str(ROOT), 'TMPDIR': f'{folder}/tmp'}
        command = [sys.executable, 'program.py', str(count)]
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


def against(text: str, count: int) -> tuple[float, float, float]:
    """Medians of seconds a run, and of how many times as long as a bare fork and as a call of an executor that is."""
    rounds = []
    for _ in range(ROUNDS):
        fork, call, spent = measured(FORKS, count), measured(EXECUTOR, count), measured(text, count)
        rounds.append((spent, spent / fork, spent / call))
    spent, forks, calls = (statistics.median(one[which] for one in rounds) for which in range(3))
    return spent, forks, calls


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0

    def scaled(count: int) -> int:
        return max(8, int(count * scale))

    spent, forks, calls = against(AGAIN, scaled(300))
    show('run(again=True) and wait in a loop: against a bare fork', f'{forks:.1f} ({spent * 1e3:.2f} ms)', '<= 12')
    show('the same against a call of ProcessPoolExecutor', f'{calls:.1f}', '')
    first, last = (
        statistics.median(lap) for lap in zip(*(measured(NEW_ONES, scaled(2000)) for _ in range(ROUNDS)), strict=True)
    )
    show(
        '2,000 procs one after the other: last quarter to first', f'{last / first:.2f} ({last * 1e3:.2f} ms)', '<= 1.5'
    )
    median, first, last, before, after = measured(SESSIONS, scaled(101))
    show(
        '101 sessions in a row: each (first, last)', f'{median * 1e3:.1f} ms ({first * 1e3:.1f}, {last * 1e3:.1f})', ''
    )
    show('descriptors, processes, folders before and after', f'{before} {after}', 'the same')


if __name__ == '__main__':
    main()
