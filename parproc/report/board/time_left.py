"""Time left of a run, estimated from the tasks that are scheduled and not over."""

from __future__ import annotations

import time
from collections.abc import Callable

from parproc.core.estimate import time_left
from parproc.core.events import TaskWanted
from parproc.core.view import RunView

OFTEN_SECONDS = 1.0
PAUSE_TO_COST_RATIO = 100
MOST_PLAYED = 10_000


class TimeLeft:
    """Follows the graph of a run, and estimates so rarely, and so little at a time, that it costs next to nothing.

    Args:
        usual: task -> seconds it usually takes, None when nobody knows.
        cost_clock: seconds, to measure what an estimate costs.
    """

    def __init__(
        self, usual: Callable[[str], float | None], cost_clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._usual = usual
        self._cost_clock = cost_clock
        self._expected: dict[str, float | None] = {}
        self._deps: dict[str, tuple[str, ...]] = {}
        self._end: float | None = None
        self._again = 0.0

    def add(self, wanted: TaskWanted) -> None:
        """Take in a task that was scheduled."""
        self._expected[wanted.name] = self._usual(wanted.name)
        if wanted.deps:
            self._deps[wanted.name] = wanted.deps

    def remove(self, name: str) -> None:
        """Leave out a task that is over."""
        self._expected.pop(name, None)
        self._deps.pop(name, None)

    def left(self, now: float, view: RunView) -> float | None:
        """Return the seconds until the run is over, None when nobody can tell."""
        if now >= self._again:
            began = self._cost_clock()
            left = self._estimate(now, view)
            self._end = None if left is None else now + left
            self._again = now + max(OFTEN_SECONDS, PAUSE_TO_COST_RATIO * (self._cost_clock() - began))
        return None if self._end is None else max(0.0, self._end - now)

    def _estimate(self, now: float, view: RunView) -> float | None:
        busy = {}
        deps = self._deps
        expected = self._expected
        if view.began is None or len(expected) > MOST_PLAYED:
            return None
        for name, running in view.running.items():
            if not running.awaited and running.again_at is None:
                busy[name] = now - running.began
            elif running.awaited:
                if expected is self._expected:
                    expected, deps = dict(expected), dict(deps)
                usual = expected.get(name)
                expected[name] = None if usual is None else max(0.0, usual - running.worked)
                deps[name] = running.awaited
        return time_left(expected, deps, busy, view.began.parallel)
