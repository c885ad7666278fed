"""Signs, words and colours for lines on a terminal or in a pipe."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from parproc.core.durations import format_duration
from parproc.core.events import RunStopping, TaskRetrying
from parproc.core.model import ErrorKind, ProcState
from parproc.core.terminal_text import clean_line, plain_text
from parproc.core.view import HELD_BACK, EndedTask, RunWarned, TaskLogged

CODES = {'red': '31', 'green': '32', 'yellow': '33', 'blue': '34', 'dim': '2', 'bold': '1'}
SIMPLE = str.maketrans({'✓': '+', '✗': 'x', '○': 'o', '≡': '=', '▶': '>', '↻': '~', '│': '|', '…': '...', '→': '->'})
UNRESERVED = frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/')
WORDS = {
    ProcState.SUCCEEDED: ('✓', '', 'green'),
    ProcState.FAILED: ('✗', 'FAILED', 'red'),
    ProcState.SKIPPED: ('○', 'skipped', 'yellow'),
    ProcState.UP_TO_DATE: ('≡', 'up to date', 'blue'),
}


class Style:
    """How lines are drawn on one stream.

    Args:
        stream: where lines go.
        colour: whether it takes colour.
        links: whether it takes links: a terminal that takes colour shows them, or the bare text.
    """

    def __init__(self, stream: TextIO, *, colour: bool, links: bool = False) -> None:
        self.stream = stream
        self.colour = colour
        self.links = links
        encoding = (getattr(stream, 'encoding', None) or 'ascii').lower()
        self.unicode = encoding.startswith('utf')

    def paint(self, text: str, colour: str) -> str:
        """Return ``text`` in a colour of :data:`CODES`, where there is colour."""
        return f'\x1b[{CODES[colour]}m{text}\x1b[0m' if self.colour else text

    def link(self, text: str, path: str) -> str:
        """Return ``text`` as a link to a file, where links are shown."""
        if not self.links or not path:
            return text
        address = ''.join(
            chr(byte) if byte in UNRESERVED else f'%{byte:02X}' for byte in os.fsencode(os.path.abspath(path))
        )
        return f'\x1b]8;;file://{os.uname().nodename}{address}\x1b\\{text}\x1b]8;;\x1b\\'

    def line(self, text: str = '') -> None:
        """Write a line, as :meth:`printable` has it."""
        self.stream.write(self.printable(text) + '\n')

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines, each as :meth:`line` does, asked for only when the stream has room where it can tell."""
        self.stream.writelines(f'{self.printable(text)}\n' for text in texts)

    def printable(self, text: str) -> str:
        """Return ``text`` as the stream can take it: where that is only ASCII, signs are simpler, the rest escaped."""
        if self.unicode or text.isascii():
            return text
        return text.translate(SIMPLE).encode('ascii', 'backslashreplace').decode('ascii')

    def started(self, name: str) -> str:
        """Return the line for a task that starts."""
        return f'{self.paint("▶", "dim")} {plain_text(name)}'

    def ended(self, ended: EndedTask, width: int = 0, log: str = '') -> str:
        """Return the line for a task that is over: sign, name, word, reason, time.

        Args:
            ended: the task.
            width: columns for the name, so that what follows stands in line.
            log: the file that the name becomes a link to.
        """
        outcome = ended.outcome
        sign, word, colour = WORDS[outcome.state]
        reason = plain_text(outcome.reason)
        if outcome.error in HELD_BACK:
            sign, word, colour = '-', 'not run', 'yellow'
            reason = reason.removeprefix('not run: ')
        elif outcome.error is ErrorKind.INTERRUPTED:
            word, reason, colour = 'interrupted', '', 'yellow'
        parts = [self.paint(word, colour) if word else '', reason]
        if ended.attempts > 1:
            parts.append(f'attempt {ended.attempts}')
        if ended.seconds is not None:
            parts.append(self.paint(format_duration(ended.seconds), 'dim'))
        rest = '  '.join(part for part in parts if part)
        name = plain_text(ended.name)
        filled = self.link(name, log) + ' ' * (width - len(name))
        return f'{self.paint(sign, colour)} {filled}  {rest}'.rstrip()

    def leaks(self, ended: EndedTask) -> list[str]:
        """Return a line for each process that a task left behind."""
        return [f'    left behind and ended: {plain_text(leak)}' for leak in ended.outcome.leaked]

    def retrying(self, message: TaskRetrying, width: int = 0) -> str:
        """Return the line for an attempt that failed, with when the next one starts.

        Args:
            message: says so.
            width: columns for the name.
        """
        name = plain_text(message.name).ljust(width)
        wait = format_duration(message.again_at - message.time)
        reason = plain_text(message.outcome.reason)
        return f'{self.paint("↻", "yellow")} {name}  attempt {message.attempt} failed  {reason}  again in {wait}'

    def logged(self, message: TaskLogged) -> list[str]:
        """Return the lines for what a task says to whoever watches."""
        name = plain_text(message.name)
        return [f'  {name}: {clean_line(line, colour=self.colour)}' for line in message.message.split('\n')]

    def warning(self, message: RunWarned) -> str:
        """Return the line for a warning."""
        return f'{self.paint("warning:", "yellow")} {plain_text(message.message)}'

    def stopping(self, message: RunStopping, running: int) -> str:
        """Return the line for a run that ends early, with what becomes of the tasks that run."""
        verb = 'stopping' if message.step == 1 else 'killing'
        what = f', {verb} {running} running' if running else ''
        return self.paint(f'{plain_text(message.reason)}{what}', 'yellow')
