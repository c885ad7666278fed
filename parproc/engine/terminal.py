"""Who has the terminal: what shows the run, with its keys, a question of a task, or a task that talks to the person."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping

from parproc.control.keys import Keys
from parproc.control.prompt import Prompter
from parproc.engine.listener import GuardedListener

STOP_KEY = 'q'


class Terminal:
    """Hands the terminal to one of those who want it, and back to what shows the run.

    Args:
        selector: watches standard input, for keys and for answers.
        listener: shows the run; steps aside while others have the terminal.
        answer: called with the name of a task that has asked something, and the answer.
        stop: called when the person presses the key that stops the run.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listener: GuardedListener,
        answer: Callable[[str, Mapping[str, object]], None],
        stop: Callable[[], None],
    ) -> None:
        self._listener = listener
        self._stop = stop
        self._prompter = Prompter(selector, answer, self.step_aside, listener.say)
        self._keys = Keys(selector, self._on_key)
        self._in_front: set[str] = set()

    def ask(self, name: str, message: str, *, hidden: bool) -> None:
        """Put a question of task ``name``, after those that were asked before; ``hidden`` answers are not echoed."""
        self._prompter.ask(name, message, hidden=hidden)

    def give_to(self, name: str) -> None:
        """Leave the terminal to an interactive task until :meth:`take_back`."""
        self._in_front.add(name)
        self.step_aside(True)

    def take_back(self, name: str) -> None:
        """Take the terminal from a task, if it had it."""
        if name in self._in_front:
            self._in_front.discard(name)
            self.step_aside(False)

    def forget(self, name: str) -> None:
        """Drop the questions of a task that is over, and take the terminal from it."""
        self._prompter.forget(name)
        self.take_back(name)

    def step_aside(self, away: bool) -> None:
        """Let what shows the run leave the terminal to somebody else, or have it again."""
        if away:
            self._keys.give()
        else:
            self.take_keys()
        self._listener.step_aside(away)

    def take_keys(self) -> None:
        """Read single keys, where they mean anything and no task has the terminal."""
        if self._listener.wants_keys() and not self._in_front:
            self._keys.take()

    def give_keys(self) -> None:
        """Read no keys any more."""
        self._keys.give()

    def close(self) -> None:
        """Drop all questions and leave the terminal as it was."""
        self._prompter.close()

    def _on_key(self, key: str) -> None:
        if key == STOP_KEY:
            self._stop()
        else:
            self._listener.press(key)
