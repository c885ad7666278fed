"""Signs, words and colours for lines on a terminal or in a pipe."""

from __future__ import annotations

from typing import TextIO

from parproc.core.durations import format_duration
from parproc.core.model import ErrorKind, ProcState
from parproc.core.screen import plain_text
from parproc.core.view import Ended

CODES = {'red': '31', 'green': '32', 'yellow': '33', 'blue': '34', 'dim': '2', 'bold': '1'}
SIGNS = {
    ProcState.SUCCEEDED: ('✓', '+', 'green'),
    ProcState.FAILED: ('✗', 'x', 'red'),
    ProcState.SKIPPED: ('○', 'o', 'yellow'),
    ProcState.UP_TO_DATE: ('≡', '=', 'blue'),
}


class Style:
    """How lines are drawn on one stream.

    Args:
        stream: where lines go.
        colour: whether it takes colour.
    """

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self.stream = stream
        self.colour = colour
        encoding = (getattr(stream, 'encoding', None) or 'ascii').lower()
        self.unicode = encoding.startswith('utf')

    def paint(self, text: str, colour: str) -> str:
        """Return ``text`` in a colour of :data:`CODES`, where there is colour."""
        return f'\x1b[{CODES[colour]}m{text}\x1b[0m' if self.colour else text

    def line(self, text: str = '') -> None:
        """Write a line; what the stream cannot encode is escaped."""
        if not self.unicode:
            text = text.encode('ascii', 'backslashreplace').decode('ascii')
        self.stream.write(text + '\n')

    def sign(self, state: ProcState) -> str:
        """Return the sign of a state, in its colour."""
        fancy, simple, colour = SIGNS[state]
        return self.paint(fancy if self.unicode else simple, colour)

    def ended(self, ended: Ended, width: int = 0) -> str:
        """Return the line for a task that is over: sign, name, word, reason, time."""
        outcome = ended.outcome
        name = plain_text(ended.name).ljust(width)
        parts = [self.sign(outcome.state), name]
        if outcome.state is ProcState.FAILED:
            word = 'not run' if outcome.error is ErrorKind.NOT_RUN else 'failed'
            reason = plain_text(outcome.reason).removeprefix('not run: ')
            parts += [self.paint(word, 'red'), reason]
        elif outcome.state is not ProcState.SUCCEEDED:
            parts += [outcome.state.value, plain_text(outcome.reason)]
        elif outcome.reason:
            parts.append(plain_text(outcome.reason))
        if ended.seconds:
            parts.append(self.paint(format_duration(ended.seconds), 'dim'))
        return '  '.join(part for part in parts if part)
