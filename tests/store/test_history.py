"""History: what it knows, and that nothing about its file can harm a run."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.attempt import Attempt, usual_seconds
from parproc.core.events import TaskFinished, TaskRetrying, TaskStarted, TaskWanted
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, Usage, failure
from parproc.core.view import RunBegan, RunEnded
from parproc.report.fanout import Reporters
from parproc.report.history_recorder import HistoryRecorder
from parproc.store import database
from parproc.store import history as history_module

ROOT = Path(__file__).parent.parent.parent
DEADLINE = 60
OPEN: list[History] = []


class History(history_module.History):
    """One that is closed with the test."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        OPEN.append(self)


@pytest.fixture(autouse=True)
def close_what_is_open() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def attempt(
    name: str,
    seconds: float = 1.0,
    state: ProcState = ProcState.SUCCEEDED,
    started: float = 100.0,
    error: ErrorKind | None = None,
) -> Attempt:
    return Attempt(name, 1, started, started + seconds, state, error, '' if error is None else error.value, seconds)


def failed(name: str, error: ErrorKind = ErrorKind.EXIT) -> Attempt:
    return attempt(name, state=ProcState.FAILED, error=error)


def never_ran(name: str) -> Attempt:
    return Attempt(name, 0, None, 100.0, ProcState.FAILED, ErrorKind.NOT_RUN, 'not run')


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / 'state' / 'parproc.db')


def run(
    path: str, *attempts: Attempt, wanted: Iterable[str] = (), run_id: str = 'id', code: int = 0, end: bool = True
) -> History:
    history = History(path)
    history.begin(run_id, ['t'], 100.0)
    history.want([*wanted, *(one.name for one in attempts)])
    history.record(attempts)
    history.flush()
    if end:
        history.end(code, 110.0)
        history.close()
    return history


def test_it_knows_runs_trends_and_usual_times(path: str) -> None:
    run(path, attempt('a', 2.0), attempt('b', 3.0), failed('c'), run_id='one', code=1)
    run(path, attempt('a', 4.0, started=200.0), run_id='two')
    history = History(path)
    assert history.expected(['a', 'b', 'c', 'unknown']) == {'a': 4.0, 'b': 3.0}
    assert [(one.run_id, one.exit_code, one.targets, one.abandoned) for one in history.runs(10)] == [
        ('two', 0, ('t',), False),
        ('one', 1, ('t',), False),
    ]
    assert [one.run_id for one in history.runs(1)] == ['two']
    assert history.trend('a', 10) == [attempt('a', 4.0, started=200.0), attempt('a', 2.0)]
    assert history.trend('c', 10)[0].error is ErrorKind.EXIT
    assert history.warning is None
    history.close()


def test_nothing_is_made_by_reading(path: str) -> None:
    history = History(path)
    assert (history.expected(['a']), history.last_failed(), history.runs(5), history.trend('a', 5)) == ({}, [], [], [])
    assert not os.path.exists(os.path.dirname(path))


def test_the_last_failed_are_those_that_failed_or_never_ran(path: str) -> None:
    run(path, failed('x'))
    run(path, failed('b'), attempt('a'), never_ran('c'), attempt('d', state=ProcState.UP_TO_DATE), wanted=['e'])
    assert History(path).last_failed() == ['e', 'b', 'c']
    run(path, attempt('b'))
    assert History(path).last_failed() == []


def test_a_retry_that_ends_well_is_no_failure(path: str) -> None:
    run(path, failed('a'), attempt('a', 5.0))
    assert History(path).last_failed() == []


def test_a_failure_does_not_change_what_a_proc_usually_takes(path: str) -> None:
    run(path, attempt('a', 4.0))
    run(path, attempt('a', 0.1, ProcState.FAILED, error=ErrorKind.EXIT), attempt('a', 0.1, ProcState.SKIPPED))
    assert History(path).expected(['a']) == {'a': 4.0}


def test_only_the_latest_durations_are_kept(path: str) -> None:
    for number in range(30):
        run(path, attempt('a', float(number)))
    with sqlite3.connect(path) as connection:
        recent = connection.execute('SELECT recent FROM procs').fetchone()[0].split()
    connection.close()
    assert recent == [str(number) for number in range(29, 9, -1)]


def test_names_that_are_no_text_are_kept_apart_and_found(path: str) -> None:
    names = ['a\udcff', 'é', '文', "'; DROP TABLE runs; --", 'a' * 5000]
    run(path, *(attempt(name, float(number)) for number, name in enumerate(names, 1)))
    history = History(path)
    assert history.expected(names) == {name: float(number) for number, name in enumerate(names, 1)}
    assert len(history.trend('a\udcff', 5)) == 1
    history.close()


