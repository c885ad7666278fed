"""Plain lines for pipes and logs: one at each start and end, failures with the part of their log that matters."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.durations import format_duration
from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskRetrying, TaskStarted
from parproc.core.model import NEVER_RAN, ProcState
from parproc.core.screen import clean_line, plain_text
from parproc.core.view import Ended, Message, RunEnded, RunView, TaskLogged, Warned
from parproc.report.excerpt import log_excerpt
from parproc.report.style import Style
from parproc.report.summary import write_summary

HEARTBEAT = 30.0


class PlainReporter:
    """Writes lines as things happen.

    Args:
        style: where and how.
        log_path: proc name -> its log.
        quiet: only failures.
        full_log: show a failed proc's whole log.
    """

    def __init__(
        self, style: Style, log_path: Callable[[str], str], *, quiet: bool = False, full_log: bool = False
    ) -> None:
        self._style = style
        self._log_path = log_path
        self._quiet = quiet
        self._full_log = full_log
        self._last = 0.0

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Write what there is to say about ``message``."""
        if isinstance(message, TaskFinished):
            self._finished(message)
        elif isinstance(message, Warned):
            self._style.line(f'parproc: warning: {plain_text(message.message)}')
        elif isinstance(message, RunStopping):
            verb = 'stopping' if message.step == 1 else 'killing'
            self._style.line(f'parproc: {plain_text(message.reason)}, {verb} {len(view.running)} running')
        elif isinstance(message, RunEnded):
            if not self._quiet:
                write_summary(self._style, view, message, self._log_path)
        elif not self._quiet:
            self._progress(message)
        else:
            return
        self._style.stream.flush()
        self._last = getattr(message, 'time', self._last)

    def next_tick(self, view: RunView) -> float | None:
        """Return when the next heartbeat is due."""
        return None if self._quiet or not view.running else self._last + HEARTBEAT

    def tick(self, now: float, view: RunView) -> None:
        """Say that the run is alive, after a while of silence."""
        if view.running and not self._quiet and now >= self._last + HEARTBEAT:
            self._last = now
            oldest = min(view.running, key=view.running.__getitem__)
            since = format_duration(now - view.running[oldest])
            self._style.line(
                f'… {len(view.running)} running, {view.done} of {view.total} done; {plain_text(oldest)} for {since}'
            )
            self._style.stream.flush()

    def _progress(self, message: Announcement | Message) -> None:
        style = self._style
        if isinstance(message, TaskStarted):
            sign = '▶' if style.unicode else '>'
            again = f'  attempt {message.attempt}' if message.attempt > 1 else ''
            style.line(f'{style.paint(sign, "dim")}  {plain_text(message.name)}{again}')
        elif isinstance(message, TaskRetrying):
            wait = format_duration(message.again_at - message.time)
            style.line(f'↻  {plain_text(message.name)}  {plain_text(message.outcome.reason)}, again in {wait}')
        elif isinstance(message, TaskLogged):
            for line in message.message.split('\n'):
                style.line(f'   {plain_text(message.name)}: {clean_line(line, colour=style.colour)}')

    def _finished(self, message: TaskFinished) -> None:
        style = self._style
        failed = message.outcome.state is ProcState.FAILED
        if self._quiet and (not failed or message.outcome.error in NEVER_RAN):
            return
        seconds = 0.0 if message.started is None else message.time - message.started
        style.line(style.ended(Ended(message.name, message.outcome, seconds)))
        for leak in message.outcome.leaked:
            style.line(f'   {plain_text(message.name)} left behind: {plain_text(leak)}, ended')
        if failed and message.started is not None:
            for line in log_excerpt(self._log_path(message.name), colour=style.colour, full=self._full_log):
                style.line(f'   {"│" if style.unicode else "|"} {line}')
