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
    from rich.text import Text
    from rich.tree import Tree

FEWEST_COLUMNS = 20
MOST_NAME_COLUMNS = 40
GAP = 2
HANG = 2
LEAST_LAST_COLUMNS = 12


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

    def columns_in_line(self, rows: Sequence[Sequence[Text]], *, right: frozenset[int] = frozenset()) -> list[Text]:
        """Return rows as lines with their columns in line; the last column is wrapped, and below where it has no room.

        Args:
            rows: each with the same number of cells; a column that is empty in all of them is left out.
            right: the columns that are aligned at their right.
        """
        *before, last = [place for place in range(len(rows[0])) if any(row[place] for row in rows)]
        widths = {place: max(row[place].cell_len for row in rows) for place in [*before, last]}
        start = sum(widths[place] + GAP for place in before)
        if self.columns - start < min(LEAST_LAST_COLUMNS, widths[last]):
            start = HANG
        lines: list[Text] = []
        for row in rows:
            blanks = {place: ' ' * (width - row[place].cell_len) for place, width in widths.items()}
            cells = [
                self.joined(*((blanks[place], row[place]) if place in right else (row[place], blanks[place])))
                for place in before
            ]
            said = self.joined(blanks[last], row[last]) if last in right else row[last]
            lines += self._beside(self.joined(*cells, gap=' ' * GAP), said, start, HANG)
        return lines

    def definitions(self, rows: Sequence[tuple[Text, Text]], *, indent: int = 2, hang: int = HANG) -> list[Text]:
        """Return lines with names at the left and what is said of them beside; below, where a name is long.

        Args:
            rows: names, and what is said of each, which is wrapped.
            indent: columns before the names.
            hang: further columns before the rest of a name that no line holds.
        """
        most = min(MOST_NAME_COLUMNS, self.columns * 2 // 5)
        start = indent + max((name.cell_len for name, _ in rows if name.cell_len <= most), default=0) + GAP
        lines: list[Text] = []
        for name, said in rows:
            lines += self._beside(self.joined(' ' * indent, name), said, start, indent + hang)
        return lines

    def _beside(self, name: Text, said: Text, start: int, hang: int) -> list[Text]:
        """Return lines with what is said of a name from column ``start`` on, beside the name where that is short."""
        said_lines = self.wrapped(said, self.columns - start)
        if name.cell_len + GAP <= start and said_lines:
            lines = [self.joined(name, ' ' * (start - name.cell_len), said_lines.pop(0))]
        else:
            lines = self._folded(name, hang)
        return [*lines, *(self.joined(' ' * start, line) for line in said_lines)]

    def _folded(self, text: Text, hang: int) -> list[Text]:
        """Return a text as lines that are full, each but the first ``hang`` columns further right."""
        from rich.cells import chop_cells

        lines: list[Text] = []
        text.rstrip()
        while text.cell_len > self.columns:
            line, rest = text.divide([len(chop_cells(text.plain, self.columns)[0])])
            lines.append(line)
            text = self.joined(' ' * hang, rest)
        return [*lines, text]

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

    def draw(self, *parts: Text | Tree) -> str:
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
