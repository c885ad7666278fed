"""Every line of output at once, with the name of its proc before it."""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from parproc.core.events import Announcement, TaskStarted
from parproc.core.terminal_text import RESET, plain_text
from parproc.core.view import EndedTask, Message, RunView
from parproc.report.lines.log_copier import BURST_BYTES, CopyingReporter
from parproc.report.logs.follow import LogFollower
from parproc.report.logs.read_log import Ignored, none_ignored
from parproc.report.streams.sink import PATIENCE_MILLISECONDS, Sink
from parproc.report.style import Style

COLOURS = (32, 33, 34, 35, 36, 92, 93, 94, 95, 96)
SHARE_BYTES = 1 << 18


class StreamReporter(CopyingReporter):
    """Writes the output of all running procs as it comes, ``name | `` before each line.

    Args:
        out: receives the lines.
        style: receives the status lines, as plain has them.
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
        super().__init__(out, style, log_path, colour=colour, ignored=ignored, in_program=in_program)
        self._followers: dict[str, LogFollower] = {}

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Follow each proc that starts; write about everything in its turn."""
        if isinstance(message, TaskStarted) and message.name not in self._followers:
            self._followers[message.name] = LogFollower(self._log_path(message.name))
        super().handle(message, view)

    def next_tick(self, view: RunView) -> float | None:
        """Return when to look for more output."""
        return self._due if view.running or self.unread else None

    def _close(self, ended: EndedTask, view: RunView, *, patience: int) -> bool:
        tail = self._followers.get(ended.name)
        if tail is None:
            return True
        tail.finish()
        return self._copy(
            tail, self._mark(ended.name, view), BURST_BYTES, patience=patience, ignored=self._ignored(ended.name, False)
        )

    def _closed(self, ended: EndedTask, time: float, view: RunView) -> None:
        self._followers.pop(ended.name, None)
        self._plain.ended(ended, view, time)

    def _follow(self, view: RunView) -> bool:
        more = False
        for name in view.running:
            if not self._copy(
                self._followers[name],
                self._mark(name, view),
                SHARE_BYTES,
                patience=PATIENCE_MILLISECONDS,
                ignored=self._ignored(name, False),
            ):
                more = True
                if not self._sink.flush(0):
                    break
        return more

    def _mark(self, name: str, view: RunView) -> str:
        shown = f'{plain_text(name).ljust(view.name_width)} |'
        if self._style.colour:
            shown = f'\x1b[{COLOURS[crc32(name.encode("utf-8", "replace")) % len(COLOURS)]}m{shown}{RESET}'
        return f'{shown} '
