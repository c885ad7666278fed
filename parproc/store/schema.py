"""The tables of the history, as a list of steps: a new file takes them all, an older one those that it lacks.

The version of a file (``user_version``) is the number of steps it has taken. A released step is never changed: another
form of the tables is one more step. A file is used only when all that is in it, to the letter, is what its steps make:
one that has come from elsewhere may hold triggers, views or expressions that never end.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

Shape: TypeAlias = set[tuple[object, ...]]

STEPS: tuple[str, ...] = (
    """
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
""",
)
MOST_ENTRIES = 100


class ForeignDatabaseError(Exception):
    """The file is none that this version may touch; ``args[0]`` says why."""


class AlteredDatabaseError(Exception):
    """The file says that it is ours, and is not as we make it; ``args[0]`` says in what."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps a file has taken.

    Raises:
        ForeignDatabaseError: more than there are.
        AlteredDatabaseError: no number of steps.
    """
    (version,) = connection.execute('PRAGMA user_version').fetchone()
    if version > len(STEPS):
        raise ForeignDatabaseError('was written by a newer parproc')
    if not isinstance(version, int) or version < 0:
        raise AlteredDatabaseError('its version is none')
    return version


def settle(connection: sqlite3.Connection) -> None:
    """Bring a file to the present form, all or nothing; of several processes that want to, one does.

    Raises:
        ForeignDatabaseError: it is not ours, or was written by a newer parproc; it stays as it is.
        AlteredDatabaseError: it is not as we make it.
        sqlite3.Error: it cannot be read or changed.
    """
    version = version_of(connection)
    _check(connection, version)
    if version == len(STEPS):
        return
    connection.execute('BEGIN IMMEDIATE')
    try:
        version = version_of(connection)
        _check(connection, version)
        _take(connection, STEPS[version:])
        connection.execute(f'PRAGMA user_version = {len(STEPS)}')
        connection.execute('COMMIT')
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute('ROLLBACK')
        raise


def _check(connection: sqlite3.Connection, version: int) -> None:
    found, expected = _shape(connection), _shape_after(STEPS[:version])
    if found == expected:
        return
    if version == 0:
        raise ForeignDatabaseError('is not a history of parproc')
    strange = min(found ^ expected, key=str)
    raise AlteredDatabaseError(f'its {strange[0]} {strange[1]} is not as parproc makes it')


def _take(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    for step in steps:
        for statement in filter(str.strip, step.split(';')):
            connection.execute(statement)


def _shape_after(steps: Sequence[str]) -> Shape:
    """Return what a file holds that has taken ``steps``."""
    with contextlib.closing(sqlite3.connect(':memory:', isolation_level=None)) as connection:
        _take(connection, steps)
        return _shape(connection)


def _shape(connection: sqlite3.Connection) -> Shape:
    """Return every entry of a file's schema, with the text that it was made by."""
    rows = connection.execute('SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT ?', (MOST_ENTRIES,))
    return set(rows)
