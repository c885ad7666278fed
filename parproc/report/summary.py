"""The last lines of a run: what failed and why, how to rerun it, and where the time went."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.durations import format_duration
from parproc.core.model import ErrorKind, ProcState
from parproc.core.terminal_text import plain_text
from parproc.core.view import EndedTask, RunBegan, RunEnded, RunView
from parproc.report.style import Style

MOST_FAILURES = 20
LONGEST_PATH_TASKS = 6
MOST_SLOWEST = 3
WORTH_NAMING_SECONDS = 0.1
GOOD_WORDS = (
    (ProcState.SUCCEEDED, 'succeeded', 'green'),
    (ProcState.UP_TO_DATE, 'up to date', 'blue'),
    (ProcState.SKIPPED, 'skipped', 'yellow'),
)


def write_summary(
    style: Style,
    view: RunView,
    end: RunEnded,
    log_path: Callable[[str], str],
    usual: Callable[[str], float | None] | None = None,
) -> None:
    """Write the summary of a run to the style's stream.

    Args:
        style: where and how.
        view: all that happened.
        end: the end of the run.
        log_path: proc name -> its log.
        usual: proc name -> seconds it usually takes, None when nobody knows.
    """
    if view.failures and view.began is not None:
        _write_failures(style, view, view.began, log_path)
    style.line()
    style.line(counts_text(style, view))
    began = view.began.time if view.began is not None else end.time
    style.line(style.paint(f'{format_duration(end.time - began)} for {format_duration(view.summed)} of work', 'dim'))
    path, seconds = view.critical_path()
    if len(path) > 1 and seconds >= WORTH_NAMING_SECONDS:
        names = ['…', *path[-LONGEST_PATH_TASKS:]] if len(path) > LONGEST_PATH_TASKS else path
        chain = ' → '.join(plain_text(name) for name in names)
        style.line(style.paint(f'longest path: {chain}  {format_duration(seconds)}', 'dim'))
    slowest = [one for one in view.slowest[:MOST_SLOWEST] if (one.seconds or 0.0) >= WORTH_NAMING_SECONDS]
    if view.done > 1 and slowest:
        named = ', '.join(_compared(one, usual(one.name) if usual is not None else None) for one in slowest)
        style.line(style.paint(f'slowest: {named}', 'dim'))
    if view.began is not None:
        style.line(style.paint(f'logs: {plain_text(view.began.log_folder)}', 'dim'))


def _compared(ended: EndedTask, usual: float | None) -> str:
    """Return a proc's name and time, beside its usual time when that is known."""
    text = f'{plain_text(ended.name)} {format_duration(ended.seconds or 0.0)}'
    return text if usual is None else f'{text} (usually {format_duration(usual)})'


def _write_failures(style: Style, view: RunView, began: RunBegan, log_path: Callable[[str], str]) -> None:
    import shlex

    style.line()
    for ended in view.failures[:MOST_FAILURES]:
        style.line(style.ended(ended, view.name_width))
        if ended.seconds is not None:
            path = log_path(ended.name)
            style.line(f'    log:   {style.link(plain_text(path), path)}')
        style.line(f'    rerun: {plain_text(shlex.join(began.command(ended.name)))}')
    if len(view.failures) > MOST_FAILURES:
        style.line(f'    and {len(view.failures) - MOST_FAILURES} more')


def counts_text(style: Style, view: RunView) -> str:
    """Return how many ended in which way, in words."""
    parts = [
        style.paint(f'{view.counts[state]} {word}', colour)
        for state, word, colour in GOOD_WORDS
        if view.counts.get(state)
    ]
    if view.failures:
        parts.append(style.paint(f'{len(view.failures)} failed', 'red'))
    if view.interrupted:
        parts.append(style.paint(f'{len(view.interrupted)} interrupted', 'yellow'))
    because = {
        ErrorKind.DEPENDENCY_FAILED: 'because a dependency failed',
        ErrorKind.FAILURES_PRESENT: 'because they want no failures before them',
        ErrorKind.NOT_RUN: 'because the run was stopped' if view.stopped else 'after the first failure',
    }
    parts += [
        style.paint(f'{view.held_back[error]} not run {why}', 'yellow')
        for error, why in because.items()
        if view.held_back.get(error)
    ]
    return ', '.join(parts) or 'nothing to do'
