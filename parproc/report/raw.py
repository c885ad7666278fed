"""A run of one proc feels like its command alone: its output as it comes, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskStarted
from parproc.core.model import ProcState
from parproc.core.screen import plain_text
from parproc.core.view import Message, RunView, Warned
from parproc.report.style import Style

INTERVAL = 0.05
CHUNK = 1 << 18


class RawReporter:
    """Copies a proc's log to standard output while it grows.

    Args:
        output: receives the bytes.
        style: receives the last line of a failure.
        log_path: proc name -> its log.
    """

    def __init__(self, output: BinaryIO, style: Style, log_path: Callable[[str], str]) -> None:
        self._output = output
        self._style = style
        self._log_path = log_path
        self._path: str | None = None
        self._place = 0
        self._looked = 0.0

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Follow the proc."""
        if isinstance(message, TaskStarted):
            self._path = self._log_path(message.name)
        elif isinstance(message, TaskFinished):
            self._copy()
            outcome = message.outcome
            if outcome.state is ProcState.FAILED:
                self._say(f'{plain_text(message.name)} failed: {plain_text(outcome.reason)}')
            for leak in outcome.leaked:
                self._say(f'{plain_text(message.name)} left behind: {plain_text(leak)}, ended')
        elif isinstance(message, Warned):
            self._say(f'warning: {plain_text(message.message)}')
        elif isinstance(message, RunStopping):
            self._say(plain_text(message.reason))

    def next_tick(self, view: RunView) -> float | None:
        """Return when to look for more output."""
        return self._looked + INTERVAL if view.running else None

    def tick(self, now: float, view: RunView) -> None:
        """Copy what has come."""
        if now >= self._looked + INTERVAL:
            self._looked = now
            self._copy()

    def _copy(self) -> None:
        if self._path is None:
            return
        try:
            with open(self._path, 'rb') as log:
                log.seek(self._place)
                while data := log.read(CHUNK):
                    self._output.write(data)
                    self._place += len(data)
        except FileNotFoundError:
            return
        self._output.flush()

    def _say(self, text: str) -> None:
        self._style.line(f'parproc: {text}')
        self._style.stream.flush()
