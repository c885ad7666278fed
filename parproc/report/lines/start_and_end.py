"""A line as each proc starts and ends, between what procs write to the terminal by themselves: mode ``single``."""

from __future__ import annotations

from parproc.core.durations import format_duration
from parproc.core.events import RunStopping, TaskFinished, TaskRetrying, TaskStarted
from parproc.core.terminal_text import plain_text
from parproc.core.view import RunEnded, RunView, RunWarned
from parproc.report.reporter import Reporter
from parproc.report.style import Style
from parproc.report.summary import counts_text
from parproc.report.wait_over import WaitOver


class StartAndEndReporter(Reporter):
    """Writes nothing that moves, and nothing of what procs have written: it stands above the line already.

    Args:
        style: where and how.
        in_program: there is a summary after each wait, and none at the end of the run.
    """

    def __init__(self, style: Style, *, in_program: bool = False) -> None:
        self._style = style
        self._in_program = in_program

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Write which proc starts, and at which attempt it is."""
        attempt = f'  attempt {message.attempt}' if message.attempt > 1 else ''
        self._say(f'{self._style.started(message.name)}{attempt}')

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Write how a proc ended."""
        if view.latest is not None:
            self._say(self._style.ended(view.latest), *self._style.leaks(view.latest))

    def on_task_retrying(self, message: TaskRetrying, view: RunView) -> None:
        """Write how an attempt failed, and when the next one starts."""
        self._say(self._style.retrying(message))

    def on_run_warned(self, message: RunWarned, view: RunView) -> None:
        """Write the warning."""
        self._say(self._style.warning(message))

    def on_run_stopping(self, message: RunStopping, view: RunView) -> None:
        """Write why the run ends early."""
        self._say(self._style.paint(plain_text(message.reason), 'yellow'))

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Say how a run of several procs went; a program has heard so after each wait."""
        if not self._in_program and view.done > 1:
            began = view.began.time if view.began is not None else message.time
            self._say(f'{counts_text(self._style, view)} in {format_duration(message.time - began)}')

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Say how a wait for several procs went."""
        line = wait.line(self._style)
        if line:
            self._say(line)

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._style.line(line)
        self._style.stream.flush()
