"""The file of a large result: a header that says how long its parts are, the pickle, then its buffers, each aligned.

Buffers are out of band (pickle protocol 5, PEP 574), so that a reader can map them instead of copying them.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import pickle
from collections.abc import Sequence
from typing import BinaryIO

from parproc.errors import UserError
from parproc.host.private_folders import make_again
from parproc.values.shared_bytes import aligned

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

MAGIC = b'parproc\x01'
ROOM_TO_RESULT_RATIO = 4
"""A place is good that has room for so many times the result."""


def write(paths: tuple[str, ...], data: bytes, buffers: Sequence[pickle.PickleBuffer]) -> str | None:
    """Write a result where it can be written, and return where that is; None when it is nowhere.

    A place that it would take a good part of comes last: it may be memory, or the disk that the system lives on.
    """
    parts = [memoryview(data), *(buffer.raw() for buffer in buffers)]
    room = ROOM_TO_RESULT_RATIO * sum(part.nbytes for part in parts)
    for path in sorted(paths, key=lambda path: not _has_room(path, room)):
        try:
            _write_to(path, parts)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)
        else:
            return path
    return None


def _has_room(path: str, room: int) -> bool:
    try:
        found = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= room


def _write_to(path: str, parts: Sequence[memoryview]) -> None:
    """Write magic, the number of parts, their sizes, and the parts: the pickle first, then its buffers."""
    sizes = [part.nbytes for part in parts]
    header = MAGIC + len(parts).to_bytes(8, 'little') + b''.join(size.to_bytes(8, 'little') for size in sizes)
    with open(_made_new(path), 'wb', buffering=0) as file:
        for place, part in ((0, memoryview(header)), *zip(_places(sizes), parts, strict=True)):
            file.seek(place)
            done = 0
            while done < part.nbytes:
                done += file.write(part[done:]) or 0
        file.write(b'\0')


def _made_new(path: str) -> int:
    """Make a file anew, whatever stands in its place, and return its descriptor; a task may have removed its folder."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_again(os.path.dirname(path))
        return os.open(path, flags, 0o600)


def open_result(path: str) -> BinaryIO:
    """Open a result's file for reading; raises UserError when it is gone."""
    try:
        return open(path, 'rb')
    except FileNotFoundError:
        raise UserError(f'a result is gone: {path} was removed while the run went on') from None


def read_places(file: BinaryIO) -> list[tuple[int, int]]:
    """Return where each part of an open result begins, and its size in bytes: the pickle first, then its buffers."""
    count = int.from_bytes(file.read(len(MAGIC) + 8)[len(MAGIC) :], 'little')
    sizes = [int.from_bytes(file.read(8), 'little') for _ in range(count)]
    return list(zip(_places(sizes), sizes, strict=True))


def _places(sizes: Sequence[int]) -> list[int]:
    """Return where in a result's file each part begins: the pickle first, then its buffers, with room before each."""
    places = [len(MAGIC) + 8 * (len(sizes) + 1)]
    for size in sizes[:-1]:
        places.append(aligned(places[-1] + size))
    return places
