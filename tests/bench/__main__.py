"""Figures of merit, each beside its reference in the same run: ``python -m tests.bench [SCALE]``.

The reference for running procs is a loop of fork, exit and wait in the same process. SCALE (default 1.0) shrinks counts.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from parproc import Session
from parproc.context import ProcContext
from parproc.core.events import Finished, Launch, Wanted
from parproc.core.machine import Machine
from parproc.core.model import SUCCESS, TaskSpec
from parproc.core.plan import build


def nothing(_context: ProcContext) -> None:
    """Do nothing."""


def bare_forks(count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return (time.perf_counter() - began) / count


def timed(session: Session, names: list[str], count: int) -> tuple[float, float]:
    """Seconds a task, and a bare fork, measured before and after in the same process."""
    before = bare_forks(min(count, 500))
    began = time.perf_counter()
    session.start(names)
    session.wait_for_all()
    spent = (time.perf_counter() - began) / count
    reference = (before + bare_forks(min(count, 500))) / 2
    session.clear()
    return spent, spent / reference


def independent(count: int) -> tuple[float, float]:
    session = Session(parallel=4)
    for number in range(count):
        session.Proc(f'p{number}', nothing)
    return timed(session, list(session.get_procs()), count)


def chain(count: int) -> tuple[float, float]:
    session = Session(parallel=4)
    for number in range(count):
        session.Proc(f'p{number}', nothing, deps=[f'p{number - 1}'] if number else [])
    return timed(session, [f'p{count - 1}'], count)


def layers(count: int, width: int) -> tuple[float, float]:
    session = Session(parallel=4)
    for layer in range(count):
        deps = [f'p{layer - 1}-{index}' for index in range(width)] if layer else []
        for index in range(width):
            session.Proc(f'p{layer}-{index}', nothing, deps=deps)
    return timed(session, list(session.get_procs()), count * width)


def machine_only(count: int) -> tuple[float, float]:
    specs = [
        TaskSpec(f't{n}', tuple(f't{n - step}' for step in (1, 7, 50) if n >= step), order=n) for n in range(count)
    ]
    began = time.perf_counter()
    plan = build(specs)
    planned = time.perf_counter()
    machine = Machine(parallel=4)
    running = deque(action.name for action in machine.handle(Wanted(plan.order)) if isinstance(action, Launch))
    while running:
        actions = machine.handle(Finished(running.popleft(), SUCCESS, 1.0))
        running.extend(action.name for action in actions if isinstance(action, Launch))
    return planned - began, (time.perf_counter() - planned) / count


def memory(count: int) -> float:
    independent(count)
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith('VmHWM'))


def descriptors(count: int) -> float:
    """Descriptors of the parent for each proc, while that many run at once."""
    started = mmap.mmap(-1, count)
    parent = f'/proc/{os.getpid()}/fd'
    before = len(os.listdir(parent))
    session = Session(parallel=count)

    def look(_context: ProcContext, number: int) -> int:
        started[number] = 1
        deadline = time.monotonic() + 30
        while started[:].count(1) < count and time.monotonic() < deadline:
            time.sleep(0.002)
        return len(os.listdir(parent))

    session.Proto('p::[number]', look)
    session.start([f'p::{number}' for number in range(count)])
    session.wait_for_all()
    most: int = max(session.results().values())
    session.clear()
    return (most - before) / count


def show(what: str, value: str, target: str) -> None:
    print(f'{what:<58} {value:<24} target {target}', flush=True)


def in_child(function: Callable[..., object], *arguments: int) -> Any:
    """Run a measurement in a fresh process, so that heaps do not add up."""
    command = [sys.executable, '-m', 'tests.bench', function.__name__, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> None:
    if len(sys.argv) > 2:
        measures = (independent, chain, layers, machine_only, memory, descriptors)
        measure = {function.__name__: function for function in measures}[sys.argv[1]]
        print(json.dumps(measure(*map(int, sys.argv[2:]))))
        return
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0

    def scaled(count: int) -> int:
        return max(4, int(count * scale))

    def median_ratio(function: Callable[..., object], *arguments: int) -> tuple[float, float]:
        runs = [in_child(function, *arguments) for _ in range(3)]
        return sorted(run[0] for run in runs)[1], sorted(run[1] for run in runs)[1]

    spent, ratio = median_ratio(independent, scaled(2000))
    show('independent, parallel 4, 2,000: against a bare fork', f'{ratio:.2f} ({spent * 1e3:.2f} ms)', '<= 2.0')
    pairs = [(in_child(independent, scaled(1000)), in_child(independent, scaled(8000))) for _ in range(3)]
    totals, relative = (sorted(8 * large[way] / small[way] for small, large in pairs)[1] for way in (0, 1))
    show('growth: 8,000 against 1,000 (each against its forks)', f'{totals:.1f} ({relative:.1f})', '<= 9')
    spent, ratio = median_ratio(chain, scaled(500))
    show('a chain of 500, a hop against a bare fork', f'{ratio:.2f} ({spent * 1e3:.2f} ms)', '<= 3')
    spent, ratio = median_ratio(layers, scaled(100), min(20, scaled(20)))
    show('100 layers of 20, all connected: against a bare fork', f'{ratio:.2f} ({spent * 1e3:.2f} ms)', '<= 2.5')
    planned, each = in_child(machine_only, scaled(100_000))
    show('plan of 100,000 procs and 300,000 edges', f'{planned:.2f} s', '< 5 s')
    show('the machine alone', f'{each * 1e6:.1f} us a proc', '< 30 us')
    show('peak memory of the parent, 10,000 procs', f'{in_child(memory, scaled(10_000)):.0f} MB', '< 60 MB')
    show('descriptors of the parent a running proc, 50 at once', f'{in_child(descriptors, 50):.1f}', '<= 3')


if __name__ == '__main__':
    main()
