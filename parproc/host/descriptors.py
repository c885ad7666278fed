"""The descriptors that are parproc's own: a forked child closes these, and keeps all that its program had open.

Whoever opens one and keeps it open names it here at once, and takes it off again before it is closed: by then its
number may be another thread's.
"""

from __future__ import annotations

import os

_own: set[int] = set()
_process = os.getpid()


def own(descriptor: int) -> int:
    """Note that a descriptor is parproc's, and return it; what is below 0 is none."""
    if descriptor >= 0:
        _own.add(descriptor)
    return descriptor


def disown(descriptor: int) -> int:
    """Note that a descriptor is about to be closed, or given away, and return it."""
    _own.discard(descriptor)
    return descriptor


def close(descriptor: int) -> None:
    """Close a descriptor of ours; one that is not is left alone, as a child has closed its parent's already."""
    if descriptor in _own:
        _own.discard(descriptor)
        os.close(descriptor)


def owned() -> list[int]:
    """Return all of them, in order."""
    return sorted(_own)


def let_go_of_inherited() -> None:
    """In a process that the program has forked, put something harmless in the place of what its parent goes on using.

    The numbers stay taken, since objects that stand for them may still close them.
    """
    global _process
    if _process == os.getpid():
        return
    _process = os.getpid()
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in owned():
        os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)
    _own.clear()


def close_all() -> None:
    """Close all of them: for a child, whose parent goes on using them."""
    global _process
    _process = os.getpid()
    first = last = -1
    for descriptor in owned():
        if descriptor != last:
            if first >= 0:
                os.closerange(first, last)
            first = descriptor
        last = descriptor + 1
    if first >= 0:
        os.closerange(first, last)
    _own.clear()
