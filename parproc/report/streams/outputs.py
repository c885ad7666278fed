"""Standard output and standard error of this process, as reporters write to them."""

from __future__ import annotations

import io
import math
import os
import sys
import time
from contextlib import suppress
from typing import TextIO, cast

from parproc.report.streams.sink import RETRY_SECONDS, Sink, nobody_reads
from parproc.report.streams.sink_stream import SinkStream

LOOK_SECONDS = 0.2
"""Seconds after which it is looked whether somebody still reads."""


class Outputs:
    """Standard output and standard error, kept in one order where they lead to the same place.

    Attributes:
        out: standard output.
        err: standard error; the same as ``out`` where both are one pipe, terminal or file.
        status: text for standard error.
    """

    def __init__(self) -> None:
        self.out = Sink(1)
        self.err = self.out if _same(1, 2) else Sink(2)
        self.status = _text(self.err, getattr(sys.stderr, 'encoding', None))
        self._looked = 0.0
        self._told = False

    @property
    def pending(self) -> bool:
        """Whether something that was written has not been taken yet."""
        return bool(self.out.pending or self.err.pending)

    @property
    def written(self) -> int:
        """How many bytes were taken."""
        return self.out.written + self.err.written

    def next_tick(self) -> float | None:
        """Return when to call :meth:`tick`: when to offer more, or to see whether somebody still reads."""
        if self.pending or self._to_tell:
            return self._looked + RETRY_SECONDS
        return self._looked + LOOK_SECONDS if self.out.has_reader or self.err.has_reader else None

    def tick(self, now: float) -> None:
        """Offer what was not taken before.

        Raises:
            BrokenPipeError: once, when nobody reads any more. Of standard error that counts once something was
                written to it.
        """
        due = self.next_tick()
        if due is None or now < due:
            return
        self._looked = now
        with suppress(BrokenPipeError):
            self.out.flush()
            self.out.look()
        with suppress(BrokenPipeError):
            self.err.flush()
            if self.err.written:
                self.err.look()
        if self._to_tell:
            self._told = True
            raise nobody_reads()

    @property
    def _to_tell(self) -> bool:
        return not self._told and (self.out.abandoned or self.err.abandoned)

    def close(self) -> None:
        """Give both up, with all that was not taken."""
        self.out.close()
        self.err.close()


def write_out(data: bytes, deadline: float | None) -> tuple[bool, OSError | None]:
    """Write to standard output, as fast as it is read; what signals do, they do meanwhile.

    Args:
        data: what to write.
        deadline: monotonic seconds at which it is given up, None for never.

    Returns:
        Whether its reader took it all, and why it cannot be written, None when it can.

    Raises:
        BrokenPipeError: when nobody reads any more.
    """
    sink = Sink(1)
    sink.put(data)
    try:
        taken = sink.drain(math.inf if deadline is None else deadline - time.monotonic())
        return taken, sink.error
    finally:
        sink.close()


def standard_error() -> TextIO:
    """Return what writes text to standard error without waiting for its reader; the program's own where it put one."""
    try:
        if sys.stderr.fileno() == 2:
            return _text(Sink(2), sys.stderr.encoding)
    except (AttributeError, io.UnsupportedOperation, ValueError):
        pass
    return sys.stderr or io.StringIO()


def _text(sink: Sink, encoding: str | None) -> TextIO:
    return cast('TextIO', SinkStream(sink, encoding or 'utf-8'))


def _same(first: int, second: int) -> bool:
    try:
        return os.path.sameopenfile(first, second)
    except OSError:
        return False
