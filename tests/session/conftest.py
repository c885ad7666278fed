"""Sessions in both modes, and programs that use them, run as their authors run them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import parproc as pp

DEADLINE = 60


@pytest.fixture(params=['mp', 'single'])
def session(request):
    with pp.Session(mode=request.param, parallel=4, dynamic=False) as made:
        yield made


@pytest.fixture
def processes():
    """A session whose procs have processes of their own."""
    with pp.Session(parallel=4, dynamic=False) as made:
        yield made


@pytest.fixture
def program(tmp_path):
    """Run a script in a folder of its own; return how it ended."""

    def run(text, *arguments, stdin=None):
        path = tmp_path / 'program.py'
        path.write_text('import os, sys, time\nimport parproc as pp\n' + textwrap.dedent(text))
        temporary = tmp_path / 'tmp'
        temporary.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith('PARPROC')}
        return subprocess.run(
            [sys.executable, str(path), *arguments],
            cwd=tmp_path,
            env={**kept, 'TMPDIR': str(temporary)},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    return run
