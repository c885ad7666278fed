"""Writes to a pipe, a terminal, a socket or a file without ever waiting for who reads it.

A descriptor that is inherited is shared: making it non-blocking would do so for every other process that has it. So
a pipe and a terminal are opened once more, which gives a description of our own; a socket is told with each write;
and where none of this is to be had, no more is written at a time than is sure to be taken.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from parproc.host import descriptors
from parproc.report.streams.write_queue import WriteQueue

if TYPE_CHECKING:
    import socket

PATIENCE_MILLISECONDS = 10
"""How long a reader that takes nothing more just now is waited for."""
RETRY_SECONDS = 0.02
"""Seconds after which a reader that took nothing more is tried again."""
SLICE_BYTES = 1 << 18
SURELY_TAKEN_BYTES = 64
"""As much as is written to a terminal that cannot be opened once more, and says that it takes something."""


class Sink:
    """Writes bytes to a descriptor as fast as they are read, and keeps the rest.

    Args:
        descriptor: where to; stays the caller's.

    Attributes:
        broken: nothing is written any more: nobody reads, or it cannot be written to.
        error: why it cannot be written to; None also where just nobody reads any more.
        written: how many bytes went out.
    """

    def __init__(self, descriptor: int) -> None:
        self.broken = False
        self.error: OSError | None = None
        self.written = 0
        self._queue = WriteQueue()
        self._stalled = self._asked_for = False
        self._descriptor = -1
        self._socket: socket.socket | None = None
        self._slice = SLICE_BYTES
        self._asks_first = self._has_reader = False
        self._poll = select.poll()
        try:
            kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        except OSError as error:
            self._give_up(error)
            return
        self._has_reader = kind in {stat.S_IFIFO, stat.S_IFSOCK}
        self._write: Callable[[memoryview], int] = self._write_plainly
        self._open(descriptor, kind)
        self._poll.register(self._descriptor, select.POLLOUT)

    def _open(self, descriptor: int, kind: int) -> None:
        """Open the descriptor once more, in the way in which it need never be waited for."""
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        with suppress(OSError):
            if kind == stat.S_IFIFO:
                self._descriptor = descriptors.own(os.open(f'/proc/self/fd/{descriptor}', flags))
            elif kind == stat.S_IFCHR and os.isatty(descriptor):
                self._descriptor = descriptors.own(os.open(os.ttyname(descriptor), flags))
        if self._descriptor >= 0:
            return
        self._descriptor = descriptors.own(os.dup(descriptor))
        if kind == stat.S_IFSOCK:
            import socket

            self._socket = socket.socket(fileno=self._descriptor)
            self._write = self._send
        elif kind == stat.S_IFIFO or os.isatty(descriptor):
            self._asks_first = True
            self._slice = select.PIPE_BUF if kind == stat.S_IFIFO else SURELY_TAKEN_BYTES

    def fileno(self) -> int:
        """Return the descriptor that is written to, -1 where there is none."""
        return self._descriptor

    @property
    def pending(self) -> int:
        """How many bytes are still to be written; 1 where only more is to be asked for."""
        return self._queue.pending

    @property
    def has_reader(self) -> bool:
        """Whether there is a reader that can go away; a terminal that is gone says so by a signal."""
        return self._has_reader and not self.broken

    def look(self) -> None:
        """Raise BrokenPipeError, once, when the reader has gone."""
        gone = select.POLLERR | select.POLLHUP
        if self.has_reader and any(event & gone for _, event in self._poll.poll(0)):
            self._give_up(None)
            raise nobody_reads()

    @property
    def lost(self) -> OSError | None:
        """Why what was asked for, and is no status line, could not be written; None when all of it could."""
        return self.error if self._asked_for else None

    @property
    def abandoned(self) -> bool:
        """Whether nobody reads any more."""
        return self.broken and self.error is None

    @property
    def stalled(self) -> bool:
        """Whether the reader took nothing more when it was last tried."""
        return self._stalled

    def put(self, data: bytes) -> None:
        """Have ``data`` written by the next :meth:`flush`, after what is still pending."""
        self._asked_for = self._asked_for or bool(data)
        if data and not self.broken:
            self._queue.put(data, spare=False)

    def put_spare(self, line: bytes) -> None:
        """Have a line written, or left out and counted when too much is held for a reader that takes nothing."""
        if line and not self.broken:
            self._queue.put(line, spare=True)

    def put_from(self, source: Iterator[bytes]) -> None:
        """Have all of ``source`` written, each piece asked for when there is room for it."""
        if not self.broken:
            self._queue.put_from(source)

    def flush(self, patience: int = 0) -> bool:
        """Write what is pending, as far as it is taken.

        Args:
            patience: milliseconds to wait for a reader that takes no more; none is waited for twice in a row.

        Returns:
            Whether all of it is written.

        Raises:
            BrokenPipeError: once, when nobody reads any more.
        """
        while self._queue.fill():
            if self._asks_first and not self._poll.poll(0 if self._stalled else patience):
                self._stalled = True
                return False
            try:
                count = self._write(self._queue.head[: self._slice])
            except BlockingIOError:
                if self._stalled or not patience or not self._poll.poll(patience):
                    self._stalled = True
                    return False
                continue
            except ConnectionError as error:
                self._give_up(None)
                raise nobody_reads() from error
            except OSError as error:
                self._give_up(error)
                return True
            self._stalled = False
            self.written += count
            self._queue.took(count)
        self._stalled = False
        return True

    def drain(self, seconds: float) -> bool:
        """Write what is pending, for up to ``seconds``; return whether that was all."""
        deadline = time.monotonic() + seconds
        while not self.flush(PATIENCE_MILLISECONDS):
            if time.monotonic() >= deadline:
                return False
            time.sleep(RETRY_SECONDS)
        return True

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._descriptor >= 0 and os.isatty(self._descriptor)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back, with all that was not taken."""
        self._give_up(self.error)
        if self._socket is not None:
            descriptors.disown(self._descriptor)
            self._socket.close()
        elif self._descriptor >= 0:
            descriptors.close(self._descriptor)
        self._descriptor, self._socket = -1, None

    def _write_plainly(self, data: memoryview) -> int:
        return os.write(self._descriptor, data)

    def _send(self, data: memoryview) -> int:
        from socket import MSG_DONTWAIT

        return self._socket.send(data, MSG_DONTWAIT) if self._socket is not None else 0

    def _give_up(self, error: OSError | None) -> None:
        self.broken = True
        self.error = error
        self._queue.clear()


def nobody_reads() -> BrokenPipeError:
    """Return the error of writing what nobody reads any more."""
    return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
