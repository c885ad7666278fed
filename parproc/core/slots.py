"""How many tasks may run at once, and how that number shrinks while the system is short of what a start needs."""

from __future__ import annotations


class Slots:
    """The number of tasks that may run at once.

    A start that fails because the system is short of something makes the limit as low as what runs already. From there
    it grows by one whenever as many tasks have ended as the limit is high, until it is back at what was asked for.

    Args:
        parallel: how many tasks may run at once where nothing is short.

    Attributes:
        limit: how many may run at once now; never above ``parallel``.
        most_active: how many can be running at all, for there may have been more slots when they started.
    """

    __slots__ = ('_ended', '_parallel', 'limit', 'most_active')

    def __init__(self, parallel: int) -> None:
        self._parallel = self.limit = self.most_active = parallel
        self._ended = 0

    @property
    def parallel(self) -> int:
        """How many tasks may run at once where nothing is short."""
        return self._parallel

    def resize(self, parallel: int, active: int) -> None:
        """Let ``parallel`` tasks run at once from now on, where ``active`` run already."""
        self._parallel = self.limit = parallel
        self.most_active = max(active, parallel)

    def shrink(self, active: int) -> None:
        """Let no more than the ``active`` tasks run that do already: another one could not be started."""
        self.limit = min(active, self._parallel)
        self._ended = 0

    def recover(self) -> None:
        """Note that an attempt has ended, which may have given back what was short."""
        if self.limit < self._parallel:
            self._ended += 1
            if self._ended >= self.limit:
                self.limit += 1
                self._ended = 0
