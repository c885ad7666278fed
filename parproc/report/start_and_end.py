"""A line as each proc starts and ends, between what procs write to the terminal by themselves: mode ``single``."""

from __future__ import annotations

from parproc.core.durations import format_duration
from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskRetrying, TaskStarted
from parproc.core.terminal_text import plain_text
from parproc.core.view import Message, RunEnded, RunView, RunWarned
from parproc.report.style import Style
from parproc.report.summary import counts_text
from parproc.report.wait_over import WaitOver


class StartAndEndReporter:
    """Writes nothing that moves, and nothing of what procs have written: it stands above the line already.

    Args:
        style: where and how.
        in_program: there is a summary after each wait, and none at the end of the run.
    """

    def __init__(self, style: Style, *, in_program: bool = False) -> None:
        self._style = style
        self._in_program = in_program

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Write what there is to say about ``message``."""
        style = self._style
        if isinstance(message, TaskStarted):
            attempt = f'  attempt {message.attempt}' if message.attempt > 1 else ''
            self._say(f'{style.started(message.name)}{attempt}')
        elif isinstance(message, TaskFinished):
            if view.latest is not None:
                self._say(style.ended(view.latest), *style.leaks(view.latest))
        elif isinstance(message, TaskRetrying):
            name, reason = plain_text(message.name), plain_text(message.outcome.reason)
            wait = format_duration(message.again_at - message.time)
            sign = style.paint('↻', 'yellow')
            self._say(f'{sign} {name}  attempt {message.attempt} failed  {reason}  again in {wait}')
        elif isinstance(message, RunWarned):
            self._say(f'{style.paint("warning:", "yellow")} {plain_text(message.message)}')
        elif isinstance(message, RunStopping):
            self._say(style.paint(plain_text(message.reason), 'yellow'))
        elif isinstance(message, RunEnded) and not self._in_program and view.done > 1:
            began = view.began.time if view.began is not None else message.time
            self._say(f'{counts_text(style, view)} in {format_duration(message.time - began)}')

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Say how a wait for several procs went."""
        line = wait.line(self._style)
        if line:
            self._say(line)

    def next_tick(self, view: RunView) -> float | None:
        """Return None: nothing moves."""
        return None

    def tick(self, now: float, view: RunView) -> None:
        """Do nothing."""

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._style.line(line)
        self._style.stream.flush()
