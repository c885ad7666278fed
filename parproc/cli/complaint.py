"""Saying on standard error what is wrong: an error, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from parproc.cli.output import note
from parproc.cli.terminal_output import Screen, screen_of
from parproc.core.terminal_text import plain_text

LABEL = 'parproc: error:'
INDENT = '    '


def complain(
    message: str, hint: str | None, trace: str = '', *, story: Sequence[str] = (), colour: str = 'auto'
) -> None:
    """Say what is wrong, on a terminal wrapped at blanks.

    Args:
        message: one line.
        hint: one line that says what to do about it, or None.
        trace: lines to show before; may be empty.
        story: lines to show between the message and the hint, indented.
        colour: the value of ``--color``.
    """
    for line in trace.splitlines():
        note(plain_text(line))
    try:
        screen = screen_of(sys.stderr, colour)
        drawn = None if screen is None else _drawn(screen, message, hint, story)
    except Exception:  # what is wrong has to be said, also where nothing can be loaded any more
        drawn = None
    if drawn is not None:
        note(drawn)
        return
    note(f'{LABEL} {plain_text(message)}')
    for line in story:
        note(f'{INDENT}{plain_text(line)}')
    if hint:
        note(f'hint: {plain_text(hint)}')


def _drawn(screen: Screen, message: str, hint: str | None, story: Sequence[str]) -> str:
    said = [screen.joined(screen.text(LABEL, 'bold red'), screen.text(message), gap=' ')]
    said += [screen.joined(INDENT, screen.text(line)) for line in story]
    if hint:
        said.append(screen.joined(screen.text('hint:', 'cyan'), screen.text(hint), gap=' '))
    lines = [line for text in said for line in screen.broken_at_blanks(text)]
    return screen.draw(*lines).removesuffix('\n')
