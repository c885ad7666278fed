"""Figures for task files and commands, each beside its reference: ``python -m tests.bench.commands [SCALE]``.

Needs ninja, which the extra ``dev`` brings. SCALE (default 1.0) shrinks counts.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from tests.bench.__main__ import show

ROUNDS = 3
LINE = 'a line of output that is about as long as such lines are'


def seconds(command: Sequence[str], folder: str, **options: Any) -> float:
    """Run a command in a folder; return its wall time."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.perf_counter() - began


def parproc(*arguments: str) -> list[str]:
    return [sys.executable, '-m', 'parproc', *arguments]


def ninja() -> list[str]:
    return [os.path.join(os.path.dirname(sys.executable), 'ninja')]


def environment() -> dict[str, str]:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    kept = {key: value for key, value in os.environ.items() if key != 'PYTHONDONTWRITEBYTECODE'}
    return {**kept, 'PYTHONPATH': root, 'PARPROC_COLOR': 'never'}


def write(folder: str, count: int) -> None:
    with open(f'{folder}/parproc.toml', 'w') as toml, open(f'{folder}/build.ninja', 'w') as build:
        build.write('rule run\n  command = /bin/true\n')
        for number in range(count):
            toml.write(f'[proc.p{number}]\ndoc = "Proc number {number}."\nrun = ["/bin/true"]\n')
            build.write(f'build p{number}: run\n')


def against_ninja(count: int) -> tuple[float, float]:
    """Median ratio of parproc to ninja, and parproc's seconds, over the same commands."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, count)
        seconds(parproc('--list'), folder, env=environment())  # what was edited since is compiled
        pairs = [
            (
                seconds(parproc('-j2', '-q', 'p*'), folder, env=environment()),
                seconds([*ninja(), '-j2', '--quiet'], folder),
            )
            for _ in range(ROUNDS)
        ]
    return statistics.median(ours / theirs for ours, theirs in pairs), statistics.median(ours for ours, _ in pairs)


def listing(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        write(folder, count)
        pairs = [
            (
                seconds(parproc('--list'), folder, env=environment()),
                seconds([sys.executable, '-c', 'pass'], folder),
            )
            for _ in range(9)
        ]
    return statistics.median(ours / theirs for ours, theirs in pairs)


def reading(count: int) -> tuple[float, float]:
    """Milliseconds from opening a task file to a catalog, and what tomli alone takes of them."""
    import tomli

    from parproc.catalog.catalog import Catalog
    from parproc.declare.origin import ROOT
    from parproc.project.toml import read_toml

    with tempfile.TemporaryDirectory() as folder:
        write(folder, count)
        path = f'{folder}/parproc.toml'
        gc.disable()  # as the command line does while it loads
        began = time.perf_counter()
        found = read_toml(path, lambda _: ROOT)
        catalog = Catalog()
        for declaration in found.declarations:
            catalog.declare(declaration)
        spent = time.perf_counter() - began
        began = time.perf_counter()
        with open(path) as file:
            tomli.loads(file.read())
        return spent * 1e3, (time.perf_counter() - began) * 1e3


def output(size: int, mode: str) -> tuple[float, float]:
    """Ratio to the command alone, writing to a file, and the parent's peak in MB, with ``size`` bytes of output."""
    command = f"yes '{LINE}' | head -c {size}"
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/parproc.toml', 'w') as toml:
            toml.write(f'[proc.big]\nrun = "{command}"\n[proc.small]\nrun = "true"\n')
        names = ['big'] if mode == 'raw' else ['big', 'small']
        ratios, peaks = [], []
        for _ in range(ROUNDS):
            alone = seconds(['sh', '-c', f'{command} > alone'], folder)
            os.unlink(f'{folder}/alone')
            began = time.perf_counter()
            command_line = parproc('-o', mode, *names)
            with open(os.devnull, 'w') as nothing:
                child = subprocess.Popen(command_line, cwd=folder, env=environment(), stdout=nothing, stderr=nothing)
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
            ratios.append((time.perf_counter() - began) / alone)
            peaks.append(usage.ru_maxrss / 1024)
            subprocess.run(['rm', '-rf', f'{folder}/.parproc'], check=True)
    return statistics.median(ratios), max(peaks)


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    many = max(2, int(2000 * scale))
    ratio, small = against_ninja(many)
    show('2,000 of /bin/true, -j2: against ninja', f'{ratio:.2f} ({small:.2f} s)', '<= 1.3')
    ratio, large = against_ninja(10 * many)
    show('20,000 of them: against ninja (against 2,000)', f'{ratio:.2f} ({large / small:.1f})', 'linear')
    show('--list of 1,000 procs: against python -c pass', f'{listing(max(2, int(1000 * scale))):.1f}', '<= 6')
    spent, read = reading(max(2, int(1000 * scale)))
    show('a parproc.toml of 1,000 procs as a catalog (tomli alone)', f'{spent:.0f} ms ({read:.0f} ms)', '<= 40 ms')
    for mode in ('raw', 'plain', 'group', 'quiet', 'json', 'stream'):
        ratio, peak = output(max(1 << 16, int((1 << 30) * scale)), mode)
        target = '< 80 MB' if mode == 'stream' else '<= 1.2, < 80 MB'
        show(f'1 GB of output, {mode}: against the command alone', f'{ratio:.2f} ({peak:.0f} MB)', target)


if __name__ == '__main__':
    main()
