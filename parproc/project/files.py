"""Reading a project's files without ever waiting for one: regular files only, and only so much of them."""

from __future__ import annotations

import os
import stat

MOST_BYTES = 1 << 24
"""More than any task file has, and little enough to be parsed."""


class UnreadableError(OSError):
    """A file that is not read, whatever its permissions say; the text says why."""


def open_regular(path: str) -> int:
    """Open a regular file for reading and return the descriptor.

    A device is not even opened, since opening one may act on it; what takes the file's place meanwhile is not waited
    for.

    Raises:
        UnreadableError: when it is no regular file.
        OSError: when it cannot be opened.
    """
    _check_regular(os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check_regular(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_open(descriptor: int, most: int = MOST_BYTES) -> bytes:
    """Return the content of an open file.

    Args:
        descriptor: from :func:`open_regular`.
        most: how many bytes it may have.

    Raises:
        UnreadableError: when it has more.
        OSError: when it cannot be read.
    """
    size = os.fstat(descriptor).st_size
    chunks: list[bytes] = []
    read = 0
    while size <= most:
        chunk = os.read(descriptor, min(max(size, 1 << 16), most) + 1)
        if not chunk:
            return b''.join(chunks)
        chunks.append(chunk)
        read += len(chunk)
        size = max(size, read)
    raise UnreadableError(f'it is larger than {most >> 20} MB')


def read_regular(path: str, most: int = MOST_BYTES) -> bytes:
    """Return the content of a regular file; raises as :func:`open_regular` and :func:`read_open` do."""
    descriptor = open_regular(path)
    try:
        return read_open(descriptor, most)
    finally:
        os.close(descriptor)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError('it is no regular file')
