"""A run of one proc feels like its command alone: its output as it comes, byte for byte."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable
from typing import BinaryIO

from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskStarted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.screen import plain_text
from parproc.core.view import Ended, Message, RunView, Warned
from parproc.report.logfile import open_log
from parproc.report.style import Style

INTERVAL = 0.05
BURST = 1 << 22
FILE_CHUNK = 1 << 18
PATIENCE = 10


class RawReporter:
    """Copies a proc's log to standard output while it grows.

    What is not a file takes no more at a time than it says it can take at once, so that a slow reader holds back
    neither signals nor deadlines.

    Args:
        output: an open file that receives the bytes.
        style: receives the last line of a failure.
        log_path: proc name -> its log.
    """

    def __init__(self, output: BinaryIO, style: Style, log_path: Callable[[str], str]) -> None:
        self._output = output
        self._descriptor = output.fileno()
        self._chunk = FILE_CHUNK if stat.S_ISREG(os.fstat(self._descriptor).st_mode) else select.PIPE_BUF
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)
        self._style = style
        self._log_path = log_path
        self._name: str | None = None
        self._log: int | None = None
        self._over = False
        self._due = 0.0
        self._nobody_reads = False

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Follow the first proc that starts; of any other, say only how it failed."""
        if isinstance(message, TaskStarted):
            if self._name is None:
                self._name = message.name
        elif isinstance(message, TaskFinished):
            if message.name == self._name:
                self._copy_rest()
            if view.latest is not None and not self._nobody_reads:
                self._finished(view.latest, view)
        elif isinstance(message, Warned):
            self._say(f'warning: {plain_text(message.message)}')
        elif isinstance(message, RunStopping) and message.step > 1:
            self._say(f'{plain_text(message.reason)} again, killing')

    def next_tick(self, view: RunView) -> float | None:
        """Return when to look for more output."""
        return self._due if view.running and not self._over else None

    def tick(self, now: float, view: RunView) -> None:
        """Copy what has come."""
        if now >= self._due and view.running and not self._over:
            log = self._opened()
            more = log is not None and self._copy(log, BURST, PATIENCE)
            self._due = now if more else now + INTERVAL

    def _copy_rest(self) -> None:
        log = self._opened()
        self._over = True
        if log is not None:
            try:
                if not self._nobody_reads:
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
            if not self._poll.poll(patience):
                return True
            data = os.read(log, self._chunk)
            if not data:
                return False
            most -= len(data)
            self._write(data)
        return True

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                self._poll.poll()
            except BrokenPipeError:
                self._nobody_reads = self._over = True
                raise

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
