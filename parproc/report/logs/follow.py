"""Reading a log while it grows: whole lines, cleaned for a screen, in bounded memory."""

from __future__ import annotations

import os
import re

from parproc.core.terminal_text import clean_line
from parproc.host import descriptors
from parproc.report.logs.read_log import LONGEST_LINE_BYTES, open_log

_ACTING = bytes(byte for byte in (*range(32), 127) if byte not in b'\t\n')


class LogFollower:
    """Reads a log from its beginning, as far as it has come.

    Args:
        path: the log; it need not be there yet.
        most: how many bytes of a log that is finished when it is opened are read; of a longer one, a quarter from its
            beginning and the rest from its end.
    """

    def __init__(self, path: str, most: int | None = None) -> None:
        self._path = path
        self._most = most
        self._gap: tuple[int, int] | None = None
        self._log: int | None = None
        self._held = b''
        self._position = 0
        self._finished = False
        self._end: int | None = None

    def finish(self) -> None:
        """Take it that the log has all it should have: what is written to it from now on is not read."""
        if self._finished:
            return
        self._finished = True
        if self._log is not None:
            self._end = os.fstat(self._log).st_size

    def read(self) -> bytes:
        """Return the next lines, each with its newline and at most 64 kB in all; b'' when there are none.

        A longer line comes in pieces. A last line without newline comes once the log is finished.
        """
        while data := self._more():
            data = self._held + data
            cut = data.rfind(b'\n') + 1
            if cut:
                self._held = data[cut:]
                return data[:cut]
            if len(data) >= LONGEST_LINE_BYTES:
                cut = whole_characters(data)
                self._held = data[cut:]
                return data[:cut] + b'\n'
            self._held = data
        if not self._finished:
            return b''
        self.close()
        rest, self._held = self._held, b''
        return rest and rest + b'\n'

    def close(self) -> None:
        """Give the log up."""
        if self._log is not None:
            descriptors.close(self._log)
            self._log = None
        self._end = self._position

    def _more(self) -> bytes:
        if self._log is None and self._end is None:
            self._log = open_log(self._path)
            if self._log is not None:
                descriptors.own(self._log)
            if self._log is not None and self._finished:
                self._end = os.fstat(self._log).st_size
                if self._most is not None and self._end > self._most:
                    self._gap = (self._most // 4, self._end - self._most * 3 // 4)
        if self._log is None:
            return b''
        most = LONGEST_LINE_BYTES - len(self._held)
        if self._gap is not None:
            begin, end = self._gap
            if self._position >= begin:
                self._gap = None
                self._position = os.lseek(self._log, end, os.SEEK_SET)
                return b'\n... %d bytes left out, which stand in %s\n' % (end - begin, os.fsencode(self._path))
            most = min(most, begin - self._position)
        if self._end is not None:
            most = min(most, self._end - self._position)
        data = os.read(self._log, max(0, most))
        self._position += len(data)
        return data


def whole_characters(data: bytes) -> int:
    """Return how many bytes of ``data`` can go without cutting its last UTF-8 character."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if length > back else len(data)
        if byte < 0x80:
            break
    return len(data)


def marked(lines: bytes, mark: str, *, colour: bool, ignored: re.Pattern[str] | None = None) -> str:
    """Return lines of a log, each ended by a newline, as a screen may have them.

    Args:
        lines: as :meth:`LogFollower.read` gives them.
        mark: stands before each.
        colour: keep colours.
        ignored: found in lines that are left out.
    """
    if ignored is None and lines.isascii() and len(lines.translate(None, _ACTING)) == len(lines):
        # a gigabyte of output is copied by replacing newlines, not line by line
        return mark + lines[:-1].decode('ascii').replace('\n', f'\n{mark}') + '\n'
    text = lines[:-1].decode('utf-8', 'backslashreplace')
    kept = (line for line in text.split('\n') if ignored is None or not ignored.search(line))
    return ''.join(f'{mark}{clean_line(line, colour=colour)}\n' for line in kept)
