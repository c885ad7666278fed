"""Lines that wait for a terminal to take them."""

from __future__ import annotations

from collections import deque

MOST_HELD_CHARACTERS = 1 << 22


class Backlog:
    """Keeps text in order; when it is too much, the oldest goes and is counted."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._held = self._lost = 0

    def add(self, text: str) -> None:
        """Keep whole lines."""
        self._texts.append(text)
        self._held += len(text)
        while self._held > MOST_HELD_CHARACTERS and len(self._texts) > 1:
            lost = self._texts.popleft()
            self._held -= len(lost)
            self._lost += lost.count('\n')

    def take(self) -> str:
        """Return what was kept, its lines ended as a terminal wants them, and forget it."""
        text = ''.join(self._texts)
        if self._lost:
            text = f'{self._lost} lines were left out: the terminal did not take them\n{text}'
        self._texts.clear()
        self._held = self._lost = 0
        return text.replace('\n', '\r\n')
