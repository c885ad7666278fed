"""Sessions in both modes, and programs that use them, run as their authors run them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import parproc as pp

DEADLINE = 60


@pytest.fixture(params=['mp', 'single'])
def session(request: pytest.FixtureRequest) -> Iterator[pp.Session]:
    with pp.Session(mode=request.param, parallel=4, dynamic=False) as made:
        yield made


@pytest.fixture
def processes() -> Iterator[pp.Session]:
    """A session whose procs have processes of their own."""
    with pp.Session(parallel=4, dynamic=False) as made:
        yield made


class Program:
    """A script in a folder of its own. What it has to say while it runs, it says by ``begun()``, from any process."""

    prologue = """
    import os, signal, sys, threading, time
    import parproc as pp

    MODE = sys.argv[1] if len(sys.argv) > 1 else 'mp'

    def begun(what='x'):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'begun'), 'w') as fifo:
            fifo.write(what)
    """

    def __init__(self, folder: Path, text: str, arguments: Sequence[str], **options: Any) -> None:
        path = folder / 'program.py'
        path.write_text(textwrap.dedent(self.prologue) + textwrap.dedent(text))
        self.temporary = folder / 'tmp'
        self.temporary.mkdir(exist_ok=True)
        fifo = folder / 'begun'
        if not fifo.exists():
            os.mkfifo(fifo)
        self.ear = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # as a writer too, so that it never ends
        kept = {name: value for name, value in os.environ.items() if not name.startswith('PARPROC')}
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, str(path), *arguments],
            cwd=folder,
            env={**kept, 'TMPDIR': str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def wait_until_begun(self) -> None:
        """Block until a line of it, or of a proc of it, calls ``begun``."""
        assert select.select([self.ear], [], [], DEADLINE)[0], 'it never began'
        os.read(self.ear, 100)

    def wait_until_said(self, text: str) -> None:
        """Block until the next line on its standard error, which has ``text`` in it."""
        stderr = self.process.stderr
        assert stderr is not None
        assert select.select([stderr], [], [], DEADLINE)[0], 'it said nothing'
        line = stderr.readline()
        assert text in line, line

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def end(self, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Wait for its end; return how it ended."""
        out, err = self.process.communicate(stdin, timeout=DEADLINE)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)

    def close(self) -> None:
        os.close(self.ear)
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


StartProgram: TypeAlias = Callable[..., Program]
RunProgram: TypeAlias = 'Callable[..., subprocess.CompletedProcess[str]]'


@pytest.fixture
def started(tmp_path: Path) -> Iterator[StartProgram]:
    """Start a script in a folder of its own."""
    programs = []

    def start(text: str, *arguments: str, **options: Any) -> Program:
        options.setdefault('stdin', subprocess.DEVNULL)
        programs.append(Program(tmp_path, text, arguments, **options))
        return programs[-1]

    yield start
    for one in programs:
        one.close()


@pytest.fixture
def program(started: StartProgram) -> RunProgram:
    """Run a script in a folder of its own; return how it ended."""

    def run(text: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return started(text, *arguments, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE).end(stdin)

    return run
