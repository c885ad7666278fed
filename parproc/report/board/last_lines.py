"""The last line that a running task has written, read from the end of its log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from parproc.core.terminal_text import last_state
from parproc.report.logs.read_log import open_log

TAIL_BYTES = 4096


class LastLines:
    """Knows the last line of a few logs, and reads a log only when it has another size.

    Args:
        log_path: proc name -> its log.
    """

    def __init__(self, log_path: Callable[[str], str]) -> None:
        self._log_path = log_path
        self._known: dict[str, tuple[str, int, str]] = {}

    def look(self, names: Iterable[str]) -> dict[str, str]:
        """Return the last line with anything in it for each of ``names``, and forget all others."""
        self._known = {name: self._looked(name) for name in names}
        return {name: line for name, (_, _, line) in self._known.items()}

    def _looked(self, name: str) -> tuple[str, int, str]:
        path, size, line = self._known.get(name) or (self._log_path(name), 0, '')
        try:
            found = os.lstat(path)
        except OSError:
            return path, size, line
        if found.st_size == size:
            return path, size, line
        return path, found.st_size, _last_line(path, found.st_size) or line


def _last_line(path: str, size: int) -> str:
    descriptor = open_log(path)
    if descriptor is None:
        return ''
    try:
        data = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
    except OSError:
        return ''
    finally:
        os.close(descriptor)
    lines = data.decode('utf-8', 'backslashreplace').split('\n')
    return next((line for line in reversed(lines) if last_state(line).strip()), '')
