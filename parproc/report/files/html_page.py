"""A run as one HTML page: what ran when, how it ended, and why what failed did."""

from __future__ import annotations

import html
import io
import time
from collections.abc import Callable

from parproc.core.durations import format_duration
from parproc.core.events import TaskFinished, TaskStarted, TaskWanted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.terminal_text import plain_text
from parproc.core.view import HELD_BACK, EndedTask, RunEnded, RunView
from parproc.report.files.report_file import ReportFile
from parproc.report.logs.read_log import Ignored, failure_lines, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.style import WORDS, Style
from parproc.report.summary import counts_text

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --good: #2da44e; --bad: #d1242f; --odd: #bf8700; --same: #0969da; --line: #8884; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; margin: 0; }}
p.facts {{ margin: .3rem 0 1.5rem; opacity: .75; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }}
td.name {{ font-family: ui-monospace, monospace; white-space: nowrap; }}
td.time {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
td.when {{ width: 35%; }}
.track {{ position: relative; height: 1.1rem; }}
.bar {{ position: absolute; top: .2rem; height: .7rem; min-width: 2px; border-radius: 2px; background: var(--good); }}
.FAILED .bar {{ background: var(--bad); }} .FAILED .word {{ color: var(--bad); font-weight: 600; }}
.skipped .word, .held .word {{ color: var(--odd); }} .skipped .bar {{ background: var(--odd); }}
.same .word {{ color: var(--same); }}
pre {{ overflow-x: auto; padding: .6rem; border-left: 3px solid var(--bad); background: #8881; font-size: .85rem; }}
</style>
<h1>{title}</h1>
<p class="facts">{facts}</p>
<table>
<thead><tr><th>proc<th>result<th>time<th>when<th>needs</tr></thead>
<tbody>
{rows}
</tbody>
</table>
{failures}
</html>
"""


class HtmlReporter(Reporter):
    """Writes the page when the run ends, however it does.

    Args:
        path: the file.
        log_path: proc name -> its log.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        clock: seconds since the epoch.

    Raises:
        UserError: when the file cannot be written.
    """

    def __init__(
        self,
        path: str,
        log_path: Callable[[str], str],
        *,
        ignored: Ignored = none_ignored,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = ReportFile(path, 'HTML report')
        self._log_path = log_path
        self._ignored = ignored
        self._clock = clock
        self._deps: dict[str, tuple[str, ...]] = {}
        self._started: dict[str, float] = {}
        self._ended: dict[str, EndedTask] = {}

    def on_task_wanted(self, message: TaskWanted, view: RunView) -> None:
        """Note what a proc needs."""
        self._deps[message.name] = message.deps

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Note when a proc started for the first time."""
        self._started.setdefault(message.name, message.time)

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Note how a proc ended."""
        if view.latest is not None:
            self._ended[message.name] = view.latest

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Write the file.

        Raises:
            UserError: when the file cannot be written any more.
        """
        self._file.write(self._page(message, view).encode('utf-8', 'backslashreplace'))

    def _page(self, end: RunEnded, view: RunView) -> str:
        began = view.began
        start = end.time if began is None else began.time
        whole = max(end.time - start, 0.001)
        targets = ' '.join(began.targets) if began is not None else ''
        when = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self._clock() - whole))
        facts = [
            counts_text(Style(io.StringIO(), colour=False), view),
            f'{format_duration(whole)} for {format_duration(view.summed)} of work',
            f'exit {end.exit_code}',
            f'started {when}',
        ]
        return PAGE.format(
            title=_text(f'parproc {targets}'),
            facts=_text(' · '.join(facts)),
            rows='\n'.join(self._row(name, start, whole) for name in self._ended),
            failures='\n'.join(self._failure(ended) for ended in view.failures),
        )

    def _row(self, name: str, start: float, whole: float) -> str:
        ended = self._ended[name]
        outcome = ended.outcome
        _, word, _ = WORDS[outcome.state]
        kind = {ProcState.FAILED: 'FAILED', ProcState.SKIPPED: 'skipped', ProcState.UP_TO_DATE: 'same'}.get(
            outcome.state, 'good'
        )
        if outcome.error in HELD_BACK:
            kind, word = 'held', 'not run'
        elif outcome.error is ErrorKind.INTERRUPTED:
            kind, word = 'held', 'interrupted'
        bar = ''
        if ended.seconds is not None and name in self._started:
            left = 100 * (self._started[name] - start) / whole
            bar = f'<div class="bar" style="left:{left:.2f}%;width:{100 * ended.seconds / whole:.2f}%"></div>'
        took = '' if ended.seconds is None else format_duration(ended.seconds)
        said = ' '.join(part for part in (word or 'succeeded', outcome.reason) if part)
        return (
            f'<tr class="{kind}"><td class="name">{_text(name)}<td><span class="word">{_text(said)}</span>'
            f'<td class="time">{took}<td class="when"><div class="track">{bar}</div>'
            f'<td>{_text(", ".join(self._deps.get(name, ())))}</tr>'
        )

    def _failure(self, ended: EndedTask) -> str:
        lines = (
            []
            if ended.seconds is None
            else failure_lines(self._log_path(ended.name), colour=False, ignored=self._ignored(ended.name, False))
        )
        shown = '\n'.join(map(_text, lines))
        return f'<h2>{_text(ended.name)}: {_text(ended.outcome.reason)}</h2>\n<pre>{shown}</pre>'


def _text(text: str) -> str:
    """Return text that a page shows as it is."""
    return html.escape(plain_text(text))
