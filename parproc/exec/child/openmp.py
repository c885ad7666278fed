"""OpenMP after a fork: a child has the runtime's memory but not its threads, and would wait for them for ever.

So where native threads run in the parent beside a loaded runtime, its children are told to do with one thread each.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

NAMES = ('libgomp', 'libomp', 'libiomp')
WARNING = (
    'OpenMP has been used in this program (scikit-learn, torch and others do): procs run it with one thread each; '
    'used in procs alone, it has all of them'
)
LIKELY_CAUSE = 'it may wait for threads of a library that the program used before (OpenMP): use it in procs alone'
limits: list[Callable[[int], object]] = []
_seen = (-1, 0)


def has_native_threads() -> bool:
    """Return whether this process has threads that are none of Python's; False where the system does not tell."""
    try:
        return os.stat('/proc/self/task').st_nlink - 2 > threading.active_count()
    except OSError:
        return False


def is_limited() -> bool:
    """Return whether procs run OpenMP with one thread, so that a proc that hangs may hang there all the same."""
    return bool(limits)


def look() -> bool:
    """Find the runtimes that children must not use as they are; return whether there are some for the first time.

    Libraries come with imports, so they are looked for again only once there were some.
    """
    global _seen
    if not has_native_threads() or _seen == (os.getpid(), len(sys.modules)):
        return False
    _seen = (os.getpid(), len(sys.modules))
    before = len(limits)
    limits[:] = _found()
    return bool(limits) and not before


def limit() -> None:
    """Let this process, a child, use every runtime with the one thread that it has."""
    for call in limits:
        call(0)


def _found() -> list[Callable[[int], object]]:
    import ctypes

    calls: list[Callable[[int], object]] = []
    for path in _runtimes():
        try:
            # no level of parallel regions at all: a number of threads would be overruled by one that a region asks for
            calls.append(ctypes.CDLL(path).omp_set_max_active_levels)
        except (OSError, AttributeError):
            continue
    return calls


def _runtimes() -> list[str]:
    """Return the files of the OpenMP runtimes in this process's memory."""
    try:
        with open('/proc/self/maps', encoding='utf-8', errors='surrogateescape') as maps:
            paths = dict.fromkeys(line.split(maxsplit=5)[-1].rstrip('\n') for line in maps if '/' in line)
    except OSError:
        return []
    return [path for path in paths if os.path.basename(path).startswith(NAMES)]
