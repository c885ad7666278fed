"""What a program waited for, when it has: the end of a run that goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from parproc.core.durations import format_duration
from parproc.core.view import RunView
from parproc.report.style import Style
from parproc.report.summary import counts_text


@dataclass(frozen=True, slots=True)
class WaitOver:
    """A program no longer waits.

    Args:
        ended: the fold of what has ended since the wait before.
        seconds: since the first of it was wanted.
        raised: those of which an exception tells the program that they failed.
        is_last_chance: no exception is to tell of the others, now or later.
    """

    ended: RunView
    seconds: float
    raised: Collection[str]
    is_last_chance: bool

    def line(self, style: Style) -> str:
        """Return how it went, in a line; empty where that of a single proc has said it all."""
        if self.ended.done < 2:
            return ''
        return f'{counts_text(style, self.ended)} in {format_duration(self.seconds)}'
