"""What is over may run once more: what failed, what has read another param since, what is asked to."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import parproc as pp


def counter(path: Path, name: str) -> Callable[[pp.ProcContext], int]:
    """A proc that returns how often it has been run, and fails as long as a file says so."""

    def call(context: pp.ProcContext) -> int:
        with open(path / name, 'a') as file:
            file.write('x')
        if (path / f'{name}.broken').exists():
            raise ValueError(f'{name} is broken')
        return (path / name).stat().st_size

    return call


def test_what_failed_runs_again_with_the_failed_deps_that_it_needs(session: pp.Session, tmp_path: Path) -> None:
    for name, deps in [('load', []), ('clean', []), ('report', ['load', 'clean'])]:
        session.Proc(name, counter(tmp_path, name), deps=deps)
    (tmp_path / 'load.broken').touch()
    with pytest.raises(pp.ProcessError):
        session.wait('report')
    (tmp_path / 'load.broken').unlink()
    session.run('report')
    assert session.wait('report') == 1
    assert session.results() == {'load': 2, 'clean': 1, 'report': 1}


def test_what_ended_well_does_not_run_again_unless_told(session: pp.Session, tmp_path: Path) -> None:
    session.Proc('base', counter(tmp_path, 'base'))
    session.Proc('top', counter(tmp_path, 'top'), deps=['base'])
    assert session.wait('top') == 1
    session.run('top')
    assert session.wait('top', 'base') == {'top': 1, 'base': 1}
    session.run('top', again=True)
    assert session.wait('top', 'base') == {'top': 2, 'base': 1}
    session.start('top', full=True)
    assert session.wait('top', 'base') == {'top': 3, 'base': 2}


def test_waiting_for_what_failed_raises_each_time_and_runs_nothing(session: pp.Session, tmp_path: Path) -> None:
    session.Proc('bad', counter(tmp_path, 'bad'))
    (tmp_path / 'bad.broken').touch()
    for _ in range(2):
        with pytest.raises(pp.ProcessError, match='bad is broken'):
            session.wait('bad')
    assert (tmp_path / 'bad').stat().st_size == 1


def test_another_value_of_a_param_that_was_read_is_a_reason_and_no_other(session: pp.Session, tmp_path: Path) -> None:
    session.Proc('reads', lambda context: (context.params['size'], counter(tmp_path, 'reads')(context)))
    session.Proc('uses', lambda context: (context.results['reads'], counter(tmp_path, 'uses')(context)), deps=['reads'])
    session.set_params(size=1, colour='red')
    assert session.wait('uses') == ((1, 1), 1)
    session.set_params(colour='blue')
    session.run('uses')
    assert session.wait('uses') == ((1, 1), 1)
    session.set_params(size=2)
    session.run('uses')
    assert session.wait('uses') == ((2, 2), 2)


def test_a_failure_that_is_mended_counts_no_more_for_no_failures(session: pp.Session, tmp_path: Path) -> None:
    session.Proc('flaky', counter(tmp_path, 'flaky'))
    session.Proc('publish', counter(tmp_path, 'publish'), deps=[pp.NO_FAILURES])
    (tmp_path / 'flaky.broken').touch()
    with pytest.raises(pp.ProcessError):
        session.wait('flaky')
    session.start('publish')
    assert not session.wait_for_all(exception_on_failure=False)
    (tmp_path / 'flaky.broken').unlink()
    session.run('flaky')
    session.run('publish')
    assert session.wait_for_all()
    assert session.wait('publish') == 1


def test_after_a_failure_the_program_knows_of_fail_fast_begins_anew(session: pp.Session, tmp_path: Path) -> None:
    session.set_options(fail_fast=True)
    session.Proc('bad', counter(tmp_path, 'bad'))
    session.Proc('good', counter(tmp_path, 'good'))
    (tmp_path / 'bad.broken').touch()
    with pytest.raises(pp.ProcessError):
        session.wait('bad')
    assert session.wait('good') == 1


def test_what_was_raised_is_not_raised_again_by_waiting_for_all(session: pp.Session) -> None:
    session.Proc('bad', lambda context: 1 / 0)
    session.Proc('worse', lambda context: context.args['x'])
    with pytest.raises(pp.ProcessError):
        session.wait('bad')
    assert session.wait_for_all()
    session.start('worse')
    with pytest.raises(pp.ProcessError) as caught:
        session.wait_for_all()
    assert list(caught.value.failures) == ['worse']
    assert session.wait_for_all()


def test_a_proc_may_run_what_failed_again_from_inside(session: pp.Session, tmp_path: Path) -> None:
    session.Proc('inner', counter(tmp_path, 'inner'))

    def outer(context: pp.ProcContext) -> object:
        try:
            context.wait('inner')
        except pp.ProcessError:
            (tmp_path / 'inner.broken').unlink()
        context.run('inner')
        context.wait('inner')
        return context.results['inner']

    session.Proc('outer', outer)
    (tmp_path / 'inner.broken').touch()
    assert session.wait('outer') == 2


def test_again_and_full_are_no_arguments_of_a_proto(session: pp.Session) -> None:
    session.Proto('fit', lambda context, again: again)
    session.create('fit', 'fit-1', again='x')
    with pytest.raises(pp.UserError, match='again'):
        session.run('fit', 'fit-2', again='x')  # type: ignore[arg-type]


def test_declaring_a_name_again_is_an_error_that_names_the_way_out(session: pp.Session) -> None:
    session.Proc('a', lambda context: 1)
    with pytest.raises(pp.UserError, match='replace=True'):
        session.Proc('a', lambda context: 2)
    assert session.wait('a') == 1


def test_a_declaration_that_replaces_another_runs_in_its_place(session: pp.Session) -> None:
    session.Proc('a', lambda context: 1)
    session.Proc('b', lambda context: context.results['a'] * 10, deps=['a'])
    assert session.wait('b') == 10
    session.Proc('a', lambda context: 2, replace=True)
    assert session.get_procs()['a'].state is pp.ProcState.IDLE
    session.run('b', full=True)
    assert session.wait('b') == 20


def test_what_somebody_types_replaces_what_they_typed_before(
    session: pp.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'ps1', '>>> ', raising=False)
    session.Proto('fit::[x]', lambda context, x: x, arg_choices={'x': ['1', '2']})
    assert session.wait('fit::*') == {'fit::1': '1', 'fit::2': '2'}
    session.Proto('fit::[x]', lambda context, x: int(x) * 10, arg_choices={'x': ['2', '3']})
    assert session.wait('fit::*') == {'fit::2': 20, 'fit::3': 30}


def test_what_runs_is_ended_when_it_is_replaced_and_what_waits_for_it_goes_on_with_the_new_one(
    processes: pp.Session,
) -> None:
    processes.Proc('a', lambda context: signal.pause(), now=True)
    processes.Proc('b', lambda context: context.results['a'] + 1, deps=['a'], now=True)
    assert processes.get_procs()['a'].state is pp.ProcState.RUNNING
    processes.Proc('a', lambda context: 41, replace=True)
    assert processes.wait('b') == 42
    assert processes.wait_for_all()
