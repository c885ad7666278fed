"""The part of a log that matters, read from its file without reading it all."""

from __future__ import annotations

import os

from parproc.core.logscan import relevant_part

HEAD = 64 * 1024
TAIL = 512 * 1024


def log_excerpt(path: str, *, colour: bool, full: bool = False) -> list[str]:
    """Return lines for a screen from the log at ``path``; none when it cannot be read.

    Args:
        path: the log.
        colour: keep colours.
        full: all that is read, not just the part that matters.
    """
    try:
        with open(path, 'rb') as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(HEAD + TAIL)
            if size > HEAD + TAIL:
                file.seek(size - TAIL)
                data = data[:HEAD] + b'\n' + file.read(TAIL)
    except OSError:
        return []
    text = data.decode('utf-8', 'backslashreplace')
    if full:
        from parproc.core.screen import clean_line

        return [clean_line(line, colour=colour) for line in text.rstrip('\n').split('\n')]
    return relevant_part(text, colour=colour) if text.strip() else []
