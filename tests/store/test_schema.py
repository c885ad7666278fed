"""The form of the database: every one that was released becomes the present one, and keeps what it knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from parproc.core.attempt import Attempt
from parproc.core.model import ErrorKind, ProcState
from parproc.store import schema
from parproc.store.history import History

RELEASED = {
    1: """
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
INSERT INTO runs VALUES (3, '20261101-120000-0000000', 1000.0, 1010.0, 1, 'all' || char(10) || 'more', 0);
INSERT INTO attempts VALUES (3, 'a', 1, 1000.0, 1002.5, 'succeeded', NULL, '', 2.5, 1048576, 0.5);
INSERT INTO attempts VALUES (3, 'b', 1, 1000.0, 1001.0, 'failed', 'exit', 'exit 2', 1.0, 0, 0.0);
INSERT INTO procs VALUES ('a', 2.5, '2.5', 'succeeded', 1002.5);
INSERT INTO procs VALUES ('b', NULL, '', 'failed', 1001.0);
INSERT INTO unfinished VALUES (2, 3, 'b');
PRAGMA user_version = 1;
"""
}
NEXT = """
ALTER TABLE procs ADD COLUMN colour TEXT;
INSERT INTO unfinished (run, name) SELECT run, 'c' FROM unfinished;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'parproc.db'


def build(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(RELEASED[version])
    connection.close()


def version_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    version: int = connection.execute('PRAGMA user_version').fetchone()[0]
    connection.close()
    return version


def check_all_is_known(history: History) -> None:
    assert history.expected(['a', 'b']) == {'a': 2.5}
    assert [(run.run_id, run.exit_code, run.targets) for run in history.runs(5)] == [
        ('20261101-120000-0000000', 1, ('all', 'more'))
    ]
    assert history.trend('a', 5) == [Attempt('a', 1, 1000.0, 1002.5, ProcState.SUCCEEDED, None, '', 2.5, 1048576, 0.5)]
    assert history.trend('b', 5)[0].error is ErrorKind.EXIT
    assert 'b' in history.last_failed()


def test_there_is_a_released_form_for_every_version() -> None:
    assert sorted(RELEASED) == list(range(1, len(schema.STEPS) + 1))


@pytest.mark.parametrize('version', RELEASED)
def test_every_released_form_keeps_what_it_knows(path: Path, version: int) -> None:
    build(path, version)
    history = History(str(path))
    check_all_is_known(history)
    history.begin('new', [], 2000.0)
    history.end(0, 2001.0)
    assert len(history.runs(5)) == 2
    assert history.warning is None
    history.close()
    assert version_of(path) == len(schema.STEPS)


@pytest.mark.parametrize('version', RELEASED)
def test_a_form_takes_the_steps_that_it_lacks_once(path: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    build(path, version)
    monkeypatch.setattr(schema, 'STEPS', (*schema.STEPS, NEXT))
    for _ in range(2):
        history = History(str(path))
        check_all_is_known(history)
        assert history.last_failed() == ['b', 'c']
        assert history.warning is None
        history.close()
        assert version_of(path) == len(RELEASED) + 1


def test_a_new_file_is_as_one_that_took_every_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, 'STEPS', (*schema.STEPS, NEXT))
    for _ in range(2):
        history = History(str(path))
        history.begin('id', [], 1.0)
        history.end(0, 2.0)
        assert history.warning is None
        history.close()


def test_steps_that_cannot_be_taken_change_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(path, 1)
    before = path.read_bytes()
    monkeypatch.setattr(schema, 'STEPS', (*schema.STEPS, NEXT + 'INSERT INTO nowhere VALUES (1)'))
    history = History(str(path))
    assert history.runs(5) == []
    assert 'cannot be used' in (history.warning or '')
    history.close()
    monkeypatch.undo()
    assert path.read_bytes()[100:] == before[100:]  # but for the header's count of changes
    history = History(str(path))
    check_all_is_known(history)
    history.close()


def test_an_older_form_with_more_in_it_takes_no_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(path, 1)
    connection = sqlite3.connect(path)
    connection.execute('CREATE TRIGGER t AFTER INSERT ON unfinished BEGIN DELETE FROM runs; END')
    connection.close()
    monkeypatch.setattr(schema, 'STEPS', (*schema.STEPS, NEXT))
    history = History(str(path))
    assert history.runs(5) == []
    assert 'trigger t is not as parproc makes it' in (history.warning or '')
    history.close()
    assert Path(f'{path}.damaged').exists()


def test_a_version_that_is_no_number_of_steps_is_damage(path: Path) -> None:
    build(path, 1)
    connection = sqlite3.connect(path)
    connection.execute('PRAGMA user_version = -1')
    connection.close()
    history = History(str(path))
    assert history.runs(5) == []
    assert 'moved aside' in (history.warning or '')
    history.close()
