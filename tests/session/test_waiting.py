"""Waiting: values, limits of time, cancelling, and errors that tell the root."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import parproc as pp


def test_one_name_gives_its_value_and_anything_else_a_dict(session: pp.Session) -> None:
    def number(context: pp.ProcContext) -> int:
        return 1

    session.Proc('number', number)
    session.Proto('build::[env]', lambda context, env: env, arg_choices={'env': ['dev', 'prod']})
    assert session.wait('number') == session.wait(number) == 1
    assert session.wait(['number']) == {'number': 1}
    assert session.wait('build::prod') == 'prod'
    assert session.wait('build::*') == {'build::dev': 'dev', 'build::prod': 'prod'}
    assert session.wait('build::pr*') == {'build::prod': 'prod'}
    assert session.wait('number', 'build::dev') == {'number': 1, 'build::dev': 'dev'}
    assert session.wait() == {}


def test_functions_stand_for_their_procs_wherever_a_name_is_taken(session: pp.Session) -> None:
    @session.Proc('first')
    def first(context: pp.ProcContext) -> int:
        return 1

    @session.Proc('second', deps=[first])
    def second(context: pp.ProcContext) -> object:
        return context.results['first'] + 1

    @session.Proto('third::[n]', deps=[second])
    def third(context: pp.ProcContext, n: int) -> object:
        return n + context.results['second']

    assert session.create(third, n=5) == ['third::5']
    assert session.run(third, n=6) == ['third::6']
    assert session.start(second, [first]) == ['second', 'first']
    assert session.wait('third::5', 'third::6') == {'third::5': 7, 'third::6': 8}
    with pytest.raises(pp.UserError, match='no proc'):
        session.wait(lambda context: 1)


def test_a_wait_that_is_given_up_leaves_its_procs_running(processes: pp.Session) -> None:
    processes.Proc('slow', lambda context: signal.pause())
    processes.Proc('quick', lambda context: 'done')
    with pytest.raises(TimeoutError, match='"slow"'):
        processes.wait('slow', timeout=0.1)
    assert processes.get_procs()['slow'].state is pp.ProcState.RUNNING
    assert processes.wait('quick', timeout=60) == 'done'


@pytest.mark.parametrize('timeout', [-1, 'soon', float('nan'), True])
def test_a_limit_of_time_that_is_none_is_refused(session: pp.Session, timeout: Any) -> None:
    session.Proc('a', lambda context: 1)
    with pytest.raises(pp.UserError, match='timeout'):
        session.wait('a', timeout=timeout)


def test_cancelling_ends_a_proc_and_what_depends_on_it_and_nothing_else(processes: pp.Session, tmp_path: Path) -> None:
    fifo = tmp_path / 'fifo'
    __import__('os').mkfifo(fifo)
    processes.Proc('slow', lambda context: signal.pause())
    processes.Proc('after', lambda context: 1, deps=['slow'])
    processes.Proc('other', lambda context: open(fifo).read())
    processes.start('after', 'other')
    processes.cancel('slow')
    with pytest.raises(pp.ProcessError) as caught:
        processes.wait('slow', 'after')
    assert set(caught.value.failures.values()) == {'cancelled'}
    procs = processes.get_procs()
    assert procs['slow'].error is procs['after'].error is pp.ErrorKind.CANCELLED
    fifo.write_text('fine')
    assert processes.wait('other') == 'fine'
    processes.cancel('other')
    assert processes.wait('other') == 'fine'
    assert processes.results() == {'slow': None, 'other': 'fine'}


def test_an_unknown_name_cannot_be_cancelled(session: pp.Session) -> None:
    session.Proc('build', lambda context: 1)
    with pytest.raises(pp.UserError, match='build'):
        session.cancel('biuld')


def test_an_error_names_the_procs_at_the_root_with_the_end_of_their_logs(session: pp.Session) -> None:
    @session.Proc('load')
    def load(context: pp.ProcContext) -> None:
        raise FileNotFoundError('no such table')

    session.Proc('clean', lambda context: 1, deps=['load'])
    session.Proc('report', lambda context: 1, deps=['clean'])
    with pytest.raises(pp.ProcessError) as caught:
        session.wait('report')
    assert str(caught.value).startswith('"report" did not run: "load" failed: FileNotFoundError: no such table')
    assert caught.value.failures == {'load': 'FileNotFoundError: no such table'}
    if session.get_procs()['load'].log_filename is not None:  # in mode single it stood on the terminal
        notes = '\n'.join(getattr(caught.value, '__notes__', [])) if sys.version_info >= (3, 11) else str(caught.value)
        assert "raise FileNotFoundError('no such table')" in notes


def test_each_root_is_named_once(session: pp.Session) -> None:
    session.Proc('a', lambda context: 1 / 0)
    session.Proc('b', lambda context: 1, deps=['a'])
    session.Proc('c', lambda context: 1, deps=['a', 'b'])
    with pytest.raises(pp.ProcessError) as caught:
        session.wait('b', 'c')
    assert str(caught.value).count('ZeroDivisionError') == 1
    assert list(caught.value.failures) == ['a']


def test_results_have_what_ran(session: pp.Session) -> None:
    session.Proc('good', lambda context: 1)
    session.Proc('bad', lambda context: 1 / 0)
    session.Proc('held', lambda context: 1, deps=['bad'])
    session.start('good', 'held')
    assert not session.wait_for_all(exception_on_failure=False)
    assert session.results() == {'good': 1, 'bad': None}


def test_a_proc_waits_for_functions_and_gets_their_values(session: pp.Session) -> None:
    @session.Proc('inner')
    def inner(context: pp.ProcContext) -> int:
        return 5

    @session.Proto('part::[n]', now=True, arg_choices={'n': [1, 2]})
    def part(context: pp.ProcContext, n: int) -> int:
        return n

    @session.Proc('outer')
    def outer(context: pp.ProcContext) -> tuple[object, ...]:
        context.create('part::*')
        return context.wait(inner), context.wait('part::*'), context.wait(part, 'inner')['inner']

    with pytest.raises(pp.ProcessError, match='needs a value for n'):
        session.wait('outer')

    @session.Proc('better')
    def better(context: pp.ProcContext) -> tuple[object, ...]:
        return context.wait(inner), context.wait('part::*')

    assert session.wait('better') == (5, {'part::1': 1, 'part::2': 2})


class HereOnly:
    """Loads in the process that made it, and in no other."""

    def __init__(self) -> None:
        import os

        self.process = os.getpid()

    def __reduce__(self) -> tuple[Callable[[int], str], tuple[int]]:
        return load_in, (self.process,)


def load_in(process: int) -> str:
    import os

    if os.getpid() != process:
        raise SystemExit(0)
    return 'loaded'


def test_a_value_that_only_its_proc_can_load_is_no_harm_to_the_others(
    processes: pp.Session, capfd: pytest.CaptureFixture[str]
) -> None:
    processes.Proc('odd', lambda context: HereOnly())
    processes.Proc('good', lambda context: 1)
    processes.start('odd', 'good')
    processes.wait_for_all(exception_on_failure=False)
    assert processes.results() == processes.results() == {'odd': None, 'good': 1}
    assert capfd.readouterr().err.count('the result of "odd" cannot be read') == 1
