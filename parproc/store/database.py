"""A SQLite file that may be damaged, locked, full, hostile or in the way: everything but a reason to fail.

It is written without waiting for the disk: beside thousands of new logs, one such wait can take longer than all of a
short run. A kill loses nothing by that; a power cut may damage the file, which is then moved aside like any other that
is damaged, and all that is lost is how long procs usually take.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from parproc.core.terminal_text import plain_text
from parproc.host.descriptors import disown, own
from parproc.host.private_folders import check_ours
from parproc.store.file_identity import identity, open_files
from parproc.store.query_limits import StepLimit
from parproc.store.run_locks import RunLocks
from parproc.store.schema import AlteredDatabaseError, ForeignDatabaseError, settle, version_of
from parproc.store.state_folder import check_database, check_state, names_other_files

Value = TypeVar('Value')

BUSY_SECONDS = 0.1
READ_SECONDS = 0.5
PATIENT_SECONDS = 5.0
LONGEST_REASON_CHARACTERS = 200
DAMAGED = (sqlite3.DatabaseError, sqlite3.DataError)
PRAGMAS = (
    *('trusted_schema = OFF', 'cell_size_check = ON', 'temp_store = MEMORY', 'cache_size = -8000'),
    *('journal_mode = TRUNCATE', 'synchronous = OFF'),
)


class UnusableDatabaseError(Exception):
    """The file cannot be used now; ``args[0]`` says why."""


class LockedDatabaseError(UnusableDatabaseError):
    """Another process holds the file; later it may work."""


class Database:
    """The connection to a file, made when first needed, and anew when the file was removed or replaced.

    Args:
        path: the file; its folder is made when something is written.
        root: the state folder that the file is in, which is used whole or not at all; None for a file somewhere else.

    Attributes:
        warning: the first thing that went wrong, for people.
        run_locks: which runs are going on.
    """

    def __init__(self, path: str, root: str | None = None) -> None:
        self.warning: str | None = None
        self._path = path
        self._root = root
        self.run_locks = RunLocks(f'{path}-runs')
        self._connection: sqlite3.Connection | None = None
        self._limit = StepLimit()
        self._file = (0, 0)
        self._descriptors: list[int] = []

    @property
    def descriptors(self) -> list[int]:
        """What is open now: the file, and the locks of runs; a journal only while :meth:`write` is at work."""
        return [*self._descriptors, *self.run_locks.descriptors]

    def exists(self) -> bool:
        """Return whether there is anything to read."""
        return self._connection is not None or os.path.lexists(self._path)

    def read(self, work: Callable[[sqlite3.Connection], Value], *, rows: int = 0) -> Value:
        """Return what ``work`` reads.

        Args:
            work: is given the connection; may be called twice, when the file has to be replaced in between.
            rows: how many rows it asks for by name.

        Raises:
            UnusableDatabaseError: nothing can be read.
        """
        return self._guarded(work, 'BEGIN', READ_SECONDS, rows)

    def write(self, work: Callable[[sqlite3.Connection], Value], *, patient: bool, rows: int = 0) -> Value:
        """Let ``work`` change the file, all or nothing.

        Args:
            work: as for :meth:`read`.
            patient: wait seconds for another process, not just a moment.
            rows: how many rows it changes.

        Raises:
            UnusableDatabaseError: nothing was changed.
        """
        return self._guarded(work, 'BEGIN IMMEDIATE', PATIENT_SECONDS if patient else BUSY_SECONDS, rows)

    def close(self) -> None:
        """Give the connection up."""
        self._disconnect()
        self.run_locks.close()

    def note(self, what: str) -> None:
        """Keep a warning, unless there is one."""
        if self.warning is None:
            self.warning = f'{self._path} {what}'

    def _guarded(self, work: Callable[[sqlite3.Connection], Value], begin: str, seconds: float, rows: int) -> Value:
        try:
            return self._worked(work, begin, seconds, rows)
        except AlteredDatabaseError as error:
            self._move_aside(error.args[0])
        except sqlite3.Error as error:
            if type(error) not in DAMAGED:
                raise self._unusable(error) from None
            self._move_aside(str(error))
        try:
            return self._worked(work, begin, seconds, rows)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        except AlteredDatabaseError as error:
            raise UnusableDatabaseError(f'cannot be used ({error.args[0]})') from None

    def _worked(self, work: Callable[[sqlite3.Connection], Value], begin: str, seconds: float, rows: int) -> Value:
        self._limit.allow(rows)
        try:
            self._look()
            if self._connection is None:
                self._connection = self._connected(seconds)
            connection = self._connection
            connection.execute(f'PRAGMA busy_timeout = {int(seconds * 1000)}')
            connection.execute(begin)
            try:
                version_of(connection)
                value = work(connection)
                connection.execute('COMMIT')
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute('ROLLBACK')
                raise
        except ForeignDatabaseError as error:
            raise UnusableDatabaseError(error.args[0]) from None
        except sqlite3.Error:
            if self._limit.raised is not None:
                raise self._limit.raised from None
            raise
        return value

    def _look(self) -> None:
        """See what is at the path now: it may be something that must not be opened, or not be our file any more.

        Raises:
            UnusableDatabaseError: it must not be opened.
            AlteredDatabaseError: its journal is none of ours.
        """
        try:
            if self._root is not None:
                check_state(self._root)
            else:
                check_database(self._path)
        except OSError as error:
            raise UnusableDatabaseError(f'is not used ({error.strerror})') from None
        if self._connection is not None and identity(self._path) != self._file:
            self._disconnect()
        if names_other_files(f'{self._path}-journal'):
            self._file = identity(self._path)
            raise AlteredDatabaseError('its journal is none of parproc')

    def _connected(self, seconds: float) -> sqlite3.Connection:
        folder = os.path.dirname(self._path)
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            if self._root is not None:
                check_ours(folder, folder=True)
        except OSError as error:
            raise UnusableDatabaseError(f'cannot be used ({error.strerror})') from None
        connection = self._opened(seconds)
        try:
            self._limit.apply(connection)
            for pragma in PRAGMAS:
                connection.execute(f'PRAGMA {pragma}').fetchall()
            settle(connection)
        except BaseException:
            self._disown()
            connection.close()
            raise
        return connection

    def _opened(self, seconds: float) -> sqlite3.Connection:
        """Open the file, and know for certain which one that is: another process may be replacing it right now."""
        while True:
            before, known = identity(self._path), open_files()
            connection = sqlite3.connect(self._path, timeout=seconds, isolation_level=None, check_same_thread=False)
            self._file = identity(self._path)
            if before in {(0, 0), self._file}:
                now = open_files().items()
                self._descriptors = [own(one) for one, file in now if file == self._file != known.get(one)]
                return connection
            connection.close()

    def _disconnect(self) -> None:
        self._disown()
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _disown(self) -> None:
        for descriptor in self._descriptors:
            disown(descriptor)
        self._descriptors = []

    def _move_aside(self, why: str) -> None:
        """Rename the file, with the journal that belongs to it; not when another process has done so already."""
        self._disconnect()
        try:
            with self.run_locks.alone():
                if identity(self._path) == self._file:
                    with contextlib.suppress(FileNotFoundError):
                        os.replace(f'{self._path}-journal', f'{self._path}.damaged-journal')
                    os.replace(self._path, f'{self._path}.damaged')
        except OSError as error:
            raise UnusableDatabaseError(
                f'is damaged ({_brief(why)}), and cannot be moved aside ({error.strerror})'
            ) from None
        self.note(f'is damaged ({_brief(why)}), so it was moved aside and history starts anew')

    def _unusable(self, error: sqlite3.Error) -> UnusableDatabaseError:
        if self._limit.reached:
            return UnusableDatabaseError('cannot be used (it takes too long to read)')
        kind = LockedDatabaseError if 'locked' in str(error) else UnusableDatabaseError
        return kind(f'cannot be used ({_brief(str(error))})')


def _brief(text: str) -> str:
    """Return what went wrong, where the file may have a say in how that reads."""
    return plain_text(text[:LONGEST_REASON_CHARACTERS])
