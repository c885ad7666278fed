"""A ``bytes`` object whose contents are a file's pages: what a task returned is read by twenty others without a copy.

Every ``bytes`` of CPython is a header followed by its contents. A private mapping of a file that leaves room before the
contents can be given such a header, which copies one page; all others stay the file's own. An object made so lives
until the process ends, as its memory is nothing that Python could free.
"""

from __future__ import annotations

import mmap
import struct
import sys

HEADER = struct.Struct('@nPnn')
ALIGNMENT_BYTES = 16
REFERENCES = 1 << 30
"""So many references of its own that the object is never given up, yet none of the values that mean immortal."""


def aligned(place: int) -> int:
    """Return the first place, from ``place`` on, with room for a header before it that is aligned as objects are."""
    return -(-(place + HEADER.size) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def bytes_at(descriptor: int, place: int, size: int) -> bytes | None:
    """Return ``size`` bytes of a file as an object that shares its pages; None where that cannot be done.

    Args:
        descriptor: the file, which holds a zero byte after the contents.
        place: where they begin, as :func:`aligned` gives it.
        size: how many there are.
    """
    ctypes = sys.modules.get('ctypes')
    if ctypes is None or sys.implementation.name != 'cpython' or bytes.__basicsize__ != HEADER.size + 1:
        return None
    sample = b'two'
    _, kind, length, _ = HEADER.unpack(ctypes.string_at(id(sample), HEADER.size))
    if (kind, length) != (id(bytes), len(sample)) or ctypes.string_at(id(sample) + HEADER.size, 4) != b'two\0':
        return None
    mapping = mmap.mmap(descriptor, place + size + 1, access=mmap.ACCESS_COPY)
    HEADER.pack_into(mapping, place - HEADER.size, REFERENCES, id(bytes), size, -1)
    lasting = ctypes.c_char.from_buffer(mapping, place - HEADER.size)  # while this lives, the mapping cannot be closed
    _kept.append(lasting)
    found: object = ctypes.cast(ctypes.addressof(lasting), ctypes.py_object).value
    return found if isinstance(found, bytes) else None


_kept: list[object] = []
