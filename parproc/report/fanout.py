"""The reporters of a run as one: each gets every message, and one that fails is dropped while the run goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TextIO

from parproc.core.events import Announcement
from parproc.core.terminal_text import plain_text
from parproc.core.view import Message, RunView
from parproc.errors import UserError
from parproc.report.reporter import Reporter
from parproc.report.status import state_lines
from parproc.report.streams.outputs import Outputs, standard_error

LONGEST_REASON_CHARACTERS = 200


class Reporters:
    """Folds each message into a view of the run, and hands both on.

    Args:
        reporters: in the order in which they get each message.
        outputs: standard output and error, which are offered what they did not take at each tick; None where reporters
            write to something else.
    """

    def __init__(self, reporters: Sequence[Reporter], outputs: Outputs | None = None) -> None:
        self.view = RunView()
        self._reporters = list(reporters)
        self._outputs = outputs
        self._status: TextIO | None = None if outputs is None else outputs.status

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
        if self._outputs is not None:
            self._outputs.tick(now)
        elif self._status is not None:
            self._status.flush()
        if broken is not None:
            raise broken

    def next_tick(self, now: float) -> float | None:
        """Return when the next one wants its tick, None when none does."""
        nearest = None if self._outputs is None else self._outputs.next_tick()
        for reporter in self._reporters:
            try:
                due = reporter.next_tick(self.view)
            except Exception as error:
                self._drop(reporter, error)
            else:
                if due is not None and (nearest is None or due < nearest):
                    nearest = due
        return None if nearest is None else max(nearest, now)

    def unread(self) -> bool:
        """Return whether something that was said has not been taken yet by who reads it."""
        if self._outputs is not None and self._outputs.pending:
            return True
        return any(reporter.unread for reporter in self._reporters)

    def written(self) -> int:
        """Return how many bytes were taken so far."""
        count = 0 if self._outputs is None else self._outputs.written
        return count + sum(reporter.written for reporter in self._reporters)

    def close(self) -> None:
        """Give the outputs up, with all that was not taken."""
        for reporter in self._reporters:
            with contextlib.suppress(OSError):
                reporter.close()
        if self._outputs is not None:
            self._outputs.close()

    def say(self, text: str) -> None:
        """Write text to standard error, where what draws on the terminal has stepped aside or lets it scroll up."""
        for reporter in self._reporters:
            if reporter.say(text):
                return
        if self._status is None:
            self._status = standard_error()
        self._status.write(text)
        self._status.flush()

    def step_aside(self, away: bool) -> None:
        """Let those that draw on the terminal leave it to somebody else, or take it back."""
        self._each(lambda reporter: reporter.suspend() if away else reporter.resume())

    def wants_keys(self) -> bool:
        """Return whether one of them takes keys."""
        return any(reporter.draws_board for reporter in self._reporters)

    def press(self, key: str) -> None:
        """Hand a key on to those that take any."""
        self._each(lambda reporter: reporter.press(key, self.view))

    def show_state(self, now: float) -> None:
        """Say on standard error how the run stands; what draws on the terminal steps aside for it."""
        lines = state_lines(self.view, now)
        self.step_aside(True)
        with contextlib.suppress(OSError, ValueError):
            self.say(''.join(f'{line}\n' for line in lines))
        self.step_aside(False)

    def _each(self, call: Callable[[Reporter], None]) -> None:
        """Call something on each reporter, and drop those that break."""
        for reporter in self._reporters:
            try:
                call(reporter)
            except Exception as error:
                self._drop(reporter, error)

    def _drop(self, reporter: Reporter, error: Exception) -> None:
        self._reporters = [other for other in self._reporters if other is not reporter]  # it may be gone through
        if isinstance(error, UserError):
            said = plain_text(error.message)
        else:
            try:
                reason = plain_text(f'{type(error).__name__}: {error}')[:LONGEST_REASON_CHARACTERS]
            except Exception:
                reason = type(error).__name__
            said = f'{type(reporter).__name__} broke and was dropped: {reason}'
        with contextlib.suppress(OSError, ValueError):
            self.say(f'parproc: {said}\n')
