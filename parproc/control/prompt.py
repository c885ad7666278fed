"""Questions of running tasks (``context.get_input``), asked one after the other where the user sits."""

from __future__ import annotations

import os
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from parproc.core.terminal_text import plain_text

STDIN = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What a task wants to know; ``hidden`` answers are not echoed."""

    name: str
    message: str
    hidden: bool


class Prompter:
    """Asks one question at a time on standard error and reads the answer, a line, from standard input.

    Args:
        selector: watches standard input while a question is open, so that other tasks go on.
        answer: called with the asking task's name and ``{"text": line}`` or ``{"error": why}``.
        aside: called with True before a question is put, and with False when the terminal is free again.
        say: writes text to standard error, without waiting for its reader.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        answer: Callable[[str, Mapping[str, object]], None],
        aside: Callable[[bool], None],
        say: Callable[[str], None],
    ) -> None:
        self._selector = selector
        self._answer = answer
        self._aside = aside
        self._say = say
        self._asking = False
        self._questions: deque[Question] = deque()
        self._buffer = b''
        self._watching = False
        self._ended = False
        self._echo: list[object] | None = None

    def ask(self, name: str, message: str, *, hidden: bool) -> None:
        """Queue a question of task ``name``."""
        self._questions.append(Question(name, message, hidden))
        if len(self._questions) == 1:
            self._open()

    def forget(self, name: str) -> None:
        """Drop the questions of a task that is over."""
        if self._questions:
            current = self._questions[0]
            self._questions = deque(question for question in self._questions if question.name != name)
            if current.name == name:
                self._shut()
                self._open()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._questions.clear()
        self._shut()

    def _open(self) -> None:
        """Put the first question that cannot be answered from what was read already."""
        while self._questions:
            question = self._questions[0]
            if not self._asking:
                self._asking = True
                self._aside(True)
            self._say(f'{plain_text(question.name)}: {plain_text(question.message)} ')
            if not self._take_line() and not self._ended:
                self._set_echo(on=not question.hidden)
                if self._watch():
                    return
                self._read()
            elif self._questions and self._questions[0] is question:
                self._finish({'error': 'no answer: standard input has ended'})

    def _watch(self) -> bool:
        """Watch standard input; False when it is a file, which can be read at once."""
        try:
            self._selector.register(STDIN, selectors.EVENT_READ, self._on_readable)
        except (OSError, ValueError):
            return False
        self._watching = True
        return True

    def _on_readable(self) -> None:
        self._read()
        if not self._watching:
            self._open()

    def _read(self) -> None:
        try:
            data = os.read(STDIN, 65536)
        except OSError:
            data = b''
        self._buffer += data
        self._ended = not data
        if not self._take_line() and self._ended:
            self._finish({'error': 'no answer: standard input has ended'})

    def _take_line(self) -> bool:
        line, newline, rest = self._buffer.partition(b'\n')
        if not newline and not (self._ended and line):
            return False
        self._buffer = rest
        self._finish({'text': line.decode('utf-8', 'surrogateescape').rstrip('\r')})
        return True

    def _finish(self, answer: Mapping[str, object]) -> None:
        question = self._questions.popleft()
        self._shut()
        self._answer(question.name, answer)

    def _shut(self) -> None:
        if self._watching:
            self._selector.unregister(STDIN)
            self._watching = False
        self._set_echo(on=True)
        if self._asking:
            self._asking = False
            self._aside(False)

    def _set_echo(self, *, on: bool) -> None:
        import termios

        if on and self._echo is not None:
            termios.tcsetattr(STDIN, termios.TCSANOW, self._echo)  # type: ignore[arg-type]
            self._echo = None
            self._say('\n')
        elif not on and self._echo is None and os.isatty(STDIN):
            self._echo = termios.tcgetattr(STDIN)
            quiet = termios.tcgetattr(STDIN)
            quiet[3] &= ~termios.ECHO
            termios.tcsetattr(STDIN, termios.TCSANOW, quiet)