def test_a_thousand_names_are_looked_up(path: str) -> None:
    names = [f'p{number}' for number in range(1500)]
    run(path, *(attempt(name) for name in names))
    assert len(History(path).expected(names)) == 1500


# --- a run that was killed -----------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from parproc.store.history import History
from tests.store.test_history import attempt
history = History(sys.argv[1])
history.begin('killed', [], 1.0)
history.want(['a', 'b'])
history.record([attempt('a')])
history.flush()
print('ready', flush=True)
sys.stdin.read()
"""


def child(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, '-c', code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        cwd=ROOT,
    )


def test_a_killed_run_is_abandoned_and_one_that_goes_on_is_not(path: str) -> None:
    with child(KILLED, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'ready\n'
        history = History(path)
        assert [one.abandoned for one in history.runs(5)] == [False]
        history.close()
        process.kill()
        process.wait(DEADLINE)
    history = History(path)
    assert [(one.abandoned, one.ended) for one in history.runs(5)] == [(True, None)]
    assert history.last_failed() == ['b']
    history.close()


def test_a_forked_child_does_nothing(path: str) -> None:
    history = run(path, attempt('a'), end=False)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            history.record([attempt('child')])
            history.flush()
            history.end(9, 1.0)
            history.close()
            code = 0 if history.expected(['a']) == {} else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    history.record([attempt('b')])
    history.end(0, 111.0)
    history.close()
    history = History(path)
    assert history.expected(['a', 'b', 'child']) == {'a': 1.0, 'b': 1.0}
    assert history.runs(1)[0].exit_code == 0
    history.close()


# --- a file that is no good ----------------------------------------------------------------------------------------


def spoil_garbage(path: str) -> None:
    Path(path).write_bytes(os.urandom(20_000))


def spoil_truncated(path: str) -> None:
    run(path, *(attempt(f'p{number}') for number in range(500)))
    os.truncate(path, 6000)


def spoil_middle(path: str) -> None:
    run(path, *(attempt(f'p{number}') for number in range(500)))
    with open(path, 'r+b') as file:
        file.seek(4096)
        file.write(os.urandom(os.path.getsize(path) - 4096))


def spoil_newer(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute('PRAGMA user_version = 99')
    connection.close()


def spoil_foreign(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE mine (x)')
    connection.close()


def spoil_schema(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE runs (x)')
    connection.execute('PRAGMA user_version = 1')
    connection.close()


SPOILERS = [spoil_garbage, spoil_truncated, spoil_middle, spoil_schema]


@pytest.mark.parametrize('spoil', SPOILERS)
def test_a_file_that_is_no_good_is_moved_aside_with_one_warning(path: str, spoil: Callable[..., object]) -> None:
    os.makedirs(os.path.dirname(path))
    spoil(path)
    history = History(path)
    history.expected(['a'])
    history.last_failed()
    history.begin('id', [], 1.0)
    history.record([attempt('a')])
    history.end(0, 2.0)
    assert history.expected(['a']) == {'a': 1.0}
    assert 'moved aside' in (history.warning or '')
    assert '\n' not in (history.warning or '')
    history.close()
    aside = [name for name in os.listdir(os.path.dirname(path)) if name.endswith('.damaged')]
    assert len(aside) == 1
    history = History(path)
    assert history.expected(['a']) == {'a': 1.0}
    assert history.warning is None
    history.close()


@pytest.mark.parametrize(('spoil', 'why'), [(spoil_newer, 'newer parproc'), (spoil_foreign, 'not a history')])
def test_a_file_that_is_not_for_this_version_stays_as_it_is_and_is_done_without(
    path: str, spoil: Callable[..., object], why: str
) -> None:
    os.makedirs(os.path.dirname(path))
    spoil(path)
    before = Path(path).read_bytes()
    history = History(path)
    assert history.expected(['a']) == {}
    history.begin('id', [], 1.0)
    history.record([attempt('a')])
    history.end(0, 2.0)
    assert why in (history.warning or '')
    history.close()
    assert Path(path).read_bytes() == before
    assert [name for name in os.listdir(os.path.dirname(path)) if 'damaged' in name] == []


def test_a_file_that_becomes_newer_during_a_run_is_left_alone_from_then_on(path: str) -> None:
    history = run(path, attempt('a'), end=False)
    spoil_newer(path)
    before = Path(path).read_bytes()
    history.record([attempt('b')])
    history.end(0, 2.0)
    assert 'newer parproc' in (history.warning or '')
    history.close()
    assert Path(path).read_bytes() == before


def test_a_file_that_is_removed_during_a_run_is_made_anew(path: str) -> None:
    history = run(path, attempt('a'), end=False)
    shutil.rmtree(os.path.dirname(path))
    history.record([attempt('b')])
    history.end(0, 2.0)
    assert history.warning is None
    history.close()
    history = History(path)
    assert [one.exit_code for one in history.runs(5)] == [0]
    assert history.expected('ab') == {'b': 1.0}


def test_what_cannot_be_moved_aside_is_done_without(path: str) -> None:
    os.makedirs(f'{path}.damaged/in the way')
    spoil_garbage(path)
    history = run(path, attempt('a'))
    assert 'cannot be moved aside' in (history.warning or '')
    assert os.path.exists(path)


def test_damage_in_the_middle_of_a_run_starts_history_anew(path: str) -> None:
    history = run(path, attempt('a'), end=False)
    spoil_garbage(path)
    history.record([attempt('b')])
    history.end(0, 2.0)
    assert 'damaged' in (history.warning or '')
    history.close()
    history = History(path)
    assert [one.exit_code for one in history.runs(5)] == [0]
    assert history.expected(['b']) == {'b': 1.0}
    history.close()


def test_a_file_that_another_run_has_put_in_place_is_not_moved(path: str) -> None:
    history = run(path, attempt('a'), end=False)
    spoil_garbage(path)
    run(path, attempt('b'))
    history.record([attempt('c')])
    history.end(0, 2.0)
    assert history.warning is None
    assert set(History(path).expected('abc')) == {'b', 'c'}


def test_a_file_that_took_the_place_of_a_bad_one_while_that_was_opened_stays(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.makedirs(os.path.dirname(path))
    spoil_garbage(path)
    real = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **options)
        monkeypatch.setattr(sqlite3, 'connect', real)
        os.replace(path, f'{path}.moved')  # what another process does that has found out first
        run(path, attempt('other'))
        return connection

    monkeypatch.setattr(sqlite3, 'connect', connect)
    run(path, attempt('mine'))
    assert set(History(path).expected(['mine', 'other'])) == {'mine', 'other'}


@pytest.mark.parametrize('spoil', [spoil_garbage, spoil_schema])
def test_of_two_that_find_a_bad_file_one_moves_it(path: str, spoil: Callable[..., object]) -> None:
    os.makedirs(os.path.dirname(path))
    spoil(path)
    code = (
        'import sys; from tests.store.test_history import *; sys.stdin.read(1); run(sys.argv[1], attempt(sys.argv[2]))'
    )
    processes = [child(code, path, name) for name in 'abcd']
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b'x')
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
    assert set(History(path).expected('abcd')) == set('abcd')


def test_an_unwritable_place_is_done_without(tmp_path: Path) -> None:
    (tmp_path / 'state').write_text('a file where a folder is expected')
    history = run(str(tmp_path / 'state' / 'parproc.db'), attempt('a'))
    assert 'cannot be used' in (history.warning or '')
    assert history.expected(['a']) == {}


def test_a_symbolic_link_is_not_followed(path: str, tmp_path: Path) -> None:
    os.makedirs(os.path.dirname(path))
    os.symlink(tmp_path / 'elsewhere', path)
    assert 'symbolic link' in (run(path, attempt('a')).warning or '')
    assert not (tmp_path / 'elsewhere').exists()


def test_a_full_disk_is_done_without(path: str) -> None:
    history = run(path, attempt('a'), end=False)
    connection = history._database._connection
    assert connection is not None
    connection.execute(f'PRAGMA max_page_count = {connection.execute("PRAGMA page_count").fetchone()[0]}')
    for number in range(50):
        history.record([failed(f'p{number}-{"x" * 500}')])
        history.flush()
    history.end(0, 2.0)
    assert 'full' in (history.warning or '')
    history.close()
    assert History(path).expected(['a']) == {'a': 1.0}


def test_a_locked_file_holds_nothing_up_and_is_written_when_it_is_free(path: str) -> None:
    run(path, attempt('a'))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute('BEGIN EXCLUSIVE')
    history = History(path)
    began = time.monotonic()
    history.begin('id', [], 1.0)
    for number in range(20):
        history.record([attempt(f'p{number}')])
        history.flush()
    assert time.monotonic() - began < 2.0
    holder.execute('ROLLBACK')
    holder.close()
    history.end(0, 2.0)
    assert history.warning is None
    assert len(history.expected([f'p{number}' for number in range(20)])) == 20
    history.close()


def test_a_file_that_stays_locked_is_done_without(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, 'PATIENT_SECONDS', 0.1)
    monkeypatch.setattr(database, 'READ_SECONDS', 0.1)
    run(path, attempt('a'))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute('BEGIN EXCLUSIVE')
    history = run(path, attempt('b'))
    assert 'locked' in (history.warning or '')
    assert history.expected(['a']) == {}
    holder.close()
    assert os.path.basename(path) in os.listdir(os.path.dirname(path))
    assert History(path).expected(['a', 'b']) == {'a': 1.0}


TWO = """
import sys
from parproc.store.history import History
from tests.store.test_history import attempt
path, who = sys.argv[1:]
sys.stdin.read(1)
for round_number in range(20):
    history = History(path)
    history.begin(f'{who}{round_number}', [], 1.0)
    for batch in range(10):
        names = [f'{who}-{round_number}-{batch}-{number}' for number in range(20)]
        history.want(names)
        history.record([attempt(name) for name in names])
        history.flush()
    history.end(0, 2.0)
    assert history.warning is None, history.warning
    history.close()
