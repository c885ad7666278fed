"""parproc's own standard streams, whatever a task file does to them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from parproc.host.standard_descriptors import fill_standard_descriptors

_kept: list[object] = []


@contextmanager
def own_streams() -> Iterator[None]:
    """While this is entered a task file is loaded; afterwards the streams are again what they were before.

    A task file may have replaced them, closed them, or taken them apart. What it put in their place is kept, since a
    wrapper that goes away closes what it wraps.
    """
    before = sys.stdout, sys.stderr
    try:
        yield
    finally:
        _kept.append((sys.stdout, sys.stderr))
        fill_standard_descriptors()
        sys.stdout = _usable(before[0], sys.stdout, 1)
        sys.stderr = _usable(before[1], sys.stderr, 2)


def _usable(before: TextIO | None, now: TextIO | None, descriptor: int) -> TextIO:
    for stream in (before, now):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
                return stream
        except Exception:  # taken apart, or no stream at all
            continue
    return open(descriptor, 'w', encoding='utf-8', errors='backslashreplace', closefd=False)
