"""All reporters of a run, behind one face; one that breaks is dropped and the run goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from parproc.core.events import Announcement
from parproc.core.view import Message, RunView


class Reporter(Protocol):
    """Shows a run; all it knows is the messages and their fold."""

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Take one message, folded into ``view`` already."""

    def next_tick(self, view: RunView) -> float | None:
        """Return when :meth:`tick` should be called, None when it need not be."""

    def tick(self, now: float, view: RunView) -> None:
        """Time has passed."""


class Reporters:
    """Folds messages and passes them on.

    Args:
        reporters: the peers.
    """

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.view = RunView()
        self._reporters = list(reporters)

    def handle(self, message: Announcement | Message) -> None:
        """Take one message; raises BrokenPipeError when nobody reads the output any more."""
        self.view.take(message)
        self._each(lambda reporter: reporter.handle(message, self.view))

    def tick(self, now: float) -> None:
        """Let each reporter know that time has passed."""
        self._each(lambda reporter: reporter.tick(now, self.view))

    def next_tick(self, now: float) -> float | None:
        """Return when the next one wants its tick."""
        times = [when for reporter in self._reporters if (when := reporter.next_tick(self.view)) is not None]
        return max(min(times), now) if times else None

    def _each(self, call: Callable[[Reporter], None]) -> None:
        for reporter in list(self._reporters):
            try:
                call(reporter)
            except BrokenPipeError:
                raise
            except Exception as error:
                self._reporters.remove(reporter)
                name = type(reporter).__name__
                print(f'parproc: {name} broke and was dropped: {type(error).__name__}: {error}', file=sys.stderr)
