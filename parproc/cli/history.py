"""What was: ``--history``, the last runs and the trend of one proc."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from parproc.cli.output import emit, note
from parproc.cli.terminal_output import Screen, screen_of
from parproc.core.attempt import Attempt
from parproc.core.durations import format_duration
from parproc.core.model import ProcState
from parproc.core.terminal_text import plain_text
from parproc.engine.workspace import Workspace
from parproc.store.read_rows import RunRecord

MOST_SHOWN_ROWS = 20
LONGEST_TARGETS_CHARACTERS = 60
BAR = 30
COLUMNS_OF_TREND = 50
COLUMNS_BEFORE_TARGETS = 22
COLUMNS_OF_COUNT = 12
MEGABYTE = 1 << 20
STYLES = {
    'good': 'green',
    'running': 'blue',
    ProcState.SUCCEEDED.value: 'green',
    ProcState.SKIPPED.value: 'yellow',
    ProcState.UP_TO_DATE.value: 'blue',
}
"""How a word is drawn that says how a run or an attempt ended; what is not here is bad."""


def print_history(workspace: Workspace, name: str | None, *, colour: str = 'auto') -> None:
    """Print the last runs, or the last attempts of a proc, latest first.

    Args:
        workspace: has the history.
        name: of the proc; None for the runs.
        colour: the value of ``--color``.

    Raises:
        UserError: for a proc that neither the history nor the task file knows.
    """
    history = workspace.history
    screen = screen_of(sys.stdout, colour)
    when = _when if screen is None else _when_in_short
    if history is None:
        rows: list[list[str]] = []
    elif name is None:
        rows = [
            _run_row(run, when, None if screen is None else screen.columns) for run in history.runs(MOST_SHOWN_ROWS)
        ]
    else:
        attempts = history.trend(name, MOST_SHOWN_ROWS)
        rows = _trend_rows(attempts, when, None if screen is None else screen.columns)
        if not attempts and workspace.catalog.lookup(name, workspace.params) is None:
            raise workspace.catalog.unknown(name)
    if history is not None and history.warning is not None:
        note(f'warning: {plain_text(history.warning)}')
    if not rows:
        note('no runs are remembered' if name is None else f'{plain_text(name)} has not run yet')
        return
    usual = history.expected([name]).get(name) if name is not None and history is not None else None
    often = '' if usual is None else f'usually {format_duration(usual)}'
    if screen is not None:
        emit(_drawn(screen, rows, name, often))
        return
    title = [] if name is None else [f'{plain_text(name)}  {often}'.rstrip()]
    emit('\n'.join([*title, *_table(rows), '']))


def _run_row(run: RunRecord, when: Callable[[float], str], columns: int | None) -> list[str]:
    targets = ' '.join(run.targets)
    if columns is not None:
        targets = _first_names(run.targets, columns - COLUMNS_BEFORE_TARGETS)
    elif len(targets) > LONGEST_TARGETS_CHARACTERS:
        targets = targets[: LONGEST_TARGETS_CHARACTERS - 1] + '…'
    if run.ended is None or run.exit_code is None:
        return [when(run.started), 'killed' if run.abandoned else 'running', '', targets]
    word = 'good' if run.exit_code == 0 else f'exit {run.exit_code}'
    return [when(run.started), word, format_duration(max(0.0, run.ended - run.started)), targets]


def _first_names(names: Sequence[str], most: int) -> str:
    """Return names as text of about ``most`` columns; what has no room is counted."""
    text = ' '.join(names)
    if len(text) <= most or not names:
        return text
    shown, *further = names
    while further and len(shown) + 1 + len(further[0]) <= most - COLUMNS_OF_COUNT:
        shown = f'{shown} {further.pop(0)}'
    return f'{shown} and {len(further)} more' if further else shown


def _trend_rows(attempts: Sequence[Attempt], when: Callable[[float], str], columns: int | None) -> list[list[str]]:
    """Return a row for each attempt; where there are few columns, without what needs the most of them."""
    bar = BAR if columns is None else max(0, min(BAR, (columns - COLUMNS_OF_TREND) // 2))
    detailed = columns is None or columns >= COLUMNS_OF_TREND
    longest = max((one.seconds or 0.0 for one in attempts), default=0.0) or 1.0
    rows = []
    for one in attempts:
        seconds = one.seconds or 0.0
        rows.append(
            [
                when(one.started or one.ended),
                one.state.value if one.state is not ProcState.FAILED else 'FAILED',
                format_duration(seconds),
                '▇' * max(1, round(bar * seconds / longest)) if bar else '',
                f'{one.memory / MEGABYTE:.0f} MB' if one.memory and detailed else '',
                f'cpu {format_duration(one.cpu)}' if one.cpu and detailed else '',
                one.reason,
            ]
        )
    return rows


def _when(seconds: float) -> str:
    return time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))


def _when_in_short(seconds: float) -> str:
    """Return a time without what today's date says as well."""
    then, now = time.localtime(seconds), time.localtime()
    today = then[:3] == now[:3]
    return time.strftime('%H:%M' if today else '%m-%d %H:%M' if then.tm_year == now.tm_year else '%Y-%m-%d', then)


def _drawn(screen: Screen, rows: Sequence[Sequence[str]], name: str | None, often: str) -> str:
    """Return rows as text for a terminal, with their columns in line and what a run or attempt came to in colour."""
    cells = [
        [
            screen.text(cell, 'dim' if place == 0 else STYLES.get(cell, 'red') if place == 1 else '')
            for place, cell in enumerate(row)
        ]
        for row in rows
    ]
    title = [] if name is None else [screen.joined(screen.text(name, 'bold'), screen.text(often, 'dim'), gap='  ')]
    return screen.draw(*title, *screen.columns_in_line(cells, right=frozenset({2})))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with their columns in line."""
    cells = [[plain_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    shown = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width] for row in cells)
    return ['  '.join(row).rstrip() for row in shown]
