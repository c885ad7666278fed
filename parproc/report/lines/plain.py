"""Plain lines for pipes and logs: one at each start and end, failures with the part of their log that matters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from parproc.core.durations import format_duration
from parproc.core.events import RunStopping, TaskFinished, TaskRetrying, TaskStarted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.terminal_text import plain_text
from parproc.core.view import HELD_BACK, EndedTask, RunBegan, RunEnded, RunView, RunWarned, TaskLogged
from parproc.report.logs.read_log import Ignored, failure_lines, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.style import Style
from parproc.report.summary import write_summary
from parproc.report.wait_over import WaitOver

HEARTBEAT_SECONDS = 30.0
MOST_NAMED = 3


class PlainReporter(Reporter):
    """Writes lines as things happen.

    Args:
        style: where and how.
        log_path: proc name -> its log.
        quiet: only failures, and what else went wrong.
        full_log: show a failed proc's whole log.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        in_program: there is a summary after each wait, and none at the end of the run.
    """

    def __init__(
        self,
        style: Style,
        log_path: Callable[[str], str],
        *,
        quiet: bool = False,
        full_log: bool = False,
        ignored: Ignored = none_ignored,
        in_program: bool = False,
    ) -> None:
        self._style = style
        self._log_path = log_path
        self._quiet = quiet
        self._full_log = full_log
        self._ignored = ignored
        self._in_program = in_program
        self._last = 0.0

    def on_run_began(self, message: RunBegan, view: RunView) -> None:
        """Take note that nothing can have been silent before."""
        self.spoken(message.time)

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Write which proc starts, and at which attempt it is."""
        if not self._quiet:
            attempt = '' if message.attempt == 1 else f'  attempt {message.attempt}'
            self._style.line(f'{self._style.started(message.name)}{attempt}')
            self._written(message.time)

    def on_task_retrying(self, message: TaskRetrying, view: RunView) -> None:
        """Write how an attempt failed, and when the next one starts."""
        if not self._quiet:
            self._style.line(self._style.retrying(message, view.name_width))
            self._written(message.time)

    def on_task_logged(self, message: TaskLogged, view: RunView) -> None:
        """Write what a proc said to whoever watches."""
        if not self._quiet:
            for line in self._style.logged(message):
                self._style.line(line)
            self._written(message.time)

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Write how a proc ended, with what matters of its log where it failed."""
        if view.latest is not None:
            self.ended(view.latest, view, message.time)

    def on_run_warned(self, message: RunWarned, view: RunView) -> None:
        """Write the warning."""
        self._style.line(self._style.warning(message))
        self._style.stream.flush()

    def on_run_stopping(self, message: RunStopping, view: RunView) -> None:
        """Write why the run ends early, and what becomes of what runs."""
        self._style.line(self._style.stopping(message, len(view.running)))
        self._written(message.time)

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Write the summary; a program has had one after each wait."""
        if not self._quiet:
            if not self._in_program:
                write_summary(self._style, view, message, self._log_path)
            self._written(message.time)

    def ended(self, ended: EndedTask, view: RunView, time: float) -> None:
        """Write about a task that was over at ``time``."""
        if self._finished(ended, view):
            self._written(time)

    def spoken(self, time: float) -> None:
        """Note that somebody else showed something at ``time``, so that there was no silence."""
        self._last = time

    def begin_wait(self, now: float) -> None:
        """Take note that a program waits from ``now`` on: before, there was no silence to end."""
        self._last = now

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Say how a wait for several procs went."""
        line = '' if self._quiet else wait.line(self._style)
        if line:
            self._style.line(line)
            self._style.stream.flush()

    def next_tick(self, view: RunView) -> float | None:
        """Return when the next heartbeat is due."""
        return None if self._quiet or not view.running else self._last + HEARTBEAT_SECONDS

    def tick(self, now: float, view: RunView) -> None:
        """Say that the run is alive, after a while of silence."""
        if now < self._last + HEARTBEAT_SECONDS or self._quiet or not view.running:
            return
        self._last = now
        named = [
            f'{plain_text(name)} {format_duration(now - running.began)}'
            for name, running in islice(view.running.items(), MOST_NAMED)
        ]
        if len(view.running) > MOST_NAMED:
            named.append(f'{len(view.running) - MOST_NAMED} more')
        text = f'… {len(view.running)} running: {", ".join(named)}; {view.done} of {view.total} done'
        self._style.line(self._style.paint(text, 'dim'))
        self._style.stream.flush()

    def _finished(self, ended: EndedTask, view: RunView) -> bool:
        """Write about a task that is over; return whether there was anything to write."""
        style = self._style
        outcome = ended.outcome
        failed = outcome.state is ProcState.FAILED and outcome.error not in HELD_BACK
        if self._quiet and not failed and not outcome.leaked:
            return False
        style.line(style.ended(ended, 0 if self._quiet else view.name_width))
        for line in style.leaks(ended):
            style.line(line)
        if failed and ended.seconds is not None and outcome.error is not ErrorKind.INTERRUPTED:
            path = self._log_path(ended.name)
            bar = style.paint('│', 'red')
            ignored = self._ignored(ended.name, False)
            lines = failure_lines(path, colour=style.colour, full=self._full_log, ignored=ignored)
            style.lines(f'    {bar} {line}'.rstrip() for line in lines)
            if self._quiet:
                style.line(f'    log: {plain_text(path)}')
        return True

    def _written(self, time: float) -> None:
        """Let what was written be seen; ``time`` is when it happened."""
        self._style.stream.flush()
        self._last = time
