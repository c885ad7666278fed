"""A child's standard streams: fresh Python objects over descriptors 0, 1 and 2, with log handlers pointed at them."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple, TextIO, cast

from parproc.exec.cpython import logging_handlers

DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}
_kept: list[object] = []


class Streams(NamedTuple):
    """Text streams over descriptors 0, 1 and 2; None where the descriptor allows none."""

    input: TextIO | None
    out: TextIO | None
    err: TextIO | None


def make_streams() -> Streams:
    """Return streams that nobody has used yet.

    Made once, before the first fork: a child that only has to pick them up starts a good deal faster than one that
    has to make them.
    """
    return Streams(_open(0, 'r'), _open(1, 'w'), _open(2, 'w'))


class FullDiskTolerantFile(io.FileIO):
    """A log as a task writes to it: what a full disk has no room for is lost, and the task goes on."""

    def write(self, data: Any, /) -> int:
        """Write, as far as there is room."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno in DISK_IS_FULL:
                return memoryview(data).nbytes
            raise


def _open(descriptor: int, mode: str) -> TextIO | None:
    try:
        if mode == 'r':
            stream = open(descriptor, encoding='utf-8', errors='replace', closefd=False)  # noqa: SIM115
            return cast('TextIO', stream)
        raw = FullDiskTolerantFile(descriptor, 'w', closefd=False)
    except OSError:
        return None
    return io.TextIOWrapper(io.BufferedWriter(raw), 'utf-8', 'backslashreplace', line_buffering=True)


def use_streams(streams: Streams) -> tuple[TextIO | None, TextIO | None]:
    """Make ``streams`` the standard streams of this process, and return the output streams it had.

    The old objects may hold what the parent had not flushed, and their locks may be held by a thread that is not
    here: so they are kept, untouched, and whatever logs to them is pointed at the new ones.
    """
    old_out, old_err = sys.stdout, sys.stderr
    first_out, first_err = sys.__stdout__, sys.__stderr__
    _kept.append((sys.stdin, sys.__stdin__, old_out, old_err, first_out, first_err))
    sys.stdin = sys.__stdin__ = streams.input  # type: ignore[assignment,misc]
    sys.stdout = sys.__stdout__ = streams.out  # type: ignore[assignment,misc]
    sys.stderr = sys.__stderr__ = streams.err  # type: ignore[assignment,misc]
    for handler in logging_handlers():
        stream = getattr(handler, 'stream', None)
        if stream is None or stream is streams.err:  # the handler of last resort writes to whatever there is
            continue
        if stream is old_out or stream is first_out:
            handler.stream = streams.out
        elif stream is old_err or stream is first_err:
            handler.stream = streams.err
        elif type(stream) is io.TextIOWrapper:
            _kept.append(stream)
            handler.stream = _remade(stream)
    return old_out, old_err


def _remade(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return another stream over a stream's descriptor, whose lock is held by no thread that is not here."""
    try:
        raw = io.FileIO(stream.fileno(), 'w', closefd=False)
    except (OSError, ValueError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=stream.line_buffering
    )


def flush(streams: Iterable[Any]) -> None:
    """Flush streams or handlers, as far as they let themselves be flushed; None is nothing to flush."""
    for stream in streams:
        try:
            if stream is not None:
                stream.flush()
        except BaseException:
            continue
