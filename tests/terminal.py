"""A real pseudo-terminal with a program in it and an emulator behind it, for tests of what people see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyte

if TYPE_CHECKING:
    from typing_extensions import Self

DEADLINE = 20.0


class Terminal:
    """Runs a command in a pseudo-terminal of its own session.

    Args:
        command: its words.
        columns: width.
        lines: height.
        cwd: where it runs.
        env: its whole environment.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.status: int | None = None
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            if cwd is not None:
                os.chdir(cwd)
            os.execvpe(command[0], list(command), os.environ if env is None else env)
        self.resize(columns, lines)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def read(self, seconds: float) -> bool:
        """Take in what comes within ``seconds``; return whether anything did."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            data = b''
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def text(self) -> str:
        """Everything on the screen and scrolled off it, without trailing blanks."""
        above = [''.join(line[x].data for x in range(self.screen.columns)) for line in self.screen.history.top]
        return '\n'.join(line.rstrip() for line in [*above, *self.screen.display]).rstrip()

    def wait_for(self, what: str | Callable[[Terminal], bool], seconds: float = DEADLINE) -> str:
        """Read until ``what`` (text, or a function of this terminal) is there."""
        deadline = time.monotonic() + seconds
        while not (what(self) if callable(what) else what in self.text()):
            left = deadline - time.monotonic()
            assert left > 0, f'no {what!r} within {seconds} s on:\n{self.text()}'
            self.read(min(left, 0.1))
        return self.text()

    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self.descriptor)

    def finish(self, seconds: float = DEADLINE) -> int:
        """Read until the command is over; return its exit code, negative for a signal."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            else:
                assert time.monotonic() < deadline, f'not over within {seconds} s:\n{self.text()}'
        while self.read(0):
            pass
        return self.status

    def close(self) -> None:
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
