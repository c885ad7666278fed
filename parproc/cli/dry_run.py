"""What would run, in its order: ``--dry-run``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from parproc.cli.output import emit
from parproc.cli.terminal_output import screen_of
from parproc.core.model import TaskSpec
from parproc.core.plan import Plan
from parproc.core.terminal_text import plain_text

MOST_WAITS = 3


def print_plan(plan: Plan, *, colour: str = 'auto') -> None:
    """Print the procs of a plan in the order in which they would start, and what each waits for.

    Args:
        plan: what would run.
        colour: the value of ``--color``.
    """
    width = max(3, len(str(len(plan.order))))
    screen = screen_of(sys.stdout, colour)
    if screen is not None:
        rows = [
            (
                screen.joined(screen.text(f'{number:>{width}}.', 'dim'), screen.text(spec.name, 'bold'), gap=' '),
                screen.text('; '.join(notes), 'dim'),
            )
            for number, (spec, notes) in enumerate(_with_notes(plan, MOST_WAITS), 1)
        ]
        emit(screen.draw(*screen.definitions(rows, indent=0, hang=width + 2)))
        return
    lines = []
    for number, (spec, notes) in enumerate(_with_notes(plan), 1):
        note = f'  ({plain_text("; ".join(notes))})' if notes else ''
        lines.append(f'{number:>{width}}. {plain_text(spec.name)}{note}\n')
    emit(''.join(lines))


def _with_notes(plan: Plan, most: int | None = None) -> Iterator[tuple[TaskSpec, list[str]]]:
    """Yield what would run, in order, with what holds it back; of what it waits for, ``most`` names and a count."""
    names = {spec.name for spec in plan.order}
    for spec in plan.order:
        waits = [name for name in spec.deps if name in names]
        if most is not None and len(waits) > most + 1:
            waits = [*waits[:most], f'{len(waits) - most} more']
        notes = [f'after {", ".join(waits)}'] if waits else []
        if spec.wave:
            notes.append(f'wave {spec.wave}')
        if spec.locks:
            notes.append(f'lock {", ".join(spec.locks)}')
        if spec.no_failures:
            notes.append('unless something failed')
        yield spec, notes
