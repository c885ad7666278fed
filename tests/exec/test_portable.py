"""What other systems see: the tests of this room once more, without anything that only Linux has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parproc.exec import system

DEADLINE = 900


@pytest.mark.skipif(not system.LINUX, reason='this is what all tests here do')
def test_this_room_passes_without_what_only_linux_has() -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        [*(sys.executable, '-m', 'pytest', '-q', '-x', '-p', 'no:cacheprovider'), str(here)],
        cwd=here.parents[1],
        env={**os.environ, 'PARPROC_TEST_PORTABLE': '1'},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    assert ' passed' in done.stdout
