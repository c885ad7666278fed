"""For programs that are not asked to show anything: only warnings, and failures that no exception tells of."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.events import TaskFinished, TaskReopened
from parproc.core.terminal_text import plain_text
from parproc.core.view import HELD_BACK, EndedTask, RunEnded, RunView, RunWarned
from parproc.report.lines.plain import PlainReporter
from parproc.report.logs.read_log import Ignored, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.style import Style
from parproc.report.wait_over import WaitOver


class SilentReporter(Reporter):
    """Writes warnings, and failures that no exception tells of.

    Args:
        style: where and how.
        log_path: proc name -> its log.
        full_log: show a failed proc's whole log.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
    """

    def __init__(
        self,
        style: Style,
        log_path: Callable[[str], str],
        *,
        full_log: bool = False,
        ignored: Ignored = none_ignored,
    ) -> None:
        self._style = style
        self._plain = PlainReporter(style, log_path, quiet=True, full_log=full_log, ignored=ignored)
        self._failures: dict[str, EndedTask] = {}

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Keep a failure until it is known whether an exception tells of it."""
        outcome = message.outcome
        if view.latest is not None and not outcome.state.is_good and outcome.error not in HELD_BACK:
            self._failures[message.name] = view.latest

    def on_task_reopened(self, message: TaskReopened, view: RunView) -> None:
        """Forget that it failed."""
        self._failures.pop(message.name, None)

    def on_run_warned(self, message: RunWarned, view: RunView) -> None:
        """Write the warning."""
        self._style.line(f'parproc: warning: {plain_text(message.message)}')
        self._style.stream.flush()

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Write the failures that no exception told of."""
        self._tell(view)

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Forget the failures that are raised; the others are written when it is known that they will not be."""
        for name in wait.raised:
            self._failures.pop(name, None)
        if wait.is_last_chance:
            self._tell(view)

    def _tell(self, view: RunView) -> None:
        failures, self._failures = self._failures, {}
        for ended in failures.values():
            self._plain.ended(ended, view, 0.0)
