"""All reporters of a run, behind one face; one that breaks is dropped and the run goes on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Protocol

from parproc.core.events import Announcement
from parproc.core.screen import plain_text
from parproc.core.view import Message, RunView
from parproc.report.state import state_lines

LONGEST_REASON = 200


class Reporter(Protocol):
    """Shows a run; all it knows is the messages and their fold."""

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Take one message, folded into ``view`` already. BrokenPipeError says that nobody reads any more."""

    def next_tick(self, view: RunView) -> float | None:
        """Return when :meth:`tick` should be called, None when it need not be."""

    def tick(self, now: float, view: RunView) -> None:
        """Time has passed; ``now`` is monotonic seconds. Called more often than asked for."""


class Reporters:
    """Folds messages and passes them on.

    Args:
        reporters: the peers.
    """

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.view = RunView()
        self._reporters = list(reporters)

    def handle(self, message: Announcement | Message) -> None:
        """Let each reporter take one message; raises BrokenPipeError when nobody reads the output any more."""
        self.fold(message)
        view = self.view
        broken = None
        for reporter in self._reporters:
            try:
                reporter.handle(message, view)
            except BrokenPipeError as error:
                broken = error
            except Exception as error:
                self._drop(reporter, error)
        if broken is not None:
            raise broken

    def fold(self, message: Announcement | Message) -> None:
        """Take one message into the view."""
        self.view.take(message)

    def tick(self, now: float) -> None:
        """Let each reporter know that time has passed; raises as :meth:`handle`."""
        broken = None
        for reporter in self._reporters:
            try:
                reporter.tick(now, self.view)
            except BrokenPipeError as error:
                broken = error
            except Exception as error:
                self._drop(reporter, error)
        if broken is not None:
            raise broken

    def next_tick(self, now: float) -> float | None:
        """Return when the next one wants its tick, None when none does."""
        nearest = None
        for reporter in self._reporters:
            try:
                due = reporter.next_tick(self.view)
            except Exception as error:
                self._drop(reporter, error)
            else:
                if due is not None and (nearest is None or due < nearest):
                    nearest = due
        return None if nearest is None else max(nearest, now)

    def step_aside(self, away: bool) -> None:
        """Let those that draw on the terminal leave it to somebody else, or take it back."""
        for reporter in self._reporters:
            call = getattr(reporter, 'suspend' if away else 'resume', None)
            if call is not None:
                try:
                    call()
                except Exception as error:
                    self._drop(reporter, error)

    def wants_keys(self) -> bool:
        """Return whether one of them takes keys."""
        return any(hasattr(reporter, 'press') for reporter in self._reporters)

    def press(self, key: str) -> None:
        """Hand a key on to those that take any."""
        for reporter in self._reporters:
            call = getattr(reporter, 'press', None)
            if call is not None:
                try:
                    call(key, self.view)
                except Exception as error:
                    self._drop(reporter, error)

    def show_state(self, now: float) -> None:
        """Say on standard error how the run stands; what draws on the terminal steps aside for it."""
        lines = state_lines(self.view, now)
        self.step_aside(True)
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(''.join(f'{line}\n' for line in lines))
            sys.stderr.flush()
        self.step_aside(False)

    def _drop(self, reporter: Reporter, error: Exception) -> None:
        self._reporters = [other for other in self._reporters if other is not reporter]  # it may be gone through
        try:
            reason = plain_text(f'{type(error).__name__}: {error}')[:LONGEST_REASON]
        except Exception:
            reason = type(error).__name__
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f'parproc: {type(reporter).__name__} broke and was dropped: {reason}\n')
            sys.stderr.flush()
