"""A text stream over a sink, for what writes lines and knows nothing of slow readers."""

from __future__ import annotations

import io
from collections.abc import Iterable

from parproc.report.streams.sink import Sink


class SinkStream(io.TextIOBase):
    """Text for a sink: each write is a line or more, which may be left out when nobody reads.

    Args:
        sink: receives it.
        encoding: of the text.
    """

    def __init__(self, sink: Sink, encoding: str = 'utf-8') -> None:
        self._sink = sink
        self._encoding = encoding

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._sink.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How the text is written."""
        return self._encoding

    def fileno(self) -> int:
        """Return the descriptor that is written to."""
        return self._sink.fileno()

    def write(self, text: str, /) -> int:
        """Have text written by the next :meth:`flush`."""
        self._sink.put_spare(self._encoded(text))
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        """Have lines written, each asked for when there is room for it."""
        self._sink.put_from(map(self._encoded, lines))

    def flush(self) -> None:
        """Write as much as is taken now; raises as :meth:`Sink.flush`."""
        self._sink.flush()

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, 'backslashreplace')
