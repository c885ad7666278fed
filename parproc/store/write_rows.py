"""The rows of the history: what is written in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from parproc.core.attempt import REMEMBERED_RUNS, Attempt, usual_seconds
from parproc.core.model import ProcState
from parproc.store.read_rows import LONGEST_NAME_CHARACTERS, LONGEST_REASON_CHARACTERS, durations_in

NAMES_PER_STATEMENT = 500
MOST_TARGETS = 1_000
INSERT_ATTEMPT = (
    'INSERT INTO attempts (run, name, attempt, started, ended, state, error, reason, seconds, memory, cpu) '
    'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
)
REPLACE_PROC = 'INSERT OR REPLACE INTO procs (name, expected, recent, last_state, last_ended) VALUES (?, ?, ?, ?, ?)'


def storable(text: str) -> str:
    """Return text that SQLite takes: what is no character is spelled out."""
    return text if text.isascii() else text.encode('utf-8', 'backslashreplace').decode()


def storable_targets(targets: Iterable[str]) -> str:
    """Return what a run was asked for as one text, as far as anybody would ever read it."""
    return '\n'.join(islice(map(storable, targets), MOST_TARGETS))


def rows_of_names(connection: sqlite3.Connection, columns: str, names: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Yield two columns of the rows of ``procs`` for ``names``."""
    for start in range(0, len(names), NAMES_PER_STATEMENT):
        some = names[start : start + NAMES_PER_STATEMENT]
        marks = ', '.join('?' * len(some))
        yield from connection.execute(f'SELECT {columns} FROM procs WHERE name IN ({marks})', some)  # noqa: S608


def has_run(connection: sqlite3.Connection, run: int) -> bool:
    """Return whether a run is in the file, which may have been replaced since."""
    return connection.execute('SELECT 1 FROM runs WHERE id = ?', (run,)).fetchone() is not None


def add(connection: sqlite3.Connection, run: int, wanted: Iterable[str], attempts: Sequence[Attempt]) -> None:
    """Add what a run wants and what of it is over."""
    wanted_rows = [(run, storable(name)) for name in wanted if len(name) <= LONGEST_NAME_CHARACTERS]
    attempts = [one for one in attempts if len(one.name) <= LONGEST_NAME_CHARACTERS]
    connection.executemany('INSERT OR IGNORE INTO unfinished (run, name) VALUES (?, ?)', wanted_rows)
    rows = [
        (run, storable(one.name), one.number, one.started, one.ended, one.state.value,
         one.error.value if one.error is not None else None, storable(one.reason[:LONGEST_REASON_CHARACTERS]), one.seconds, one.memory, one.cpu)
        for one in attempts
    ]  # fmt: skip
    connection.executemany(INSERT_ATTEMPT, rows)
    good = [(run, storable(one.name)) for one in attempts if one.state.is_good]
    connection.executemany('DELETE FROM unfinished WHERE run = ? AND name = ?', good)
    _update_procs(connection, attempts)


def _update_procs(connection: sqlite3.Connection, attempts: Sequence[Attempt]) -> None:
    """Keep what a proc usually takes up to date, so that nobody ever has to look through its attempts."""
    names = list({storable(one.name) for one in attempts})
    recent = {
        name: durations_in(text, REMEMBERED_RUNS) for name, text in rows_of_names(connection, 'name, recent', names)
    }
    latest = {}
    for one in attempts:
        name = storable(one.name)
        latest[name] = one
        if one.state is ProcState.SUCCEEDED and one.seconds is not None:
            recent[name] = [one.seconds, *recent.get(name, ())][:REMEMBERED_RUNS]
    rows = []
    for name, one in latest.items():
        durations = recent.get(name)
        usual = usual_seconds(durations) if durations else None
        rows.append((name, usual, ' '.join(f'{each:.6g}' for each in durations or ()), one.state.value, one.ended))
    connection.executemany(REPLACE_PROC, rows)


def close_run(connection: sqlite3.Connection, run: int, exit_code: int, ended: float) -> None:
    """Note how a run ended, and forget what earlier ones had left unfinished."""
    connection.execute('UPDATE runs SET ended = ?, exit_code = ?, abandoned = 0 WHERE id = ?', (ended, exit_code, run))
    connection.execute('DELETE FROM unfinished WHERE run < ?', (run,))
