"""Reading logs: from files that tasks write to, and could have replaced by anything."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import TypeAlias

from parproc.core.excerpt import relevant_part
from parproc.core.terminal_text import clean_line

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 512 * 1024
LONGEST_LINE_BYTES = 64 * 1024


def open_log(path: str) -> int | None:
    """Return a descriptor for the log at ``path``, None when there is none: no link is followed, no pipe waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def has_output(path: str) -> bool:
    """Return whether there is a log at ``path`` with anything in it."""
    descriptor = open_log(path)
    if descriptor is None:
        return False
    try:
        return os.fstat(descriptor).st_size > 0
    finally:
        os.close(descriptor)


def read_log_excerpt(path: str) -> str:
    """Return the beginning and the end of a log, with a note of what was left out; '' when it cannot be read."""
    descriptor = open_log(path)
    if descriptor is None:
        return ''
    with open(descriptor, 'rb', buffering=0) as file:
        size = os.fstat(descriptor).st_size
        if size <= HEAD_BYTES + TAIL_BYTES:
            data = file.read(HEAD_BYTES + TAIL_BYTES)
        else:
            head = file.read(HEAD_BYTES)
            file.seek(size - TAIL_BYTES)
            data = b'%s\n... %d bytes left out\n%s' % (head, size - HEAD_BYTES - TAIL_BYTES, file.read(TAIL_BYTES))
    return data.decode('utf-8', 'backslashreplace')


Ignored: TypeAlias = Callable[[str, bool], 're.Pattern[str] | None']
"""A proc's name, and whether it succeeded -> what is found in lines of its log that are not shown, None for nothing."""


def none_ignored(_name: str, _succeeded: bool) -> None:
    """Leave out no line."""


def failure_lines(
    path: str, *, colour: bool, full: bool = False, ignored: re.Pattern[str] | None = None
) -> Iterator[str]:
    """Yield the lines of a failed task's log to show on a screen; none when it cannot be read.

    Args:
        path: the log.
        colour: keep colours.
        full: every line, not just the part that matters.
        ignored: found in lines that are left out.
    """
    if not full:
        yield from relevant_part(read_log_excerpt(path), colour=colour, ignored=ignored)
        return
    descriptor = open_log(path)
    if descriptor is not None:
        with open(descriptor, encoding='utf-8', errors='backslashreplace', newline='\n') as file:
            while line := file.readline(LONGEST_LINE_BYTES):
                if ignored is None or not ignored.search(line):
                    yield clean_line(line.rstrip('\n'), colour=colour)
