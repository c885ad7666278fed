"""Saying on standard error what is wrong: an error, and what to do about it."""

from __future__ import annotations

import sys

from parproc.cli.output import note
from parproc.cli.terminal_output import Screen, screen_of
from parproc.core.terminal_text import plain_text

LABEL = 'parproc: error:'


def complain(message: str, hint: str | None, trace: str = '', *, colour: str = 'auto') -> None:
    """Say what is wrong, on a terminal wrapped at blanks.

    Args:
        message: one line.
        hint: one line that says what to do about it, or None.
        trace: lines to show before; may be empty.
        colour: the value of ``--color``.
    """
    for line in trace.splitlines():
        note(plain_text(line))
    try:
        screen = screen_of(sys.stderr, colour)
        drawn = None if screen is None else _drawn(screen, message, hint)
    except Exception:  # what is wrong has to be said, also where nothing can be loaded any more
        drawn = None
    if drawn is not None:
        note(drawn)
        return
    note(f'{LABEL} {plain_text(message)}')
    if hint:
        note(f'hint: {plain_text(hint)}')


def _drawn(screen: Screen, message: str, hint: str | None) -> str:
    said = [screen.joined(screen.text(LABEL, 'bold red'), screen.text(message), gap=' ')]
    if hint:
        said.append(screen.joined(screen.text('hint:', 'cyan'), screen.text(hint), gap=' '))
    lines = [line for text in said for line in screen.broken_at_blanks(text)]
    return screen.draw(*lines).removesuffix('\n')
