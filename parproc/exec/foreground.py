"""The terminal, lent to one task at a time: it stands in the foreground, as a command that a shell runs does."""

from __future__ import annotations

import os
import signal
from typing import Any

TERMINAL = 0


class Foreground:
    """What this process knows of its terminal, to have it back as it was.

    Where standard input is no terminal, or this process is not in its foreground, nothing is lent.
    """

    def __init__(self) -> None:
        self._modes: list[Any] | None = None
        try:
            self._ours = os.tcgetpgrp(TERMINAL) == os.getpgrp()
        except OSError:
            self._ours = False
        if self._ours:
            import termios

            self._modes = termios.tcgetattr(TERMINAL)

    @property
    def is_ours(self) -> bool:
        """Whether there is a terminal to lend."""
        return self._ours

    def lend(self, group: int) -> None:
        """Put a process group into the foreground."""
        if self._ours:
            put_into_foreground(group)

    def take_back(self) -> None:
        """Come to the foreground again, with the terminal's modes as they were."""
        if self._modes is not None:
            import termios

            put_into_foreground(os.getpgrp())
            termios.tcsetattr(TERMINAL, termios.TCSANOW, self._modes)


def put_into_foreground(group: int) -> None:
    """Make a process group the terminal's foreground one; who asks may be in the background."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        os.tcsetpgrp(TERMINAL, group)
    except OSError:
        return
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
