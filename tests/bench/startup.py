"""How fast it starts, against ``python -c pass`` of the same interpreter: ``python -m tests.bench.startup [ROUNDS]``."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

from tests.bench.__main__ import show

TASKS = """
import subprocess, json, logging, urllib.request, xml.dom.minidom
import parproc as pp
"""


def milliseconds(command: Sequence[str], folder: str, environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1e3


def ratio(command: Sequence[str], folder: str, environment: Mapping[str, str], rounds: int) -> float:
    """Median of a command's time over that of an interpreter that does nothing, taken in turns."""
    pairs = []
    for _ in range(rounds):
        bare = milliseconds([sys.executable, '-c', 'pass'], folder, environment)
        pairs.append(milliseconds(command, folder, environment) / bare)
    return statistics.median(pairs)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 31
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/tasks.py', 'w') as file:
            file.write(TASKS)
            file.writelines(
                f'@pp.Proc\ndef proc{number}(context):\n    """Proc number {number}."""\n' for number in range(1000)
            )
        environment = {**os.environ, 'PYTHONPATH': root, 'XDG_CACHE_HOME': f'{folder}/cache'}
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        command = [sys.executable, '-c', 'from parproc.__main__ import main; main()']
        ask = {**environment, '_PARPROC_COMPLETE': 'bash_complete', 'COMP_WORDS': 'parproc proc', 'COMP_CWORD': '1'}
        for option in ('--version', '--help'):
            milliseconds([*command, option], folder, environment)
            show(
                f'{option}: against python -c pass',
                f'{ratio([*command, option], folder, environment, rounds):.2f}',
                '<= 1.5',
            )
        milliseconds(command, folder, ask)
        show('completion of 1,000 names, no index', f'{ratio(command, folder, ask, rounds):.2f}', '<= 8')
        milliseconds([*command, '--list'], folder, environment)
        show('completion of 1,000 names, with an index', f'{ratio(command, folder, ask, rounds):.2f}', '<= 1.6')


if __name__ == '__main__':
    main()
