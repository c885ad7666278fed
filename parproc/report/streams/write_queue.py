"""What is still to be written to something that takes it slowly: in order, in pieces, and never too much of it held."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

GATHERED_BYTES = 1 << 16
MOST_HELD_BYTES = 1 << 22

Piece: TypeAlias = bytes | Iterator[bytes]


class WriteQueue:
    """Keeps bytes until they are taken.

    Lines that may be spared are left out, the oldest first, when too much is held; how many is said in their place.

    Attributes:
        head: what is to be written next; empty until :meth:`fill` finds something.
    """

    def __init__(self) -> None:
        self.head = memoryview(b'')
        self._pieces: deque[tuple[Piece, bool]] = deque()
        self._held = self._lost = 0

    @property
    def pending(self) -> int:
        """How many bytes are still to be written; 1 where only more is to be asked for."""
        return self._held + len(self.head) or bool(self._pieces)

    def put(self, data: bytes, *, spare: bool) -> None:
        """Add bytes.

        Args:
            data: what to write, not empty.
            spare: it may be left out when too much is held.
        """
        self._pieces.append((data, spare))
        self._held += len(data)
        if spare and self._held > MOST_HELD_BYTES:
            self._shed()

    def put_from(self, source: Iterator[bytes]) -> None:
        """Add all of ``source``, each piece of which is asked for when it is to be written."""
        self._pieces.append((source, False))

    def fill(self) -> bool:
        """See to it that ``head`` holds something; return whether there is anything."""
        while not self.head and self._pieces:
            gathered: list[bytes] = []
            size = 0
            if self._lost:
                gathered.append(b'... %d lines left out: nobody read them\n' % self._lost)
                self._lost = 0
            while self._pieces and size < GATHERED_BYTES:
                piece = self._pieces[0][0]
                if isinstance(piece, bytes):
                    self._pieces.popleft()
                    self._held -= len(piece)
                else:
                    part = _next(piece)
                    if part is None:
                        self._pieces.popleft()
                        continue
                    piece = part
                gathered.append(piece)
                size += len(piece)
            self.head = memoryview(b''.join(gathered))
        return bool(self.head)

    def took(self, count: int) -> None:
        """Note that the first ``count`` bytes of ``head`` are written."""
        self.head = self.head[count:]

    def clear(self) -> None:
        """Forget everything."""
        self._pieces.clear()
        self.head = memoryview(b'')
        self._held = self._lost = 0

    def _shed(self) -> None:
        """Leave out the oldest lines that may be, so that half of what may be held is free again."""
        kept: deque[tuple[Piece, bool]] = deque()
        for piece, spare in self._pieces:
            if spare and isinstance(piece, bytes) and self._held > MOST_HELD_BYTES // 2:
                self._held -= len(piece)
                self._lost += piece.count(b'\n')
            else:
                kept.append((piece, spare))
        self._pieces = kept


def _next(source: Iterator[bytes]) -> bytes | None:
    """Return the next piece of a source, None after the last one, and where the file behind it cannot be read."""
    try:
        return next(source, None)
    except OSError:
        return None
