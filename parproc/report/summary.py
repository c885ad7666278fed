"""The last lines of a run: what failed and why, how to rerun it, and where the time went."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from parproc.core.durations import format_duration
from parproc.core.model import ProcState
from parproc.core.screen import plain_text
from parproc.core.view import RunEnded, RunView
from parproc.report.style import Style

MOST_FAILURES = 20
WORDS = {
    ProcState.SUCCEEDED: ('succeeded', 'green'),
    ProcState.SKIPPED: ('skipped', 'yellow'),
    ProcState.UP_TO_DATE: ('up to date', 'blue'),
}


def write_summary(style: Style, view: RunView, end: RunEnded, log_path: Callable[[str], str]) -> None:
    """Write the summary of a run to the style's stream."""
    if view.failures:
        style.line()
        for ended in view.failures[:MOST_FAILURES]:
            style.line(style.ended(ended))
            style.line(f'    log    {plain_text(log_path(ended.name))}')
            style.line(f'    rerun  parproc {plain_text(shlex.quote(ended.name))}')
        if len(view.failures) > MOST_FAILURES:
            style.line(f'    and {len(view.failures) - MOST_FAILURES} more')
    style.line()
    style.line(_counts(style, view))
    began = view.began.time if view.began is not None else end.time
    line = f'{format_duration(end.time - began)} in all, {format_duration(view.summed)} of work'
    path = view.critical_path()
    if len(path) > 1:
        line += f'; longest path {format_duration(view.critical[0])}: {plain_text(" > ".join(path[-6:]))}'
    style.line(style.paint(line, 'dim'))
    if len(view.slowest) > 1 and view.slowest[0].seconds >= 0.1:
        slowest = ', '.join(f'{plain_text(one.name)} {format_duration(one.seconds)}' for one in view.slowest[:3])
        style.line(style.paint(f'slowest: {slowest}', 'dim'))
    if view.began is not None:
        style.line(style.paint(f'logs: {plain_text(view.began.log_folder)}', 'dim'))


def _counts(style: Style, view: RunView) -> str:
    parts = [
        style.paint(f'{view.counts[state]} {word}', colour)
        for state, (word, colour) in WORDS.items()
        if view.counts.get(state)
    ]
    if view.failures:
        parts.append(style.paint(f'{len(view.failures)} failed', 'red'))
    if view.not_run:
        parts.append(style.paint(f'{len(view.not_run)} not run', 'yellow'))
    return ', '.join(parts) or 'nothing to do'
