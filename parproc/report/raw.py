"""A run of one proc feels like its command alone: its output as it comes, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskStarted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.screen import plain_text
from parproc.core.view import Ended, Message, RunView, Warned
from parproc.report.logfile import open_log
from parproc.report.sink import PATIENCE, Sink
from parproc.report.style import Style

INTERVAL = 0.05
BURST = 1 << 22
CHUNK = 1 << 18


class RawReporter:
    """Copies a proc's log to standard output while it grows.

    Args:
        output: an open file that receives the bytes.
        style: receives the last line of a failure.
        log_path: proc name -> its log.
    """

    def __init__(self, output: BinaryIO, style: Style, log_path: Callable[[str], str]) -> None:
        self._output = output
        self._sink = Sink(output.fileno())
        self._style = style
        self._log_path = log_path
        self._name: str | None = None
        self._log: int | None = None
        self._over = False
        self._due = 0.0

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Follow the first proc that starts; of any other, say only how it failed."""
        if isinstance(message, TaskStarted):
            if self._name is None:
                self._name = message.name
        elif isinstance(message, TaskFinished):
            if message.name == self._name:
                self._copy_rest()
            if view.latest is not None and not self._sink.broken:
                self._finished(view.latest, view)
        elif isinstance(message, Warned):
            self._say(f'warning: {plain_text(message.message)}')
        elif isinstance(message, RunStopping) and message.step > 1:
            self._say(f'{plain_text(message.reason)} again, killing')

    def next_tick(self, view: RunView) -> float | None:
        """Return when to look for more output."""
        return self._due if view.running and self._follows() else None

    def tick(self, now: float, view: RunView) -> None:
        """Copy what has come."""
        if now >= self._due and view.running and self._follows():
            log = self._opened()
            more = log is not None and self._copy(log, BURST, PATIENCE)
            self._due = now if more else now + INTERVAL

    def _follows(self) -> bool:
        return not self._over and not self._sink.broken

    def _copy_rest(self) -> None:
        log = self._opened()
        self._over = True
        if log is not None:
            try:
                if not self._sink.broken:
                    self._copy(log, os.fstat(log).st_size, None)
            finally:
                os.close(log)
                self._log = None

    def _opened(self) -> int | None:
        if self._log is None and self._name is not None:
            self._log = open_log(self._log_path(self._name))
        return self._log

    def _copy(self, log: int, most: int, patience: int | None) -> bool:
        """Copy up to ``most`` bytes, waiting ``patience`` milliseconds for the reader; return whether to go on at once."""
        while most > 0:
            if not self._sink.flush(patience):
                return True
            data = os.read(log, CHUNK)
            if not data:
                return False
            most -= len(data)
            self._sink.put(data)
        self._sink.flush(patience)
        return True

    def _finished(self, ended: Ended, view: RunView) -> None:
        name, outcome = plain_text(ended.name), ended.outcome
        if outcome.error is ErrorKind.INTERRUPTED:
            self._say(f'{name} interrupted: {plain_text(view.stopped)}')
        elif outcome.state is ProcState.FAILED:
            self._say(f'{name} failed: {plain_text(outcome.reason)}')
        for leak in outcome.leaked:
            self._say(f'{name} left behind and ended: {plain_text(leak)}')

    def _say(self, text: str) -> None:
        self._style.line(f'parproc: {text}')
        self._style.stream.flush()
