"""One frame of the board: a function of what is known of a run, the size of the screen and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from rich.cells import cell_len

from parproc.core.durations import format_duration
from parproc.core.terminal_text import clean_line, plain_text
from parproc.core.view import RunningTask, RunView
from parproc.report.board.cells import steady
from parproc.report.board.line import Line
from parproc.report.style import Style

LOOKED_AT_RUNNING_TASKS = 1000
LOOKED_AT_WAITING_TASKS = 20
MOST_WAITING = 3
MOST_AWAITED = 3
NARROW_COLUMNS = 40
BAR_COLUMNS = 10
WIDEST_BAR_COLUMNS = 40
ALMOST_DONE = 0.99
LONGEST_OUTPUT_CHARACTERS = 1000

RunningRow: TypeAlias = tuple[str, RunningTask]
"""The name of a task that has a row of its own, and what is known of it."""


@dataclass(frozen=True, slots=True)
class FrameInputs:
    """What a frame shows beside the run itself.

    Args:
        columns: width of the screen; no line is wider.
        lines: height of the screen; a frame and an empty line above it take at most half.
        outputs: running task -> its last line of output, as it was written.
        usual: task -> seconds it usually takes, None when nobody knows.
        left: seconds until the run is over, None when nobody knows.
    """

    columns: int
    lines: int
    outputs: Mapping[str, str]
    usual: Callable[[str], float | None]
    left: float | None = None


def rows_shown(view: RunView, lines: int) -> list[RunningRow]:
    """Return the running tasks that a screen of ``lines`` has rows for.

    Oldest first; those that wait for others come after those that work, and give way to them.
    """
    room = max(0, lines // 2 - 2)
    if len(view.running) > room:
        room -= 1
    working: list[RunningRow] = []
    waiting: list[RunningRow] = []
    for row in islice(view.running.items(), LOOKED_AT_RUNNING_TASKS):
        if not row[1].awaited:
            working.append(row)
            if len(working) >= room:
                break
        elif len(waiting) < room:
            waiting.append(row)
    return (working + waiting)[: max(0, room)]


def draw(view: RunView, now: float, style: Style, inputs: FrameInputs) -> list[str]:
    """Return the lines of a frame: the whole run, then a row for each running task that there is room for.

    Args:
        view: what is known of the run.
        now: monotonic seconds.
        style: colours and signs.
        inputs: what else is shown, and where.
    """
    rows = rows_shown(view, inputs.lines)
    lines = [_overall(view, now, style, inputs)]
    names = [steady(plain_text(name[: 4 * inputs.columns]), unicode=style.unicode) for name, _ in rows]
    width = min(max(map(cell_len, names), default=0), max(6, inputs.columns // 3))
    fractions = [_fraction(name, running, now, inputs) for name, running in rows]
    bars = inputs.columns >= NARROW_COLUMNS and any(fraction is not None for fraction in fractions)
    for (name, running), shown, fraction in zip(rows, names, fractions, strict=True):
        line = Line(style, inputs.columns)
        sign, colour = ('↻', 'yellow') if running.again_at is not None else ('▶', 'blue')
        line.add('|' if running.awaited else sign, colour)
        line.name(shown, width)
        if bars and fraction is not None and line.room > BAR_COLUMNS:
            line.bar(fraction, BAR_COLUMNS)
        elif bars and line.room > BAR_COLUMNS:
            line.add(' ' * BAR_COLUMNS)
        line.add(format_duration(max(0.0, now - running.began)).rjust(6), 'dim')
        line.add(_doing(running, now, inputs.outputs.get(name, '')), 'yellow' if running.awaited else 'dim')
        lines.append(line.text())
    more = len(view.running) - len(rows)
    if more and len(lines) < max(1, inputs.lines // 2 - 1):
        line = Line(style, inputs.columns)
        line.add(f'  +{more} more', 'dim')
        lines.append(line.text())
    room = min(MOST_WAITING, inputs.lines // 2 - 1 - len(lines))
    return lines + (_waiting(view, style, inputs, room) if room > 0 else [])


def _waiting(view: RunView, style: Style, inputs: FrameInputs, room: int) -> list[str]:
    """Return rows for the first tasks that cannot start yet, with what they wait for."""
    lines: list[str] = []
    for name in islice(view.waiting, LOOKED_AT_WAITING_TASKS):
        reason = view.held_by(name)
        if reason and len(lines) < room:
            line = Line(style, inputs.columns)
            line.add('·' if style.unicode else '.', 'dim')
            line.add(f'{plain_text(name[: 4 * inputs.columns])} waits for {plain_text(reason)}', 'dim')
            lines.append(line.text())
    return lines


def _overall(view: RunView, now: float, style: Style, inputs: FrameInputs) -> str:
    """Return the line on the run as a whole; on a narrow screen, what matters least is left out."""
    line = Line(style, inputs.columns)
    began = view.began.time if view.began is not None else now
    waiting = view.total - view.done - len(view.running)
    parts = [
        (0, f'{view.done}/{view.total}', 'bold'),
        (2, f'{len(view.failures)} failed' if view.failures else '', 'red'),
        (5, f'{len(view.running)} running' if view.running else '', None),
        (6, f'{waiting} waiting' if waiting > 0 else '', None),
        (1, format_duration(max(0.0, now - began)), 'dim'),
        (3, f'~{format_duration(inputs.left)} left' if inputs.left is not None else '', None),
        (4, f'stopping: {plain_text(view.stopped)}' if view.stopped else '', 'yellow'),
    ]
    parts = [part for part in parts if part[1]]
    bar = min(WIDEST_BAR_COLUMNS, inputs.columns // 4) if inputs.columns >= NARROW_COLUMNS else 0
    while len(parts) > 1 and bar + sum(cell_len(text) + 2 for _, text, _ in parts) > inputs.columns:
        parts.remove(max(parts, key=lambda part: part[0]))
    if bar:
        line.bar(view.done / view.total if view.total else 0.0, bar)
    for index, (_, text, colour) in enumerate(parts):
        line.add(f' {text}' if index or bar else text, colour)
    return line.text()


def _fraction(name: str, running: RunningTask, now: float, inputs: FrameInputs) -> float | None:
    """Return how far a task is: as it says, else against its usual time, which says nothing of the last hundredth."""
    if running.fraction is not None:
        return running.fraction
    usual = inputs.usual(name)
    if not usual or running.again_at is not None:
        return None
    return min(ALMOST_DONE, max(0.0, now - running.began) / usual)


def _doing(running: RunningTask, now: float, output: str) -> str:
    """Return what a task waits for, else what it says it does, else the last line it wrote."""
    if running.awaited:
        named = [plain_text(name) for name in running.awaited[:MOST_AWAITED]]
        if len(running.awaited) > MOST_AWAITED:
            named.append(f'{len(running.awaited) - MOST_AWAITED} more')
        return f'waits for {", ".join(named)}'
    if running.again_at is not None:
        wait = max(0.0, running.again_at - now)
        return f'attempt {running.attempt} failed, again in {format_duration(wait)}'
    if running.message:
        return plain_text(running.message[:LONGEST_OUTPUT_CHARACTERS])
    return clean_line(output, colour=False)[:LONGEST_OUTPUT_CHARACTERS].replace('\t', ' ').strip()
