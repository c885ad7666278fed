"""The benchmark runs; its figures are for people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ('module', 'figures'),
    [
        ('tests.bench', 8),
        ('tests.bench.commands', 10),
        ('tests.bench.startup', 4),
        ('tests.bench.board', 5),
        ('tests.bench.programs', 5),
    ],
)
def test_a_benchmark_prints_every_figure(module: str, figures: int) -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, '-m', module, '1' if module.endswith('startup') else '0.005'],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('target') == figures
