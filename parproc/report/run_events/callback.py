"""Calls a program's own function with each event: ``Session(on_event=…)``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from parproc.core.events import Announcement
from parproc.core.terminal_text import plain_text
from parproc.core.view import Message, RunEnded, RunView
from parproc.report.reporter import Reporter
from parproc.report.run_events.event_stream import EventStream
from parproc.run_events import RunEvent

LONGEST_REASON_CHARACTERS = 200


class CallbackReporter(Reporter):
    """Calls a function with each event, in order, one at a time.

    The function is called by the thread that drives the run, never in the middle of a decision: it may use the session,
    and while it does, further events wait until it returns. One that raises is called no more, and one line says so.

    Args:
        call: takes an event; what it returns does not matter.
        stream: makes the events.
        warn: takes the line about a function that raised.
    """

    def __init__(self, call: Callable[[RunEvent], object], stream: EventStream, warn: Callable[[str], None]) -> None:
        self._call = call
        self._warn = warn
        self._stream = stream
        self._pending: deque[RunEvent] = deque()
        self._calling = False
        self._broken = False

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Keep the event for the next tick; the last ones are told at once."""
        if not self._broken:
            self._pending += self._stream.events(message, view)
            if isinstance(message, RunEnded):
                self._tell()

    def next_tick(self, view: RunView) -> float | None:
        """Return 0.0, which is at once, when there is something to tell."""
        return 0.0 if self._pending and not self._calling else None

    def tick(self, now: float, view: RunView) -> None:
        """Tell what has happened since the last time."""
        self._tell()

    def _tell(self) -> None:
        if self._calling:
            return
        self._calling = True
        try:
            while self._pending:
                self._call(self._pending.popleft())
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._give_up(error)
        finally:
            self._calling = False

    def _give_up(self, error: BaseException) -> None:
        self._broken = True
        self._pending.clear()
        try:
            reason = plain_text(f'{type(error).__name__}: {error}')[:LONGEST_REASON_CHARACTERS]
        except Exception:
            reason = type(error).__name__
        self._warn(f'on_event raised and is called no more: {reason}')
