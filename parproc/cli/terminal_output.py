"""What is printed once and a person reads it on a terminal: drawn by rich, to the terminal's width and in its colours.

Where no terminal is, programs read what is printed, and it stays plain. So :func:`screen_of` comes first, and nothing
of rich is loaded unless it returns a screen. What is drawn becomes text, to be written as everything is: see
:mod:`parproc.cli.output`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from parproc.core.terminal_text import plain_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

FEWEST_COLUMNS = 20
MOST_NAME_COLUMNS = 40
GAP = 2


def screen_of(stream: TextIO, asked: str) -> Screen | None:
    """Return the terminal that a stream leads to; None where it leads elsewhere, or to one that only takes plain lines.

    Args:
        stream: standard output or standard error.
        asked: the value of ``--color``.
    """
    try:
        descriptor = stream.fileno()
        if not os.isatty(descriptor) or os.environ.get('TERM') in (None, '', 'dumb'):
            return None
        columns = os.get_terminal_size(descriptor).columns
    except (OSError, ValueError, AttributeError):
        return None
    if columns < FEWEST_COLUMNS:  # also where the terminal does not say how wide it is
        return None
    from parproc.report.choose_reporters import wants_colour

    return Screen(columns, colour=wants_colour(asked, terminal=True), encoding=stream.encoding or 'ascii')


class Screen:
    """A terminal as far as what is printed there depends on it.

    Args:
        columns: its width.
        colour: whether to use colour, and bold and dim text.
        encoding: of what is written; what it cannot spell is escaped.
    """

    def __init__(self, columns: int, *, colour: bool, encoding: str = 'utf-8') -> None:
        self.columns = columns
        self._colour = colour
        self._encoding = encoding
        self._unicode = encoding.lower().startswith('utf')

    def text(self, text: str, style: str = '') -> Text:
        """Return text that shows what it says and does nothing else: no escape sequence acts, nothing is markup.

        Args:
            text: from anywhere; becomes one line.
            style: as rich names it, such as ``dim`` or ``bold red``.
        """
        from rich.text import Text

        from parproc.report.board.cells import steady

        return Text(steady(plain_text(text), unicode=self._unicode), style)

    def joined(self, *parts: Text | str, gap: str = '') -> Text:
        """Return parts as one text, with ``gap`` between them; texts of our own may be given as they are."""
        from rich.text import Text

        whole = Text()
        for place, part in enumerate(parts):
            if gap and place:
                whole.append(gap)
            whole.append(part)
        return whole

    def columns_in_line(self, rows: Sequence[Sequence[Text]], *, right: frozenset[int] = frozenset()) -> Table:
        """Return rows with their columns in line; the last column is wrapped, the others are kept whole.

        Args:
            rows: each with the same number of cells; a column that is empty in all of them is left out.
            right: the columns that are aligned at their right.
        """
        from rich.table import Table

        used = [place for place in range(len(rows[0])) if any(row[place] for row in rows)]
        table = Table.grid(padding=(0, GAP, 0, 0))
        for place in used:
            last = place == used[-1]
            table.add_column(
                justify='right' if place in right else 'left', no_wrap=not last, overflow='fold' if last else 'ellipsis'
            )
        for row in rows:
            table.add_row(*[row[place] for place in used])
        return table

    def definitions(self, rows: Sequence[tuple[Text, Text]], *, indent: int = 2) -> list[Text]:
        """Return lines with names at the left and what is said of them beside; below, where a name is long.

        Args:
            rows: names, and what is said of each, which is wrapped.
            indent: columns before the names.
        """
        most = min(MOST_NAME_COLUMNS, self.columns * 2 // 5)
        width = max((name.cell_len for name, _ in rows if name.cell_len <= most), default=0)
        start = indent + width + GAP
        lines: list[Text] = []
        for name, said in rows:
            said_lines = self.wrapped(said, self.columns - start)
            if name.cell_len <= width and said_lines:
                filled = self.joined(' ' * indent, name, ' ' * (width - name.cell_len + GAP))
                lines.append(self.joined(filled, said_lines.pop(0)))
            else:
                lines += [self.joined(' ' * indent, line) for line in self.wrapped(name, self.columns - indent)]
            lines += [self.joined(' ' * start, line) for line in said_lines]
        return lines

    def wrapped(self, text: Text, columns: int) -> list[Text]:
        """Return a text as lines of at most so many columns, broken at blanks where that can be."""
        if not text:
            return []
        if text.cell_len <= columns:
            return [text]
        lines = list(text.wrap(self._console, max(1, columns)))
        for line in lines:
            line.rstrip()
        return lines

    def broken_at_blanks(self, text: Text) -> list[Text]:
        """Return a text as lines of the terminal; a longer word, such as a path, is left to it, and can be copied."""
        lines: list[Text] = []
        for word in text.split(' '):
            if lines and lines[-1].cell_len + 1 + word.cell_len <= self.columns:
                lines[-1] = self.joined(lines[-1], word, gap=' ')
            else:
                lines.append(word)
        return lines

    def draw(self, *parts: Text | Table | Tree) -> str:
        """Return what to write to the terminal so that the parts stand there, one below the other.

        A text is not wrapped any more: that is :meth:`wrapped`'s business.
        """
        from rich.text import Text

        self._written.seek(0)
        self._written.truncate()
        for is_text, group in groupby(parts, lambda part: isinstance(part, Text)):
            if is_text:  # printed at once: rich takes many times as long for them one by one
                self._console.print(Text('\n').join(part for part in group if isinstance(part, Text)), soft_wrap=True)
            else:
                for part in group:
                    self._console.print(part)
        self._console.file.flush()
        return self._written.getvalue().decode(self._encoding)

    @cached_property
    def _written(self) -> io.BytesIO:
        return io.BytesIO()

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            file=io.TextIOWrapper(self._written, encoding=self._encoding, errors='backslashreplace', newline=''),
            width=self.columns,
            force_terminal=True,
            color_system='standard' if self._colour else None,
            no_color=not self._colour,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )
