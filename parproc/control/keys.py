"""Keys that the person at the terminal presses while a run goes on."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from typing import Any

STDIN = 0


class Keys:
    """Reads single keys from standard input, where that is a terminal in whose foreground this process is.

    Args:
        selector: watches standard input.
        press: called with each key.
    """

    def __init__(self, selector: selectors.BaseSelector, press: Callable[[str], None]) -> None:
        self._selector = selector
        self._press = press
        self._modes: list[Any] | None = None

    def take(self) -> None:
        """Let keys arrive one by one and unseen; those that send signals still do."""
        if self._modes is not None or not _is_ours():
            return
        import termios

        modes = termios.tcgetattr(STDIN)
        single = termios.tcgetattr(STDIN)
        single[3] &= ~(termios.ICANON | termios.ECHO)
        single[6][termios.VMIN], single[6][termios.VTIME] = 1, 0
        try:
            self._selector.register(STDIN, selectors.EVENT_READ, self._on_readable)
        except (OSError, ValueError, KeyError):
            return
        termios.tcsetattr(STDIN, termios.TCSANOW, single)
        self._modes = modes

    def give(self) -> None:
        """Leave the terminal as it was."""
        if self._modes is None:
            return
        import termios

        self._selector.unregister(STDIN)
        if _is_ours():
            termios.tcsetattr(STDIN, termios.TCSANOW, self._modes)
        self._modes = None

    def _on_readable(self) -> None:
        try:
            data = os.read(STDIN, 64)
        except OSError:
            data = b''
        if not data:
            self.give()
        for key in data.decode('utf-8', 'ignore'):
            self._press(key)


def _is_ours() -> bool:
    """Return whether standard input is a terminal and this process in its foreground."""
    try:
        return os.isatty(STDIN) and os.tcgetpgrp(STDIN) == os.getpgrp()
    except OSError:
        return False
