"""One line of the board: its parts, cut to the columns there are."""

from __future__ import annotations

from rich.cells import cell_len

from parproc.report.board.cells import fit, steady
from parproc.report.board.progress_bar import progress_bar
from parproc.report.style import Style


class Line:
    """A line that is filled from the left, one space between its parts, as far as there is room.

    Args:
        style: colours and signs.
        columns: the room there is; no line gets wider.
    """

    def __init__(self, style: Style, columns: int) -> None:
        self.room = columns
        self._style = style
        self._more = '…' if style.unicode else '..'
        self._parts: list[str] = []

    def add(self, text: str, colour: str | None = None) -> None:
        """Add text that is clean already, cut to the room there is; nothing when there is none."""
        if self._parts:
            self.room -= 1
        text = fit(steady(text, unicode=self._style.unicode), self.room, self._more) if self.room > 0 else ''
        self.room -= cell_len(text)
        self._parts.append(self._style.paint(text, colour) if colour and text else text)

    def name(self, text: str, columns: int) -> None:
        """Add a name in ``columns``, cut or filled with spaces."""
        text = fit(text, columns, self._more)
        self.add(text + ' ' * (columns - cell_len(text)))

    def bar(self, fraction: float, columns: int) -> None:
        """Add a bar, filled up to ``fraction``."""
        self.room -= columns + bool(self._parts)
        self._parts.append(progress_bar(self._style, fraction, columns))

    def text(self) -> str:
        """Return the line."""
        return ' '.join(self._parts).rstrip()