"""


def test_two_runs_at_once_lose_nothing(path: str) -> None:
    processes = [child(TWO, path, who) for who in 'ab']
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b'x')
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
    with sqlite3.connect(path) as connection:
        count, names = connection.execute('SELECT count(*), count(DISTINCT name) FROM attempts').fetchone()
        ended = connection.execute('SELECT count(*) FROM runs WHERE exit_code = 0 AND NOT abandoned').fetchone()[0]
    connection.close()
    assert (count, names, ended) == (8000, 8000, 40)


# --- what feeds it -------------------------------------------------------------------------------------------------


class RunBook:
    """A history in memory."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def begin(self, run_id: str, targets: Iterable[str], wall_time: float) -> None:
        self.calls.append(('begin', run_id, tuple(targets), wall_time))

    def want(self, names: Iterable[str]) -> None:
        self.calls += [('want', name) for name in names]

    def record(self, attempts: Iterable[Attempt]) -> None:
        self.calls += list(attempts)

    def flush(self) -> None:
        self.calls.append('flush')

    def end(self, exit_code: int, wall_time: float) -> None:
        self.calls.append(('end', exit_code, wall_time))


def test_the_stream_of_messages_becomes_history_in_batches() -> None:
    book = RunBook()
    reporters = Reporters([HistoryRecorder(book, 1000.0)])
    exit_2 = failure(ErrorKind.EXIT, 'exit 2')
    for message in (
        RunBegan('id', ('t',), 'LOGS', 4, 1, 1.0),
        TaskWanted('a', 1.0, (), 1.0),
        TaskWanted('b', 1.0, (), 1.0),
    ):
        reporters.handle(message)
    assert reporters.next_tick(1.0) == 1.0
    reporters.tick(1.0)
    assert book.calls == [('begin', 'id', ('t',), 1001.0), ('want', 'a'), ('want', 'b'), 'flush']
    assert reporters.next_tick(1.0) is None
    book.calls.clear()
    reporters.handle(TaskStarted('a', 1, 1.0))
    reporters.handle(TaskRetrying('a', 1, exit_2, 1.2, 1.1))
    reporters.handle(TaskStarted('a', 2, 1.2))
    reporters.tick(1.3)
    assert book.calls == []
    assert reporters.next_tick(1.3) == 2.0
    reporters.tick(2.0)
    assert book.calls == [
        Attempt('a', 1, 1001.0, 1001.1, ProcState.FAILED, ErrorKind.EXIT, 'exit 2', pytest.approx(0.1)),  # type: ignore[arg-type]
        'flush',
    ]
    book.calls.clear()
    reporters.handle(TaskFinished('a', Outcome(ProcState.SUCCEEDED, usage=Usage(0.5, 1 << 20)), 2, 1.2, 3.2))
    reporters.handle(TaskFinished('b', SUCCESS, 0, None, 3.2))
    reporters.handle(RunEnded(1, 3.5))
    assert book.calls == [
        Attempt('a', 2, 1001.2, 1003.2, ProcState.SUCCEEDED, None, '', 2.0, 1 << 20, 0.5),
        Attempt('b', 0, None, 1003.2, ProcState.SUCCEEDED),
        ('end', 1, 1003.5),
    ]


# --- the usual time ------------------------------------------------------------------------------------------------


def test_one_odd_run_hardly_moves_the_usual_time_and_three_in_a_row_do() -> None:
    assert usual_seconds([60.0, *[10.0] * 19]) == 10.0
    assert usual_seconds([60.0, 61.0, 62.0, *[10.0] * 17]) >= 10.0
    assert usual_seconds([60.0, 60.0, 60.0, 60.0, *[10.0] * 16]) == 60.0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_the_usual_time_splits_the_weight_of_the_latest_in_halves(durations: list[float]) -> None:
    usual = usual_seconds(durations)
    weights = [0.8**age for age in range(len(durations))][:20]
    latest = durations[:20]
    assert usual in latest
    half = sum(weights) / 2
    assert sum(weight for seconds, weight in zip(latest, weights, strict=True) if seconds < usual) < half + 1e-9
    assert sum(weight for seconds, weight in zip(latest, weights, strict=True) if seconds <= usual) >= half - 1e-9
