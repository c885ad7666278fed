"""The keys that mean something while the board is on the terminal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from parproc.core.terminal_text import clean_line, plain_text
from parproc.core.view import RunView
from parproc.report.logs.read_log import read_log_excerpt
from parproc.report.style import Style

MOST_LOGS = 50
LOG_LINES = 20


class BoardKeys:
    """Does what a key asks for.

    Args:
        style: takes what it writes.
        log_path: proc name -> its log.

    Attributes:
        failures_only: what ends well is not to be shown.
    """

    def __init__(self, style: Style, log_path: Callable[[str], str]) -> None:
        self._style = style
        self._log_path = log_path
        self._logs_shown = 0
        self.failures_only = False

    def press(self, key: str, view: RunView) -> bool:
        """Take a key: ``?`` names the keys, ``l`` shows a log, ``f`` leaves out what goes well.

        Returns:
            Whether the key means anything now.
        """
        style = self._style
        if key == 'f':
            self.failures_only = not self.failures_only
            style.line(style.paint('failures only' if self.failures_only else 'all that ends', 'dim'))
        elif key == 'l' and view.running:
            self._show_log(view)
        elif key == '?':
            style.line(
                style.paint('l: the log of a running proc (again: of the next)  f: failures only  q: stop', 'dim')
            )
        else:
            return False
        return True

    def _show_log(self, view: RunView) -> None:
        """Write the last lines of the log of a running proc, each time of the next one."""
        names = list(islice(view.running, MOST_LOGS))
        name = names[self._logs_shown % len(names)]
        self._logs_shown += 1
        self._style.line(self._style.paint(f'─── {plain_text(name)}', 'bold'))
        for line in read_log_excerpt(self._log_path(name)).rstrip().split('\n')[-LOG_LINES:]:
            self._style.line(f'    {clean_line(line, colour=self._style.colour)}')
