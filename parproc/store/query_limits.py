"""What a query may cost, whatever is in the file that it reads."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from functools import partial

STEPS_AT_ONCE = 10_000
MOST_STEPS = 50_000_000
STEPS_A_ROW = 2_000
LONGEST_TEXT_BYTES = 16 << 20


class StepLimit:
    """Counts the steps of a connection's queries, ends one that takes too many, and lets signals in meanwhile.

    Attributes:
        raised: what a signal's handler raised during a query, to be raised again once the query has given up.
    """

    def __init__(self) -> None:
        self.raised: BaseException | None = None
        self._left = 0
        self._counter = self._count()
        next(self._counter)

    def apply(self, connection: sqlite3.Connection) -> None:
        """Let a connection count its steps here, and take no texts or statements of absurd length."""
        connection.set_progress_handler(self._counter.__next__, STEPS_AT_ONCE)
        connection.text_factory = partial(str, encoding='utf-8', errors='replace')
        if sys.version_info >= (3, 11):
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_TEXT_BYTES)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0)
            connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)

    def allow(self, rows: int) -> None:
        """Begin to count anew, for a piece of work on so many rows."""
        self.raised = None
        self._left = MOST_STEPS + STEPS_A_ROW * rows

    @property
    def reached(self) -> bool:
        """Whether a query was ended for its length."""
        return self._left < 0

    def _count(self) -> Iterator[bool]:
        """Say after so many steps whether it is enough.

        A signal that comes during a query is handled in here, and SQLite swallows what its callbacks raise. A generator
        never leaves its ``try``, as a function would between two calls.
        """
        while True:
            try:
                yield self._left < 0
                self._left -= STEPS_AT_ONCE
            except GeneratorExit:
                return
            except BaseException as error:
                self.raised, self._left = error, -1
