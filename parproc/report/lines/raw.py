"""A run of one proc feels like its command alone: its output as it comes, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Callable

from parproc.core.events import RunStopping, TaskFinished, TaskStarted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.terminal_text import plain_text
from parproc.core.view import EndedTask, RunView, RunWarned
from parproc.host import descriptors
from parproc.report.logs.read_log import open_log
from parproc.report.reporter import Reporter
from parproc.report.streams.sink import PATIENCE_MILLISECONDS, RETRY_SECONDS, Sink
from parproc.report.style import Style

INTERVAL_SECONDS = 0.05
BURST_BYTES = 1 << 22
CHUNK_BYTES = 1 << 18


class RawReporter(Reporter):
    """Copies a proc's log to standard output while it grows.

    As much is read of the log as the output takes: what is not read yet waits there, and the run waits for nobody.

    Args:
        sink: receives the bytes.
        style: receives the last line of a failure.
        log_path: proc name -> its log.
    """

    def __init__(self, sink: Sink, style: Style, log_path: Callable[[str], str]) -> None:
        self._sink = sink
        self._style = style
        self._log_path = log_path
        self._name: str | None = None
        self._log: int | None = None
        self._read = 0
        self._end: int | None = None
        self._last_words: list[str] = []
        self._over = False
        self._due = 0.0

    @property
    def unread(self) -> bool:
        """Whether the proc is over and its output is not all written."""
        return self._end is not None and not self._over

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Follow the first proc that starts."""
        if self._name is None:
            self._name = message.name

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Copy the rest of the log of the proc that is followed; of any other, say only how it failed."""
        texts = [] if view.latest is None else self._how(view.latest, view)
        if message.name == self._name and self._end is None:
            log = self._opened()
            self._end = 0 if log is None else os.fstat(log).st_size
            self._last_words = texts
            self._copy(0)
        else:
            for text in texts:
                self._say(text)

    def on_run_warned(self, message: RunWarned, view: RunView) -> None:
        """Write the warning."""
        self._say(f'warning: {plain_text(message.message)}')

    def on_run_stopping(self, message: RunStopping, view: RunView) -> None:
        """Say that what runs is killed; that it was asked to end, its own output may show."""
        if message.step > 1:
            self._say(f'{plain_text(message.reason)} again, killing')

    def next_tick(self, view: RunView) -> float | None:
        """Return when to look for more output."""
        return self._due if self._follows() and (view.running or self.unread) else None

    def tick(self, now: float, view: RunView) -> None:
        """Copy what has come."""
        if now >= self._due and self._follows():
            more = self._copy(PATIENCE_MILLISECONDS)
            self._due = now if more else now + (RETRY_SECONDS if self._sink.stalled else INTERVAL_SECONDS)

    def close(self) -> None:
        """Give the log up, and say what had to wait for its end."""
        self._over = True
        if self._log is not None:
            descriptors.close(self._log)
            self._log = None
        for text in self._last_words:
            self._say(text)
        self._last_words = []

    def _follows(self) -> bool:
        return not self._over and not self._sink.broken

    def _opened(self) -> int | None:
        if self._log is None and self._name is not None:
            self._log = open_log(self._log_path(self._name))
            if self._log is not None:
                descriptors.own(self._log)
        return self._log

    def _copy(self, patience: int) -> bool:
        """Copy a burst of the log, waiting ``patience`` milliseconds for the reader; return whether there is more."""
        log = self._opened()
        for _ in range(BURST_BYTES // CHUNK_BYTES):
            if log is None or not self._sink.flush(patience):
                break
            data = b'' if self._sink.broken else os.read(log, self._most())
            if not data:
                break
            self._sink.put(data)
            self._read += len(data)
        else:
            return True
        if self._end is not None and not self._sink.pending:
            self.close()
        return False

    def _most(self) -> int:
        return CHUNK_BYTES if self._end is None else max(0, min(CHUNK_BYTES, self._end - self._read))

    def _how(self, ended: EndedTask, view: RunView) -> list[str]:
        """Return what there is to say of a proc that is over."""
        name, outcome = plain_text(ended.name), ended.outcome
        texts = [f'{name} left behind and ended: {plain_text(leak)}' for leak in outcome.leaked]
        if outcome.error is ErrorKind.INTERRUPTED:
            texts.insert(0, f'{name} interrupted: {plain_text(view.stopped)}')
        elif outcome.state is ProcState.FAILED:
            texts.insert(0, f'{name} failed: {plain_text(outcome.reason)}')
        return texts

    def _say(self, text: str) -> None:
        if self._sink.abandoned:
            return
        self._style.line(f'parproc: {text}')
        self._style.stream.flush()
