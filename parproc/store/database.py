"""A SQLite file that may be damaged, locked, full or in the way: everything but a reason to fail.

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

from parproc.store.presence import Presence

Value = TypeVar('Value')

BUSY_SECONDS = 0.1
READ_SECONDS = 0.5
PATIENT_SECONDS = 5.0
VERSION = 1
FOREIGN = ('no such ', 'table ')
SCHEMA = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, started REAL NOT NULL, ended REAL, exit_code INTEGER,
    targets TEXT NOT NULL, abandoned INTEGER NOT NULL DEFAULT 0);
CREATE INDEX runs_open ON runs (id) WHERE ended IS NULL AND abandoned = 0;
CREATE TABLE attempts (
    run INTEGER NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL, started REAL, ended REAL NOT NULL,
    state TEXT NOT NULL, error TEXT, reason TEXT NOT NULL, seconds REAL, memory INTEGER NOT NULL, cpu REAL NOT NULL);
CREATE INDEX attempts_of_name ON attempts (name, started);
CREATE TABLE procs (
    name TEXT PRIMARY KEY, expected REAL, recent TEXT NOT NULL, last_state TEXT NOT NULL, last_ended REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE unfinished (place INTEGER PRIMARY KEY, run INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (run, name));
"""


class Unusable(Exception):
    """The file cannot be used now; ``args[0]`` says why."""


class Locked(Unusable):
    """Another process holds the file; later it may work."""


class Database:
    """The connection to a file, made when first needed.

    Args:
        path: the file; its folder is made when something is written.

    Attributes:
        warning: the first thing that went wrong, for people.
        presence: which runs are going on.
    """

    def __init__(self, path: str) -> None:
        self.warning: str | None = None
        self._path = path
        self.presence = Presence(f'{path}-runs')
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def exists(self) -> bool:
        """Return whether there is anything to read."""
        return self._connection is not None or os.path.lexists(self._path)

    def read(self, work: Callable[[sqlite3.Connection], Value]) -> Value:
        """Return what ``work`` reads; raises Unusable."""
        return self._guarded(work, READ_SECONDS)

    def write(self, work: Callable[[sqlite3.Connection], Value], *, patient: bool) -> Value:
        """Let ``work`` change the file, all or nothing.

        Args:
            work: is given the connection; may be called twice, when the file has to be replaced in between.
            patient: wait seconds for another process, not just a moment.

        Raises:
            Unusable: nothing was changed.
        """

        def all_or_nothing(connection: sqlite3.Connection) -> Value:
            connection.execute('BEGIN IMMEDIATE')
            try:
                value = work(connection)
                connection.execute('COMMIT')
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute('ROLLBACK')
                raise
            return value

        return self._guarded(all_or_nothing, PATIENT_SECONDS if patient else BUSY_SECONDS)

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        self.presence.close()

    def note(self, what: str) -> None:
        """Keep a warning, unless there is one."""
        if self.warning is None:
            self.warning = f'{self._path} {what}'

    def _guarded(self, work: Callable[[sqlite3.Connection], Value], seconds: float) -> Value:
        try:
            return self._worked(work, seconds)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not str(error).startswith(FOREIGN):
                raise self._unusable(error) from None
            self._move_aside('damaged', f'is damaged ({error})')
        try:
            return self._worked(work, seconds)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _worked(self, work: Callable[[sqlite3.Connection], Value], seconds: float) -> Value:
        if self._connection is None:
            self._connection = self._connected(seconds)
        self._connection.execute(f'PRAGMA busy_timeout = {int(seconds * 1000)}')
        return work(self._connection)

    def _connected(self, seconds: float) -> sqlite3.Connection:
        folder = os.path.dirname(self._path)
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
        except OSError as error:
            raise Unusable(f'cannot be used ({error.strerror})') from None
        if os.path.islink(self._path):
            raise Unusable('is a symbolic link')
        connection = self._open(seconds)
        version = connection.execute('PRAGMA user_version').fetchone()[0]
        if version > VERSION:
            connection.close()
            self._move_aside('newer', 'was written by a newer parproc')
            connection = self._open(seconds)
        self._create(connection)
        return connection

    def _open(self, seconds: float) -> sqlite3.Connection:
        connection = self._opened(seconds)
        try:
            for pragma in ('trusted_schema = OFF', 'journal_mode = TRUNCATE', 'synchronous = OFF'):
                connection.execute(f'PRAGMA {pragma}').fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def _opened(self, seconds: float) -> sqlite3.Connection:
        """Open the file, and know for certain which one that is: another process may be replacing it right now."""
        while True:
            before = _inode(self._path)
            connection = sqlite3.connect(self._path, timeout=seconds, isolation_level=None)
            self._inode = _inode(self._path)
            if before in {0, self._inode}:
                return connection
            connection.close()

    def _create(self, connection: sqlite3.Connection) -> None:
        """Make the tables where there are none; of two processes that want to, one does."""
        if connection.execute('PRAGMA user_version').fetchone()[0] == VERSION:
            return
        try:
            connection.execute('BEGIN IMMEDIATE')
            if connection.execute('PRAGMA user_version').fetchone()[0] != VERSION:
                if connection.execute('SELECT 1 FROM sqlite_master').fetchone():
                    raise sqlite3.DatabaseError('it has foreign tables')
                for statement in filter(str.strip, SCHEMA.split(';')):
                    connection.execute(statement)
                connection.execute(f'PRAGMA user_version = {VERSION}')
            connection.execute('COMMIT')
        except BaseException:
            connection.close()
            raise

    def _move_aside(self, why: str, what: str) -> None:
        """Rename the file, with the journal that belongs to it; not when another process has done so already."""
        self.note(f'{what}, so it was moved aside and history starts anew')
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        with contextlib.suppress(OSError), self.presence.alone():
            if os.stat(self._path).st_ino == self._inode:
                with contextlib.suppress(FileNotFoundError):
                    os.replace(f'{self._path}-journal', f'{self._path}.{why}-journal')
                os.replace(self._path, f'{self._path}.{why}')

    def _unusable(self, error: sqlite3.Error) -> Unusable:
        text = str(error)
        kind = Locked if 'locked' in text else Unusable
        return kind(f'cannot be used ({text})')


def _inode(path: str) -> int:
    """Return what tells a file from one that has taken its place; 0 where there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
