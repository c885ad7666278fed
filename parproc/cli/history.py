"""What was: ``--history``, the last runs and the trend of one proc."""

from __future__ import annotations

import time
from collections.abc import Sequence

from parproc.cli.output import emit, note
from parproc.core.attempt import Attempt
from parproc.core.durations import format_duration
from parproc.core.model import ProcState
from parproc.core.terminal_text import plain_text
from parproc.engine.workspace import Workspace
from parproc.store.read_rows import RunRecord

SHOWN = 20
LONGEST_TARGETS = 60
BAR = 30
MEGABYTE = 1 << 20


def print_history(workspace: Workspace, name: str | None) -> None:
    """Print the last runs, or the last attempts of a proc, latest first.

    Raises:
        UserError: for a proc that neither the history nor the task file knows.
    """
    history = workspace.history
    if history is None:
        rows: list[list[str]] = []
    elif name is None:
        rows = [_run_row(run) for run in history.runs(SHOWN)]
    else:
        attempts = history.trend(name, SHOWN)
        rows = _trend_rows(attempts)
        if not attempts and workspace.catalog.lookup(name, workspace.params) is None:
            raise workspace.catalog.unknown(name)
    if history is not None and history.warning is not None:
        note(f'warning: {plain_text(history.warning)}')
    if not rows:
        note('no runs are remembered' if name is None else f'{plain_text(name)} has not run yet')
        return
    lines = []
    if name is not None and history is not None:
        usual = history.expected([name]).get(name)
        lines.append(f'{plain_text(name)}  usually {format_duration(usual)}' if usual is not None else plain_text(name))
    emit('\n'.join([*lines, *_table(rows), '']))


def _run_row(run: RunRecord) -> list[str]:
    targets = ' '.join(run.targets)
    if len(targets) > LONGEST_TARGETS:
        targets = targets[: LONGEST_TARGETS - 1] + '…'
    if run.ended is None or run.exit_code is None:
        return [_when(run.started), 'killed' if run.abandoned else 'running', '', targets]
    word = 'good' if run.exit_code == 0 else f'exit {run.exit_code}'
    return [_when(run.started), word, format_duration(max(0.0, run.ended - run.started)), targets]


def _trend_rows(attempts: Sequence[Attempt]) -> list[list[str]]:
    longest = max((one.seconds or 0.0 for one in attempts), default=0.0) or 1.0
    rows = []
    for one in attempts:
        seconds = one.seconds or 0.0
        rows.append(
            [
                _when(one.started or one.ended),
                one.state.value if one.state is not ProcState.FAILED else 'FAILED',
                format_duration(seconds),
                '▇' * max(1, round(BAR * seconds / longest)),
                f'{one.memory / MEGABYTE:.0f} MB' if one.memory else '',
                f'cpu {format_duration(one.cpu)}' if one.cpu else '',
                one.reason,
            ]
        )
    return rows


def _when(seconds: float) -> str:
    return time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with their columns in line."""
    cells = [[plain_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    shown = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width] for row in cells)
    return ['  '.join(row).rstrip() for row in shown]
