"""The benchmark runs; its figures are for people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_benchmark_prints_every_figure():
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, '-m', 'tests.bench', '0.005'],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('target') == 8
