"""History: which runs there were, how each proc fared in them, and how long it usually takes.

An index in SQLite that can be deleted at any time. Whatever is wrong with the file, a run goes on without it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from parproc.core.attempt import Attempt
from parproc.store.database import Database, LockedDatabaseError, UnusableDatabaseError
from parproc.store.read_rows import RunRecord, attempt_in, name_in, run_in, seconds_in
from parproc.store.write_rows import add, close_run, has_run, rows_of_names, storable, storable_targets

Found = TypeVar('Found')
Key = TypeVar('Key')

LONGEST_PAUSE_WRITES = 64
MOST_OPEN_RUNS = 1_000


class History:
    """Remembers runs in a file, opened when first needed.

    What is told between two calls of :meth:`flush` is written in one transaction. In a forked child every method does
    nothing. How long a proc usually takes is the decayed median of :func:`parproc.core.attempt.usual_seconds` over its
    latest successes.

    Args:
        path: the file, usually ``.parproc/parproc.db``; it is created with its folder when there is something to write.
        root: the state folder that the file is in, when it is: then it is used only if nothing of that is somebody
            else's.
    """

    def __init__(self, path: str, root: str | None = None) -> None:
        self._database = Database(os.path.abspath(path), None if root is None else os.path.abspath(root))
        self._process = os.getpid()
        self._off = False
        self._looked = False
        self._run: int | None = None
        self._begun: tuple[str, float, str] | None = None
        self._wanted: list[str] = []
        self._attempts: list[Attempt] = []
        self._pause = self._skip = 0

    @property
    def warning(self) -> str | None:
        """Why there is no history, or only a new one; None while all is well."""
        return self._database.warning

    @property
    def descriptors(self) -> list[int]:
        """What it holds open now, which is no business of any child."""
        return self._database.descriptors

    # --- a run writes ------------------------------------------------------------------------------------------

    def begin(self, run_id: str, targets: Iterable[str], wall_time: float) -> None:
        """Note that a run starts; ``wall_time`` is seconds since the epoch."""
        self._begun = (storable(run_id), wall_time, storable_targets(targets))
        self._run = None
        self.flush()

    def want(self, names: Iterable[str]) -> None:
        """Note that the run means to run procs: until they end well, they are unfinished."""
        self._wanted += names

    def record(self, attempts: Iterable[Attempt]) -> None:
        """Note attempts that are over."""
        self._attempts += attempts

    def flush(self) -> None:
        """Write what was noted; when another process holds the file for long, later."""
        if self._skip:
            self._skip -= 1
        elif self._begun is not None and (self._run is None or self._wanted or self._attempts):
            self._write(None)

    def end(self, exit_code: int, wall_time: float) -> None:
        """Note how the run ended, and write all that is still to be written."""
        if self._begun is not None:
            self._write((exit_code, wall_time))
            self._begun = self._run = None

    def close(self) -> None:
        """Give the file up."""
        if self._process == os.getpid():
            self._database.close()

    # --- anybody reads -----------------------------------------------------------------------------------------

    def expected(self, names: Iterable[str]) -> dict[str, float]:
        """Return how many seconds each of ``names`` usually takes; those that never ended well are absent."""
        given = {storable(name): name for name in names}

        def work(connection: sqlite3.Connection) -> dict[str, float]:
            found = rows_of_names(connection, 'name, expected', list(given))
            times = {given[name]: value for name, value in found if value is not None}
            return self._only_good({name: seconds_in(value) for name, value in times.items()})

        return self._read(work, {}, rows=len(given))

    def last_failed(self) -> list[str]:
        """Return what failed or never ran in the last run that is over or was abandoned, in the order it was wanted."""
        query = (
            'SELECT name FROM unfinished WHERE run = '
            '(SELECT id FROM runs WHERE ended IS NOT NULL OR abandoned ORDER BY id DESC LIMIT 1) ORDER BY place'
        )

        def work(connection: sqlite3.Connection) -> list[str]:
            return list(self._only_good(dict(enumerate(name_in(row[0]) for row in connection.execute(query)))).values())

        return self._read(work, [])

    def runs(self, limit: int) -> list[RunRecord]:
        """Return the last runs, latest first."""
        query = 'SELECT run_id, started, ended, exit_code, targets, abandoned FROM runs ORDER BY id DESC LIMIT ?'

        def work(connection: sqlite3.Connection) -> list[RunRecord]:
            rows = connection.execute(query, (limit,))
            return list(self._only_good(dict(enumerate(run_in(row) for row in rows))).values())

        return self._read(work, [])

    def trend(self, name: str, limit: int) -> list[Attempt]:
        """Return the last attempts of a proc that ran, latest first."""
        query = (
            'SELECT attempt, started, ended, state, error, reason, seconds, memory, cpu FROM attempts '
            'WHERE name = ? AND started IS NOT NULL ORDER BY started DESC LIMIT ?'
        )

        def work(connection: sqlite3.Connection) -> list[Attempt]:
            rows = connection.execute(query, (storable(name), limit))
            return list(self._only_good(dict(enumerate(attempt_in(name, row) for row in rows))).values())

        return self._read(work, [])

    # --- inside ------------------------------------------------------------------------------------------------

    def _write(self, end: tuple[int, float] | None) -> None:
        if self._off or self._process != os.getpid() or self._begun is None:
            return
        self._mark_abandoned()
        begun, known = self._begun, self._run

        def work(connection: sqlite3.Connection) -> int:
            run = known if known is not None and has_run(connection, known) else self._started(connection, begun)
            add(connection, run, self._wanted, self._attempts)
            if end is not None:
                close_run(connection, run, *end)
            return run

        try:
            self._run = self._database.write(
                work, patient=end is not None, rows=len(self._wanted) + len(self._attempts)
            )
        except UnusableDatabaseError as error:
            if isinstance(error, LockedDatabaseError) and end is None:
                self._pause = min(LONGEST_PAUSE_WRITES, 2 * self._pause + 1)
                self._skip = self._pause
                return
            self._off = True
            self._database.note(f'{error.args[0]}, so this run leaves no history')
        self._wanted, self._attempts = [], []

    def _started(self, connection: sqlite3.Connection, begun: tuple[str, float, str]) -> int:
        """Add the run, and show that it is going on before anybody can see it."""
        run = connection.execute('INSERT INTO runs (run_id, started, targets) VALUES (?, ?, ?)', begun).lastrowid or 0
        self._database.run_locks.hold(run)
        return run

    def _read(self, work: Callable[[sqlite3.Connection], Found], nothing: Found, *, rows: int = 0) -> Found:
        if self._off or self._process != os.getpid() or not self._database.exists():
            return nothing
        self._mark_abandoned()
        try:
            return self._database.read(work, rows=rows)
        except UnusableDatabaseError as error:
            self._database.note(f'{error.args[0]}, so its history is not used')
        return nothing

    def _only_good(self, found: Mapping[Key, Found | None]) -> dict[Key, Found]:
        """Leave out what was found to be none of parproc's."""
        good = {key: value for key, value in found.items() if value is not None}
        if len(good) < len(found):
            self._database.note('holds what parproc never wrote, which is left out')
        return good

    def _mark_abandoned(self) -> None:
        """Find runs that have no end and no process, once."""
        if self._looked or not self._database.exists():
            return
        self._looked = True
        run_locks = self._database.run_locks
        query = 'SELECT id FROM runs WHERE ended IS NULL AND abandoned = 0 LIMIT ?'

        def mark(connection: sqlite3.Connection) -> None:
            connection.executemany('UPDATE runs SET abandoned = 1 WHERE id = ?', [(run,) for run in gone])

        try:
            still_open = self._database.read(
                lambda connection: [row[0] for row in connection.execute(query, (MOST_OPEN_RUNS,))]
            )
            gone = [run for run in still_open if run_locks.gone(run)]
            if gone:
                self._database.write(mark, patient=False)
        except UnusableDatabaseError:
            return
