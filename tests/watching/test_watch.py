"""pp.watch: what changed files affect runs again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from parproc import ProcState, Session, UserError
from parproc.watching.scanner import TICK_NANOSECONDS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    (tmp_path / 'a.txt').write_text('1')
    (tmp_path / 'b.txt').write_text('10')
    wait_until_older(tmp_path / 'b.txt')
    return tmp_path


def wait_until_older(path: Path) -> None:
    """Return when a file is so old that what starts now must have seen it."""
    while time.time_ns() <= path.stat().st_ctime_ns + 2 * TICK_NANOSECONDS:
        continue


def rounds(session: Session, *names: str, steps: list[Any]) -> list[dict[str, object]]:
    """Watch, do the next of some steps whenever all is over, and return the results of each round."""
    seen: list[dict[str, object]] = []
    left = iter(steps)

    def settled() -> bool:
        seen.append(session.results())
        step = next(left, None)
        if step is not None:
            step()
        return step is not None

    session.watch(*names, on_settled=settled)
    return seen


def edit(path: Path, text: str, first: Callable[[], None]) -> Callable[[], None]:
    def step() -> None:
        first()
        path.write_text(text)

    return step


def reader(name: str) -> Any:
    return lambda context: int(Path(name).read_text())


def summing(session: Session) -> None:
    session.Proc('a', reader('a.txt'), inputs=['a.txt'])
    session.Proc('b', reader('b.txt'), inputs=['b.txt'])
    session.Proc('sum', lambda context: context.results['a'] + context.results['b'], deps=['a', 'b'])


@pytest.mark.parametrize('mode', ['mp', 'single'])
def test_what_a_change_affects_runs_again_and_nothing_else(folder: Path, mode: Literal['mp', 'single']) -> None:
    session = Session(mode=mode)
    summing(session)
    session.Proc('runs_of_b', lambda c: os.stat('b.txt').st_ino, deps=['b'])
    starts: list[object] = []

    def note() -> None:
        starts.append(session.get_procs()['b'].start_time)

    steps = [edit(folder / 'a.txt', text, note) for text in '23']
    seen = rounds(session, 'sum', 'runs_of_b', steps=steps)
    assert [result['sum'] for result in seen] == [11, 12, 13]
    assert session.get_procs()['b'].start_time == starts[0] == starts[1]
    session.clear()


def test_a_failure_is_repaired_by_the_next_change(folder: Path) -> None:
    session = Session()
    summing(session)
    states: list[ProcState] = []

    def note() -> None:
        states.append(session.get_procs()['sum'].state)

    seen = rounds(session, 'sum', steps=[edit(folder / 'a.txt', text, note) for text in ('no number', '5')])
    assert states == [ProcState.SUCCEEDED, ProcState.FAILED]
    assert seen[1] == {'a': None, 'b': 10}
    assert seen[2] == {'a': 5, 'b': 10, 'sum': 15}
    session.clear()


def test_what_changes_while_it_runs_runs_again_before_its_dependents(folder: Path) -> None:
    os.mkfifo(folder / 'go')
    session = Session()

    def slow(_context: object) -> int:
        value = int((folder / 'a.txt').read_text())
        print('read', value)
        if value == 1:
            deadline = time.monotonic() + 20
            while not (folder / 'ready').exists() and time.monotonic() < deadline:
                continue
            (folder / 'a.txt').write_text('2')  # as an editor would, meanwhile
            with (folder / 'seen').open('w') as file:
                file.write('x')
            (folder / 'go').open().read()
        return value

    def release(_context: object) -> None:
        if not (folder / 'ready').exists():
            (folder / 'ready').touch()
            return
        with (folder / 'go').open('w') as file:
            file.write('go')

    session.Proc('slow', slow, inputs=['a.txt'])
    session.Proc('after', lambda context: context.results['slow'], deps=['slow'])
    session.Proc('release', release, inputs=['seen'])
    seen = rounds(session, 'after', 'release', steps=[])
    assert seen == [{'slow': 2, 'after': 2, 'release': None}]
    log = session.get_procs()['slow'].log_filename
    assert log is not None
    assert Path(log).read_text() == 'read 2\n'
    session.clear()


def test_what_a_proc_makes_itself_or_before_it_starts_does_not_affect_it(folder: Path) -> None:
    session = Session()

    def make(_context: object) -> int:
        (folder / 'made.txt').write_text((folder / 'a.txt').read_text())
        with (folder / 'count').open('a') as file:
            file.write('make ')
        wait_until_older(folder / 'made.txt')
        return 1

    def use(_context: object) -> str:
        with (folder / 'count').open('a') as file:
            file.write('use ')
        return (folder / 'made.txt').read_text()

    session.Proc('make', make, inputs=['*.txt'], inputs_ignore=['b.*', 'made.txt'])
    session.Proc('use', use, deps=['make'], inputs=['made.txt'])

    def change_what_is_ignored_and_made() -> None:
        (folder / 'b.txt').touch()
        (folder / 'made.txt').unlink()

    steps: list[Callable[[], object]] = [
        lambda: (folder / 'a.txt').write_text('2'),
        change_what_is_ignored_and_made,
    ]
    seen = rounds(session, 'use', steps=steps)
    assert [result['use'] for result in seen[:2]] == ['1', '2']
    assert (folder / 'count').read_text().split() == ['make', 'use', 'make', 'use', 'use']
    session.clear()


def test_inputs_are_filled_and_asked_for_and_come_with_new_procs(folder: Path) -> None:
    session = Session()
    session.set_params(KIND='txt')
    session.Proto(
        'read::[name]', lambda context, name: reader(f'{name}.txt')(context), inputs=['{name}.{KIND}', 'env:HOME']
    )
    session.Proc('asked', reader('b.txt'), inputs=[lambda context: [Path(context.params['KIND']), 'b.txt']])

    def parent(context: Any) -> int:
        context.wait('read::a')
        return int(context.results['read::a'])

    session.Proc('parent', parent)
    steps = [lambda: (folder / 'a.txt').write_text('2'), lambda: (folder / 'b.txt').write_text('20')]
    seen = rounds(session, 'parent', 'asked', steps=steps)
    assert [(result['parent'], result['asked']) for result in seen] == [(1, 10), (2, 10), (2, 20)]
    session.clear()


def test_a_request_that_cannot_be_watched_is_refused(folder: Path) -> None:
    session = Session()
    session.Proc('plain', lambda context: (folder / 'ran').touch())
    with pytest.raises(UserError, match='nothing to watch'):
        session.watch('plain')
    assert not (folder / 'ran').exists()
    session.Proc('other', lambda context: 1, inputs=[lambda: 5])
    with pytest.raises(UserError, match='none of these procs has inputs'):
        session.watch('plain')
    with pytest.raises(UserError, match='a callable returned 5'):
        session.watch('other')
    with pytest.raises(UserError, match='missing'):
        session.watch('missing')
    session.Proc('within', lambda context: session.watch())
    session.run('within')
    assert not session.wait_for_all(exception_on_failure=False)
    assert 'inside a running proc' in session.get_procs()['within'].more_info
    session.clear()


SCRIPT = """
import parproc as pp

@pp.Proc('a', inputs=['a.txt'])
def a(context):
    return open('a.txt').read()

if __name__ == '__main__':
    pp.start('a')
    pp.watch(on_settled=lambda: print(pp.results()['a'], flush=True))
"""


def test_ctrl_c_ends_the_watching_and_leaves_nothing(folder: Path) -> None:
    (folder / 'tasks.py').write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, 'tasks.py'],
        env={**os.environ, 'PYTHONPATH': root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        timer = subprocess.Popen(['sh', '-c', f'sleep 60; kill -9 {process.pid}'], start_new_session=True)
        try:
            assert process.stdout.readline() == '1\n'
            (folder / 'a.txt').write_text('2')
            assert process.stdout.readline() == '2\n'
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(30) == -signal.SIGINT
            assert 'KeyboardInterrupt' in process.stderr.read()  # which ends when the last who holds it does
        finally:
            os.killpg(timer.pid, 9)
            timer.wait()
    assert not [path for path in folder.iterdir() if path.name.startswith('parproc-')]
