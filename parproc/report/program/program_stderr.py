"""Standard error of a program, which may put something else in its place at any time."""

from __future__ import annotations

import contextlib
import io
import sys


class ProgramStderr(io.TextIOBase):
    """Standard error as a program has it at the moment: captured, redirected, a notebook's cell, or none at all."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what stands there now."""
        return getattr(sys.stderr, 'encoding', None) or 'utf-8'

    def write(self, text: str, /) -> int:
        """Write, as far as anybody takes it."""
        with contextlib.suppress(Exception):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, as far as possible."""
        with contextlib.suppress(Exception):
            sys.stderr.flush()

    def fileno(self) -> int:
        """Return the descriptor; raises OSError where there is none."""
        try:
            return sys.stderr.fileno()
        except Exception as error:
            raise OSError(str(error)) from None

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        try:
            return sys.stderr.isatty()
        except Exception:
            return False
