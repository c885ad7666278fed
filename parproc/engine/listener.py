"""What the engine tells of a run, and to whom: the seam to the reporters."""

from __future__ import annotations

from typing import Protocol

from parproc.core.events import Announcement
from parproc.core.view import Message


class Listener(Protocol):
    """Takes everything that reporters read."""

    def handle(self, message: Announcement | Message) -> None:
        """Take one message; raises BrokenPipeError when nobody reads the output any more."""

    def tick(self, now: float) -> None:
        """Time has passed (monotonic seconds)."""

    def next_tick(self, now: float) -> float | None:
        """Return when ``tick`` wants to be called next, None when it need not be."""

    def step_aside(self, away: bool) -> None:
        """Leave the terminal to somebody else, or take it back."""

    def wants_keys(self) -> bool:
        """Return whether keys that are pressed mean anything."""

    def press(self, key: str) -> None:
        """Take a key that the person at the terminal has pressed."""

    def show_state(self, now: float) -> None:
        """Say how the run stands (``now`` is monotonic seconds)."""

    def say(self, text: str) -> None:
        """Write text of others to standard error."""

    def unread(self) -> bool:
        """Return whether something that was said has not been taken yet by who reads it."""

    def written(self) -> int:
        """Return how many bytes were taken so far."""

    def close(self) -> None:
        """Give up whatever is written to, with all that was not taken."""


class GuardedListener:
    """Calls a listener, and remembers when nobody reads its output any more, rather than break off what goes on.

    Args:
        listener: takes what is told; any other exception of its own reaches the caller.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._output_closed = False
        self._closing_is_news = False

    @property
    def output_closed(self) -> bool:
        """True once nobody reads the output any more."""
        return self._output_closed

    @property
    def closing_is_news(self) -> bool:
        """True from when the output was closed until :meth:`take_closing`."""
        return self._closing_is_news

    def take_closing(self) -> bool:
        """Return whether the output was closed since this was last asked."""
        news, self._closing_is_news = self._closing_is_news, False
        return news

    def handle(self, message: Announcement | Message) -> None:
        """Pass a message on."""
        try:
            self._listener.handle(message)
        except BrokenPipeError:
            self._note_closed()

    def tick(self, now: float) -> None:
        """Pass on that time has passed."""
        try:
            self._listener.tick(now)
        except BrokenPipeError:
            self._note_closed()

    def step_aside(self, away: bool) -> None:
        """Pass on that the terminal is somebody else's, or free again."""
        try:
            self._listener.step_aside(away)
        except BrokenPipeError:
            self._note_closed()

    def press(self, key: str) -> None:
        """Pass a key on."""
        try:
            self._listener.press(key)
        except BrokenPipeError:
            self._note_closed()

    def show_state(self, now: float) -> None:
        """Let the listener say how the run stands."""
        try:
            self._listener.show_state(now)
        except BrokenPipeError:
            self._note_closed()

    def say(self, text: str) -> None:
        """Let the listener write text of others."""
        try:
            self._listener.say(text)
        except BrokenPipeError:
            self._note_closed()

    def next_tick(self, now: float) -> float | None:
        """Return when ``tick`` wants to be called next, None when it need not be."""
        return self._listener.next_tick(now)

    def wants_keys(self) -> bool:
        """Return whether keys that are pressed mean anything."""
        return self._listener.wants_keys()

    def unread(self) -> bool:
        """Return whether something that was said waits for its reader, and there is one."""
        return self._listener.unread() and not self._output_closed

    def written(self) -> int:
        """Return how many bytes were taken so far."""
        return self._listener.written()

    def _note_closed(self) -> None:
        if not self._output_closed:
            self._output_closed = self._closing_is_news = True
