"""How a run stands, in a few lines: what SIGUSR1 asks for, wherever the output goes."""

from __future__ import annotations

from itertools import islice

from parproc.core.durations import format_duration
from parproc.core.terminal_text import plain_text
from parproc.core.view import RunView

MOST_LISTED = 20


def state_lines(view: RunView, now: float) -> list[str]:
    """Return what runs, and what waits for what.

    Args:
        view: what is known of the run.
        now: monotonic seconds.
    """
    waiting = view.total - view.done - len(view.running)
    lines = [f'{view.done} of {view.total} done, {len(view.running)} running, {waiting} waiting']
    for name, running in islice(view.running.items(), MOST_LISTED):
        what = f'  waits for {", ".join(running.awaited)}' if running.awaited else f'  {running.message}'
        lines.append(f'  {plain_text(name)}  {format_duration(now - running.began)}{plain_text(what)}'.rstrip())
    for name in islice(view.waiting, MOST_LISTED):
        reason = view.held_by(name)
        if reason:
            lines.append(f'  {plain_text(name)} waits for {plain_text(reason)}')
    return lines
