"""Writing to what somebody reads, a pipe, a terminal, a socket, without ever waiting for the reader.

A descriptor that is inherited is shared: making it non-blocking would do so for every other process that has it. So
a pipe and a terminal are opened once more, which gives a description of our own; a socket is told with each write;
and where none of this is to be had, no more is written at a time than is sure to be taken.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from parproc.host import descriptors

if TYPE_CHECKING:
    import socket

PATIENCE = 10
RETRY = 0.02
"""Seconds after which a reader that took nothing more is tried again."""
SLICE = 1 << 18
GATHERED = 1 << 16
SURELY_TAKEN = 64
MOST_HELD = 1 << 22

Piece: TypeAlias = bytes | Iterator[bytes]


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
        self._queue: deque[tuple[Piece, bool]] = deque()
        self._piece = memoryview(b'')
        self._held = self._lost = 0
        self._stalled = self._asked_for = False
        self._descriptor = -1
        self._socket: socket.socket | None = None
        self._slice = SLICE
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
            self._slice = select.PIPE_BUF if kind == stat.S_IFIFO else SURELY_TAKEN

    def fileno(self) -> int:
        """Return the descriptor that is written to, -1 where there is none."""
        return self._descriptor

    @property
    def pending(self) -> int:
        """How many bytes are still to be written; 1 where only more is to be asked for."""
        return self._held + len(self._piece) or bool(self._queue)

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
        self._put(data, spare=False)

    def put_spare(self, line: bytes) -> None:
        """Have a line written, or left out and counted when too much is held for a reader that takes nothing."""
        self._put(line, spare=True)

    def put_from(self, source: Iterator[bytes]) -> None:
        """Have all of ``source`` written, each piece asked for when there is room for it."""
        if not self.broken:
            self._queue.append((source, False))

    def flush(self, patience: int = 0) -> bool:
        """Write what is pending, as far as it is taken.

        Args:
            patience: milliseconds to wait for a reader that takes no more; none is waited for twice in a row.

        Returns:
            Whether all of it is written.

        Raises:
            BrokenPipeError: once, when nobody reads any more.
        """
        while self._fill():
            if self._asks_first and not self._poll.poll(0 if self._stalled else patience):
                self._stalled = True
                return False
            try:
                count = self._write(self._piece[: self._slice])
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
            self._piece = self._piece[count:]
        self._stalled = False
        return True

    def drain(self, seconds: float) -> bool:
        """Write what is pending, for up to ``seconds``; return whether that was all."""
        deadline = time.monotonic() + seconds
        while not self.flush(PATIENCE):
            if time.monotonic() >= deadline:
                return False
            time.sleep(RETRY)
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

    def _put(self, data: bytes, *, spare: bool) -> None:
        if self.broken or not data:
            return
        self._queue.append((data, spare))
        self._held += len(data)
        if spare and self._held > MOST_HELD:
            self._shed()

    def _shed(self) -> None:
        """Leave out the oldest lines that may be, so that half of what may be held is free again."""
        kept: deque[tuple[Piece, bool]] = deque()
        for piece, spare in self._queue:
            if spare and isinstance(piece, bytes) and self._held > MOST_HELD // 2:
                self._held -= len(piece)
                self._lost += piece.count(b'\n')
            else:
                kept.append((piece, spare))
        self._queue = kept

    def _fill(self) -> bool:
        """Have something to write at hand; return whether there is anything."""
        while not self._piece and self._queue:
            gathered: list[bytes] = []
            size = 0
            if self._lost:
                gathered.append(b'... %d lines left out: nobody read them\n' % self._lost)
                self._lost = 0
            while self._queue and size < GATHERED:
                piece = self._queue[0][0]
                if isinstance(piece, bytes):
                    self._queue.popleft()
                    self._held -= len(piece)
                else:
                    part = _next(piece)
                    if part is None:
                        self._queue.popleft()
                        continue
                    piece = part
                gathered.append(piece)
                size += len(piece)
            self._piece = memoryview(b''.join(gathered))
        return bool(self._piece)

    def _write_plainly(self, data: memoryview) -> int:
        return os.write(self._descriptor, data)

    def _send(self, data: memoryview) -> int:
        from socket import MSG_DONTWAIT

        return self._socket.send(data, MSG_DONTWAIT) if self._socket is not None else 0

    def _give_up(self, error: OSError | None) -> None:
        self.broken = True
        self.error = error
        self._queue.clear()
        self._piece = memoryview(b'')
        self._held = self._lost = 0


def nobody_reads() -> BrokenPipeError:
    """Return the error of writing what nobody reads any more."""
    return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _next(source: Iterator[bytes]) -> bytes | None:
    """Return the next piece of a source, None after the last one, and where the file behind it cannot be read."""
    try:
        return next(source, None)
    except OSError:
        return None


class SinkStream(io.TextIOBase):
    """Text for a sink: each write is a line or more, which may be left out when nobody reads.

    Args:
        sink: receives it.
        encoding: of the text.
    """

    def __init__(self, sink: Sink, encoding: str = 'utf-8') -> None:
        self._sink = sink
        self._encoding = encoding

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._sink.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How the text is written."""
        return self._encoding

    def fileno(self) -> int:
        """Return the descriptor that is written to."""
        return self._sink.fileno()

    def write(self, text: str, /) -> int:
        """Have text written by the next :meth:`flush`."""
        self._sink.put_spare(self._encoded(text))
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        """Have lines written, each asked for when there is room for it."""
        self._sink.put_from(map(self._encoded, lines))

    def flush(self) -> None:
        """Write as much as is taken now; raises as :meth:`Sink.flush`."""
        self._sink.flush()

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, 'backslashreplace')
