"""Deadlines of tasks on a clock that stands still while the run does."""

from __future__ import annotations

import enum
import heapq
from collections.abc import Callable, Iterator
from typing import NamedTuple


class TimerKind(enum.Enum):
    """What is due."""

    TIMEOUT = 'the attempt took too long'
    KILL = 'the grace is over'
    RETRY = 'the next attempt may start'


class Timer(NamedTuple):
    """One deadline; it counts only until the task is started once more: ``starts`` is how often it was by then."""

    when: float
    number: int
    name: str
    starts: int
    kind: TimerKind


class Timers:
    """A heap of deadlines.

    Args:
        counts: tells whether a timer still means anything; others are dropped when they come up.
    """

    __slots__ = ('_counts', '_heap', '_number', '_slept')

    def __init__(self, counts: Callable[[Timer], bool]) -> None:
        self._heap: list[Timer] = []
        self._counts = counts
        self._number = 0
        self._slept = 0.0

    def arm(self, when: float, name: str, starts: int, kind: TimerKind) -> None:
        """Set a deadline at ``when`` on the caller's clock."""
        self._number += 1
        heapq.heappush(self._heap, Timer(when - self._slept, self._number, name, starts, kind))

    def shift(self, seconds: float) -> None:
        """Move every deadline: the run stood still for ``seconds``."""
        self._slept += seconds

    def due(self, now: float) -> Iterator[Timer]:
        """Take every timer that is due and still counts."""
        while self._heap and self._heap[0].when <= now - self._slept:
            timer = heapq.heappop(self._heap)
            if self._counts(timer):
                yield timer

    def next(self) -> float | None:
        """Return when the next one is due on the caller's clock, None when there is none."""
        while self._heap and not self._counts(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0].when + self._slept if self._heap else None
