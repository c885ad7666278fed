"""Writing to a terminal that may take its time, or nothing at all."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable

from parproc.host import descriptors

USUAL_SIZE = (80, 24)
CHUNK_BYTES = 1 << 14
BURST_SECONDS = 0.002


class Tty:
    """A terminal, opened once more so that writing to it never blocks while everybody else's writing still may.

    Args:
        descriptor: an open terminal.
        clock: monotonic seconds.

    Attributes:
        written: how many bytes were taken.

    Raises:
        OSError: when it is no terminal or cannot be opened.
    """

    def __init__(self, descriptor: int, clock: Callable[[], float] = time.monotonic) -> None:
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        self._descriptor = descriptors.own(os.open(os.ttyname(descriptor), flags))
        self._clock = clock
        self._rest = memoryview(b'')
        self.written = 0

    @property
    def busy(self) -> bool:
        """Whether something that was written has not been taken yet."""
        return bool(self._rest)

    def size(self) -> tuple[int, int]:
        """Return columns and lines as they are now."""
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(self._descriptor)
            if size.columns and size.lines:
                return size.columns, size.lines
        return USUAL_SIZE

    def write(self, text: str) -> None:
        """Hand text over; what the terminal does not take at once is kept for :meth:`push`."""
        data = text.encode('utf-8', 'backslashreplace')
        self._rest = memoryview(bytes(self._rest) + data)
        self.push()

    def push(self) -> None:
        """Hand over what was kept, as long as the terminal takes it quickly."""
        deadline = self._clock() + BURST_SECONDS
        while self._rest and self._hand_over() and (left := deadline - self._clock()) > 0:
            self._await(left)

    def drain(self, seconds: float) -> None:
        """Hand over what was kept, waiting up to ``seconds`` altogether."""
        deadline = self._clock() + seconds
        while self._rest and (left := deadline - self._clock()) > 0:
            self._await(left)
            self._hand_over()

    def close(self) -> None:
        """Give the terminal up, with all that it has not taken."""
        self._rest = memoryview(b'')
        if self._descriptor >= 0:
            descriptors.close(self._descriptor)
            self._descriptor = -1

    def _hand_over(self) -> bool:
        """Write a little; return whether the terminal took any. One that is gone takes everything, and nobody sees it."""
        try:
            taken = os.write(self._descriptor, self._rest[:CHUNK_BYTES])
        except BlockingIOError:
            return False
        except OSError:
            self._rest = memoryview(b'')
            return True
        self._rest = self._rest[taken:]
        self.written += taken
        return taken > 0

    def _await(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        poll.poll(max(1, int(seconds * 1000)))
