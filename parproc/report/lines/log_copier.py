"""Copies what tasks write from their logs to an output, in order with the lines about the run.

Stream, group and github are kinds of it: they differ in when a log is copied, and in what stands before its lines.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from parproc.core.events import Announcement, TaskFinished
from parproc.core.view import EndedTask, Message, RunView, TaskLogged
from parproc.report.lines.plain import PlainReporter
from parproc.report.logs.follow import LogFollower, marked
from parproc.report.logs.read_log import Ignored, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.streams.sink import PATIENCE_MILLISECONDS, RETRY_SECONDS, Sink
from parproc.report.style import Style
from parproc.report.wait_over import WaitOver

INTERVAL_SECONDS = 0.05
BURST_BYTES = 1 << 20
LAST_PATIENCE_SECONDS = 2.0

Item: TypeAlias = Announcement | Message | tuple[EndedTask, float]


class CopyingReporter(Reporter):
    """Writes logs to an output and status lines to a style's stream.

    Where the reader of the output is slow, both wait their turn, and the run goes on. What waits of a log is not read
    yet, so that little of it is held.

    Args:
        out: receives what tasks write.
        style: receives the status lines.
        log_path: proc name -> its log.
        colour: whether ``out`` takes colour; as the style's stream when not given.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        in_program: there is a summary after each wait, and none at the end of the run.
    """

    def __init__(
        self,
        out: Sink,
        style: Style,
        log_path: Callable[[str], str],
        *,
        colour: bool | None = None,
        ignored: Ignored = none_ignored,
        in_program: bool = False,
    ) -> None:
        self._sink = out
        self._plain = PlainReporter(style, log_path, ignored=ignored, in_program=in_program)
        self._ignored = ignored
        self._style = Style(style.stream, colour=style.colour if colour is None else colour)
        self._log_path = log_path
        self._backlog: deque[Item] = deque()
        self._due = 0.0

    @property
    def unread(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._backlog or self._sink.pending)

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Write what there is to say about ``message``, after all that was to be said before."""
        if isinstance(message, TaskLogged):  # stands in the log
            return
        if isinstance(message, TaskFinished) and view.latest is not None:
            self._backlog.append((view.latest, message.time))
        else:
            self._backlog.append(message)
        self._work(view, patience=0)

    def begin_wait(self, now: float) -> None:
        """Take note that a program waits from ``now`` on."""
        self._plain.begin_wait(now)

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Write what is still to be written, as far as somebody reads it within a while, and how the wait went."""
        deadline = time.monotonic() + LAST_PATIENCE_SECONDS
        while (
            not (self._work(view, patience=PATIENCE_MILLISECONDS) and self._sink.flush(PATIENCE_MILLISECONDS))
            and time.monotonic() < deadline
        ):
            time.sleep(RETRY_SECONDS)
        self._plain.end_wait(wait, view)

    def next_tick(self, view: RunView) -> float | None:
        """Return when to go on copying, or when the next heartbeat is due."""
        if self.unread:
            return self._due
        return self._plain.next_tick(view)

    def tick(self, now: float, view: RunView) -> None:
        """Go on copying, and say that the run is alive after a while of silence."""
        if now < self._due:
            return
        before = self._sink.written
        self._sink.flush()
        more = not self._work(view, patience=PATIENCE_MILLISECONDS) or self._follow(view)
        self._due = now + (RETRY_SECONDS if self._sink.stalled else 0.0 if more else INTERVAL_SECONDS)
        if self._sink.written > before:
            self._plain.spoken(now)
        if not self._backlog:
            self._plain.tick(now, view)

    def _work(self, view: RunView, *, patience: int) -> bool:
        """Write what is due, in order; return whether that was all of it."""
        while self._backlog:
            item = self._backlog[0]
            if isinstance(item, tuple):
                if not self._close(item[0], view, patience=patience):
                    return False
                self._backlog.popleft()
                self._closed(*item, view)
            else:
                self._backlog.popleft()
                self._status(item, view)
        return True

    def _status(self, message: Announcement | Message, view: RunView) -> None:
        """Write what there is to say about anything but the end of a task."""
        self._plain.handle(message, view)

    def _close(self, ended: EndedTask, view: RunView, *, patience: int) -> bool:
        """Write what is still to be written of a task's log; return whether that was all of it."""
        raise NotImplementedError

    def _closed(self, ended: EndedTask, time: float, view: RunView) -> None:
        """Note that all of a task's log is written."""

    def _follow(self, view: RunView) -> bool:
        """Write what running tasks have written; return whether there is more already."""
        return False

    def _copy(self, tail: LogFollower, mark: str, most: int, *, patience: int, ignored: re.Pattern[str] | None) -> bool:
        """Copy about ``most`` bytes; return whether nothing more is there now."""
        while most > 0:
            if self._sink.broken:
                tail.close()
                return True
            if not self._sink.flush(patience):
                return False
            lines = tail.read()
            if not lines:
                return True
            most -= len(lines)
            self._sink.put(self._style.printable(self._shown(lines, mark, ignored)).encode())
        return False

    def _shown(self, lines: bytes, mark: str, ignored: re.Pattern[str] | None) -> str:
        """Return lines of a log as they are written."""
        return marked(lines, mark, colour=self._style.colour, ignored=ignored)
