"""A state folder that came with somebody else's project: nothing in it runs, hangs, reaches out or breaks a list."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from parproc.core.attempt import Attempt
from parproc.core.durations import format_duration
from parproc.core.model import ProcState
from parproc.store import query_limits
from parproc.store.history import History
from parproc.store.read_rows import RunRecord
from parproc.store.run_folder import RunFolder
from parproc.store.state_folder import JOURNAL_MAGIC

ENDLESS = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setenv('TMPDIR', str(tmp_path / 'tmp'))
    return tmp_path / '.parproc'


@pytest.fixture
def history(root: Path) -> Iterator[History]:
    path = str(root / 'parproc.db')
    made = History(path, str(root))
    made.begin('first', ['t'], 100.0)
    made.want(['a', 'b'])
    made.record([attempt('a')])
    made.end(0, 110.0)
    made.close()
    made = History(path, str(root))
    yield made
    made.close()


def attempt(name: str) -> Attempt:
    return Attempt(name, 1, 100.0, 101.0, ProcState.SUCCEEDED, None, '', 1.0)


def change(root: Path, *statements: str) -> None:
    connection = sqlite3.connect(root / 'parproc.db', isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def use(history: History) -> tuple[dict[str, float], list[str], list[RunRecord], list[Attempt]]:
    """Do with a history all that there is to do."""
    found = history.expected(['a', 'b']), history.last_failed(), history.runs(20), history.trend('a', 20)
    history.begin('second', ['t'], 200.0)
    history.want(['a'])
    history.record([attempt('a')])
    history.flush()
    history.end(0, 210.0)
    return found


# --- what would run --------------------------------------------------------------------------------------------------

HOSTILE = {
    'trigger': f'CREATE TRIGGER t AFTER INSERT ON runs BEGIN INSERT INTO unfinished SELECT NULL, 1, ({ENDLESS}); END',
    'view': f'CREATE VIEW v AS {ENDLESS}',
    'table': 'CREATE TABLE more (x)',
    'column': 'ALTER TABLE procs ADD COLUMN more',
    'generated': 'ALTER TABLE procs ADD COLUMN more AS (hex(zeroblob(1000000)))',
    'index': 'CREATE INDEX more ON runs (hex(targets))',
    'virtual': 'CREATE VIRTUAL TABLE more USING fts5(x)',
}


@pytest.mark.parametrize('what', HOSTILE)
def test_a_file_with_more_in_it_than_parproc_makes_is_moved_aside(what: str, root: Path, history: History) -> None:
    change(root, HOSTILE[what])
    use(history)
    assert 'not as parproc makes it' in (history.warning or '')
    assert (root / 'parproc.db.damaged').exists()
    assert [run.run_id for run in history.runs(5)] == ['second']


def test_a_view_in_the_place_of_a_table_is_not_read(root: Path, history: History) -> None:
    change(root, 'DROP TABLE procs', f'CREATE VIEW procs AS SELECT "a" AS name, ({ENDLESS}) AS expected')
    use(history)
    assert 'not as parproc makes it' in (history.warning or '')


def test_what_is_named_strangely_cannot_act_in_the_warning(root: Path, history: History) -> None:
    change(root, 'CREATE TABLE "\x1b]0;x\x07\nb" (x)')
    use(history)
    assert '\x1b' not in (history.warning or '') and '\n' not in (history.warning or '')


def endless(connection: sqlite3.Connection) -> str:
    return str(connection.execute(ENDLESS).fetchone())


def test_a_query_that_takes_too_many_steps_is_given_up(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_limits, 'MOST_STEPS', 1_000_000)
    assert history._read(endless, 'nothing') == 'nothing'
    assert 'too long' in (history.warning or '')
    assert history.expected(['a']) == {'a': 1.0}


def test_an_interrupt_ends_a_query_at_once(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_limits, 'MOST_STEPS', 5_000_000_000)  # a minute, should no signal come
    began = threading.Lock()
    began.acquire()

    def interrupt() -> None:
        began.acquire()
        os.kill(os.getpid(), signal.SIGINT)

    def work(connection: sqlite3.Connection) -> object:
        connection.create_function('began', 0, began.release)  # no Python code, in which the signal would be handled
        return connection.execute(ENDLESS.replace('SELECT 1', 'SELECT coalesce(began(), 1)')).fetchone()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        history._read(work, None)
    interrupter.join()
    assert history.expected(['a']) == {'a': 1.0}
    assert history.warning is None


@pytest.mark.skipif(sys.version_info < (3, 11), reason='Python has no way to set it')
def test_a_gigantic_text_is_not_taken_in(root: Path, history: History) -> None:
    change(root, f"UPDATE runs SET targets = printf('%.{query_limits.LONGEST_TEXT_BYTES + 1}c', 'x')")
    assert use(history)[2] == []
    assert 'too big' in (history.warning or '')


# --- values that mean harm -------------------------------------------------------------------------------------------

NUMBERS = ('1e300', '-1e300', '9e999', '-9e999', '-1', '9223372036854775807', "'text'", "x'00ff'", "'1e300'", '1e12')


@pytest.mark.parametrize('value', NUMBERS)
def test_absurd_numbers_are_left_out(value: str, root: Path, history: History) -> None:
    change(
        root,
        f"UPDATE procs SET expected = {value}, recent = {value} || ' 1e300 nan inf -5'",
        *(
            f'INSERT INTO runs (run_id, started, ended, exit_code, targets) SELECT "x", {row}, "t"'
            for row in rows(3, value)
        ),
        *(f"INSERT INTO attempts SELECT 1, 'a', {row}, 'succeeded', NULL, '', {rest}" for row, rest in pairs(value)),
    )
    expected, _, runs, trend = use(history)
    assert expected == {}
    assert [run.run_id for run in runs if run.run_id != 'x'] == ['first']
    for run in runs:
        assert 0 <= run.started < 1e12 and (run.ended is None or 0 <= run.ended < 1e12)
    for one in trend:
        assert one.started is not None
        for number in (one.number, one.started, one.ended, one.seconds or 0, one.memory, one.cpu):
            assert 0 <= number < 1 << 61
        assert len(format_duration(one.seconds or 0)) < 20
    assert 'never wrote' in (history.warning or '')
    assert history.expected(['a']) == {'a': 1.0}


def rows(count: int, value: str) -> Iterator[str]:
    """Yield columns of which one is ``value``."""
    for place in range(count):
        yield ', '.join(value if place == here else '1' for here in range(count))


def pairs(value: str) -> Iterator[tuple[str, str]]:
    for first, second in itertools.zip_longest(rows(3, value), rows(3, value)):
        yield first, '1, 1, 1'
        yield '1, 1, 1', second


@pytest.mark.parametrize(
    'name', ["'a' || char(10) || char(27) || '[2J'", "''", "x'61'", "CAST(x'ff0061' AS TEXT)", '7']
)
def test_names_that_parproc_cannot_have_written_are_left_out(name: str, root: Path, history: History) -> None:
    change(root, f'INSERT INTO unfinished (run, name) VALUES (1, {name})')
    assert history.last_failed() in (['b'], ['b', '7'])
    assert 'never wrote' in (history.warning or '') or name == '7'


def test_states_and_errors_that_there_are_none_of_are_left_out(root: Path, history: History) -> None:
    change(root, "INSERT INTO attempts VALUES (1, 'a', 1, 1, 2, 'dancing', NULL, '', 1, 1, 1)")
    change(root, "INSERT INTO attempts VALUES (1, 'a', 1, 1, 2, 'failed', 'boredom', '', 1, 1, 1)")
    assert history.trend('a', 5) == [attempt('a')]


def test_numbers_of_runs_at_the_end_of_all_numbers_harm_nobody(root: Path, history: History) -> None:
    change(root, "INSERT INTO runs (id, run_id, started, targets) VALUES (9223372036854775807, 'x', 1, '')")
    use(history)
    assert history.warning is not None
    assert history.warning.count('\n') == 0


# --- files that reach out ----------------------------------------------------------------------------------------------


def journal_of_a_commit(root: Path, victim: Path) -> None:
    """A journal that is complete, and says that it belongs to a change of several files which ``victim`` lists."""
    with open(root / 'parproc.db', 'rb') as file:
        page = file.read(4096)
    header = JOURNAL_MAGIC + struct.pack('>IIIII', 1, 0, os.path.getsize(root / 'parproc.db') // 4096, 512, 4096)
    record = struct.pack('>I', 1) + page + struct.pack('>I', sum(page[place] for place in range(4096 - 200, 0, -200)))
    name = os.fsencode(victim)
    tail = struct.pack('>I', (1 << 30) // 4096 + 1) + name + struct.pack('>II', len(name), sum(name)) + JOURNAL_MAGIC
    (root / 'parproc.db-journal').write_bytes(header.ljust(512, b'\0') + record + tail)


def test_a_journal_that_would_remove_another_file_is_not_played_back(
    root: Path, history: History, tmp_path: Path
) -> None:
    victim = tmp_path / 'victim'
    victim.write_text('precious')
    journal_of_a_commit(root, victim)
    use(history)
    assert victim.exists()
    assert 'journal' in (history.warning or '')
    assert (root / 'parproc.db.damaged-journal').exists()


def test_such_a_journal_does_remove_it_where_nobody_looks(root: Path, history: History, tmp_path: Path) -> None:
    victim = tmp_path / 'victim'
    victim.write_text('precious')
    journal_of_a_commit(root, victim)
    change(root, 'SELECT count(*) FROM runs')
    assert not victim.exists()


def plant(path: Path, what: str, elsewhere: Path) -> None:
    if what == 'link':
        path.symlink_to(elsewhere)
    elif what == 'fifo':
        os.mkfifo(path)
    elif what == 'folder':
        path.mkdir()
    elif what == 'device':
        path.symlink_to('/dev/zero')
    else:
        if os.geteuid() != 0:
            pytest.skip('needs root to give a file away')
        path.touch()
        os.chown(path, 12345, 12345)


@pytest.mark.parametrize('what', ['link', 'fifo', 'folder', 'device', 'stranger'])
@pytest.mark.parametrize(
    'name', ['parproc.db', 'parproc.db-journal', 'parproc.db-wal', 'parproc.db-shm', 'parproc.db-runs']
)
def test_one_planted_file_makes_the_whole_folder_unusable(name: str, what: str, root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / 'elsewhere'
    root.mkdir(0o700)
    plant(root / name, what, elsewhere)
    found = os.lstat(root / name)
    history = History(str(root / 'parproc.db'), str(root))
    use(history)
    assert 'is not used' in (history.warning or '') and name in (history.warning or '')
    history.close()
    assert history.descriptors == []
    folder = RunFolder(str(root))
    assert folder.log_path('a').startswith(str(tmp_path / 'tmp'))
    assert name in (folder.warning or '')
    folder.close(failed=False)
    assert os.path.samestat(found, os.lstat(root / name))
    assert os.listdir(root) == [name]
    assert not elsewhere.exists()


@pytest.mark.parametrize('what', ['link', 'stranger', 'everybody'])
@pytest.mark.parametrize('name', ['', 'runs'])
def test_a_folder_that_others_could_have_filled_is_not_used_for_history_either(
    what: str, name: str, root: Path, history: History, tmp_path: Path
) -> None:
    before = (root / 'parproc.db').read_bytes()
    path = root / name if name else root
    if name:
        path.mkdir()
    if what == 'link':
        path.rename(tmp_path / 'elsewhere')
        path.symlink_to(tmp_path / 'elsewhere')
    elif what == 'everybody':
        path.chmod(0o777)
    else:
        if os.geteuid() != 0:
            pytest.skip('needs root to give a folder away')
        os.chown(path, 12345, 12345)
    assert use(history) == ({}, [], [], [])
    assert 'is not used' in (history.warning or '')
    assert (root / 'parproc.db').read_bytes() == before


# --- descriptors -------------------------------------------------------------------------------------------------------


def test_what_is_open_during_a_run_is_told(root: Path, history: History) -> None:
    before = {one for one in map(int, os.listdir('/dev/fd')) if is_open(one)}
    folder = RunFolder(str(root))
    folder.result_paths('a')
    history.begin('second', [], 1.0)
    opened = {one for one in map(int, os.listdir('/dev/fd')) if one not in before and is_open(one)}
    assert opened == {*history.descriptors, *folder.descriptors}
    assert len(opened) == 4
    history.close()
    folder.close(failed=False)
    assert (history.descriptors, folder.descriptors) == ([], [])


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_a_journal_of_a_run_that_was_killed_is_played_back(root: Path, history: History) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            connection = sqlite3.connect(root / 'parproc.db', isolation_level=None)
            connection.execute('PRAGMA cache_size = 1')
            connection.execute('PRAGMA cache_spill = 1')
            connection.execute('PRAGMA journal_mode = TRUNCATE')
            connection.execute('BEGIN IMMEDIATE')
            connection.execute("UPDATE runs SET targets = 'half done'")
            connection.execute(
                'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000) '
                'INSERT INTO unfinished SELECT NULL, 1, hex(randomblob(100)) FROM n'
            )
            assert Path(root / 'parproc.db-journal').stat().st_size > 0
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    assert history.last_failed() == ['b']
    assert [run.targets for run in history.runs(5)] == [('t',)]
    assert history.warning is None
