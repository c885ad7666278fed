"""What the library description shows, behaving as its text says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

import parproc as pp
from tests.conftest import Project


@pytest.fixture
def session() -> Iterator[pp.Session]:
    made = pp.Session(parallel=4)
    yield made
    made.clear()


def ended(session: pp.Session) -> list[str]:
    """Names in the order in which they ended."""
    done = [(info.end_time, name) for name, info in session.get_procs().items() if info.end_time is not None]
    return [name for _, name in sorted(done)]


def test_now_and_deps_as_a_parameters_default(session: pp.Session) -> None:
    @session.Proc(now=True)
    def func0(context: pp.ProcContext) -> int:
        return 0

    @session.Proc(now=True)
    def func1(context: pp.ProcContext) -> int:
        return 1

    @session.Proc(now=True)
    def func2(context: pp.ProcContext, deps: list[str] = ['func0', 'func1']) -> object:  # noqa: B006
        return context.results['func0'] + context.results['func1']

    assert session.wait_for_all()
    assert session.results() == {'func0': 0, 'func1': 1, 'func2': 1}
    assert session.get_procs()['func2'].deps == ('func0', 'func1')


def test_choices_and_globs(session: pp.Session) -> None:
    @session.Proto(name='build::[env]', arg_choices={'env': ['dev', 'prod']})
    def build(context: pp.ProcContext, env: str) -> str:
        return f'built_{env}'

    assert session.create('build::dev') == ['build::dev']
    names = session.create('build::*')
    assert names == ['build::dev', 'build::prod']
    session.start(*names)
    session.wait(*names)
    assert session.results() == {'build::dev': 'built_dev', 'build::prod': 'built_prod'}
    with pytest.raises(pp.UserError, match='dev, prod'):
        session.create('build::other')


def test_a_glob_without_choices_is_an_error(session: pp.Session) -> None:
    session.Proto('free::[x]', lambda context, x: x)
    with pytest.raises(pp.UserError, match='choices'):
        session.create('free::*')


def test_every_kind_of_dependency(session: pp.Session) -> None:
    session.Proto('build::[env]', lambda context, env: f'built_{env}')
    session.Proto('lint::[what]', lambda context, what: 'linted')
    session.Proto('provision::[env]', lambda context, env: 'provisioned')

    @session.Proto(
        name='deploy::[env]',
        deps=['build::[env]', 'lint::all', lambda ctx, env: f'provision::{env}', pp.NO_FAILURES],
    )
    def deploy(context: pp.ProcContext, env: str) -> list[str]:
        return sorted(context.results)

    session.run('deploy::prod')
    session.wait_for_all()
    assert session.results()['deploy::prod'] == ['build::prod', 'lint::all', 'provision::prod']


def test_a_plain_rdep_puts_the_declarer_first(session: pp.Session) -> None:
    session.Proc('setup', lambda context: 'initialized', rdeps=['deploy::[env]'])
    session.Proto('deploy::[env]', lambda context, env: context.results['setup'])
    session.run('deploy::prod')
    session.wait_for_all()
    assert session.results()['deploy::prod'] == 'initialized'


@pytest.fixture
def migrations(session: pp.Session) -> pp.Session:
    @session.Proto(name='migrate', rdeps=[pp.WhenScheduled('deploy::[env]')])
    def migrate(context: pp.ProcContext, env: str) -> str:
        return f'migrated_{env}'

    @session.Proto(name='deploy::[env]')
    def deploy(context: pp.ProcContext, env: str) -> str:
        return f'deployed_{env}'

    return session


def test_when_scheduled_does_nothing_for_the_target_alone(migrations: pp.Session) -> None:
    migrations.run('deploy::prod')
    migrations.wait_for_all()
    assert migrations.results() == {'deploy::prod': 'deployed_prod'}


@pytest.mark.parametrize('names', [['migrate::prod'], ['deploy::prod', 'migrate::prod']])
def test_when_scheduled_brings_the_target_along_and_goes_first(migrations: pp.Session, names: list[str]) -> None:
    migrations.start(names)
    migrations.wait_for_all()
    assert ended(migrations) == ['migrate::prod', 'deploy::prod']


def test_when_scheduled_too_late_is_an_error(migrations: pp.Session) -> None:
    migrations.run('deploy::prod')
    migrations.wait_for_all()
    with pytest.raises(pp.UserError, match='migrate::prod'):
        migrations.run('migrate::prod')


def test_waves_go_one_after_the_other(session: pp.Session) -> None:
    for name, wave in (('C', 2), ('B', 1), ('A', 0)):
        session.Proc(name, lambda context: None, wave=wave)
    session.start('A', 'B', 'C')
    session.wait_for_all()
    assert ended(session) == ['A', 'B', 'C']


def test_a_dependency_in_a_higher_wave_is_an_error(session: pp.Session) -> None:
    session.Proc('high', lambda context: None, wave=2)
    session.Proc('low', lambda context: None, wave=0, deps=['high'])
    with pytest.raises(pp.UserError, match='wave'):
        session.start('low')


def test_one_holder_of_a_lock_at_a_time(session: pp.Session, tmp_path: Path) -> None:
    @session.Proto(name='deploy::[env]', locks=['deploy-lock'])
    def deploy(context: pp.ProcContext, env: str) -> None:
        held = tmp_path / 'held'
        held.touch(exist_ok=False)
        held.unlink()

    session.start('deploy::dev', 'deploy::prod', 'deploy::test')
    assert session.wait_for_all()


def test_states(session: pp.Session) -> None:
    def skip(context: pp.ProcContext) -> None:
        raise pp.ProcSkippedError('nothing to do')

    session.Proc('idle', lambda context: None)
    session.Proc('skipped', skip)
    session.Proc('user', lambda context: 'ran', deps=['skipped'])
    session.Proc('bad', lambda context: 1 / 0)
    session.Proc('doomed', lambda context: None, deps=['bad'])
    session.start('user', 'doomed')
    assert session.wait_for_all(exception_on_failure=False) is False
    states = {name: info.state for name, info in session.get_procs().items()}
    assert states == {
        'idle': pp.ProcState.IDLE,
        'skipped': pp.ProcState.SKIPPED,
        'user': pp.ProcState.SUCCEEDED,
        'bad': pp.ProcState.FAILED,
        'doomed': pp.ProcState.FAILED,
    }
    assert session.results() == {'skipped': None, 'user': 'ran', 'bad': None}
    with pytest.raises(pp.ProcessError, match=r'ZeroDivisionError.*log: '):
        session.wait('bad')


def test_the_context(session: pp.Session) -> None:
    session.set_params(version='1.4')

    @session.Proto('show::[number]')
    def show(context: pp.ProcContext, number: int) -> object:
        context.run('plain')
        context.wait('plain')
        return context.proc_name, context.params, context.args, context.results['plain']

    session.Proc('plain', lambda context: 'plain result')
    session.run('show::7')
    session.wait_for_all()
    assert session.results()['show::7'] == ('show::7', {'version': '1.4'}, {'number': 7}, 'plain result')


@pytest.mark.parametrize('mode', ['mp', 'single'])
def test_modes_give_the_same(mode: Literal['mp', 'single']) -> None:
    session = pp.Session(mode=mode)
    session.Proc('a', lambda context: [1, 2])
    session.Proc('b', lambda context: sum(context.results['a']), deps=['a'])
    session.start('b')
    session.wait_for_all()
    assert session.results() == {'a': [1, 2], 'b': 3}
    session.clear()


def test_another_separator(session: pp.Session) -> None:
    session.set_options(name_param_separator='/')
    session.Proto('build/[env]', lambda context, env: env)
    session.run('build/prod')
    session.wait_for_all()
    assert session.results() == {'build/prod': 'prod'}


@pytest.mark.parametrize('options', [{'paralel': 3}, {'parallel': 0}, {'mode': 'fast'}])
def test_a_bad_option_is_an_error(session: pp.Session, options: dict[str, int] | dict[str, str]) -> None:
    with pytest.raises(pp.UserError):
        session.set_options(**options)


def test_module_functions_refuse_inside_a_child(session: pp.Session) -> None:
    def sneaky(context: pp.ProcContext) -> None:
        pp.run('x')

    session.Proc('sneaky', sneaky)
    session.run('sneaky')
    session.wait_for_all(exception_on_failure=False)
    assert 'inside a running proc' in session.get_procs()['sneaky'].more_info


def test_a_name_filled_out_by_arguments_and_by_itself_is_one_proc(session: pp.Session) -> None:
    session.Proto('build::[env]', lambda context, env: f'built_{env}')
    assert session.create('build::prod') == session.create('build::[env]', env='prod') == ['build::prod']
    assert session.run('build::prod') == ['build::prod']
    session.wait('build::prod')
    assert session.get_procs()['build::prod'].state is pp.ProcState.SUCCEEDED


def test_no_failures_holds_only_while_nothing_has_failed(session: pp.Session) -> None:
    session.Proc('bad', lambda context: 1 / 0)
    session.Proc('good', lambda context: None)
    session.Proc('careful', lambda context: None, deps=['good', pp.NO_FAILURES], wave=1)
    session.start('bad', 'good', 'careful')
    assert session.wait_for_all(exception_on_failure=False) is False
    assert session.get_procs()['careful'].state is pp.ProcState.FAILED


def test_plain_and_conditional_rdeps_stand_in_one_list(session: pp.Session) -> None:
    session.Proc('init', lambda context: None, rdeps=['app::[x]', pp.WhenScheduled('cleanup')])
    session.Proto('app::[x]', lambda context, x: None)
    session.Proc('cleanup', lambda context: None)
    session.run('app::one')
    session.wait_for_all()
    order = ended(session)
    assert order[0] == 'init'
    assert set(order[1:]) == {'app::one', 'cleanup'}


def test_procs_of_one_wave_run_side_by_side(session: pp.Session, tmp_path: Path) -> None:
    def meet(context: pp.ProcContext, own: str, other: str) -> None:
        (tmp_path / own).touch()
        deadline = time.monotonic() + 20
        while not (tmp_path / other).exists():
            assert time.monotonic() < deadline, 'the other one never came'
            time.sleep(0.005)

    session.Proto('meet::[own]::[other]', meet, wave=1)
    session.start('meet::a::b', 'meet::b::a')
    assert session.wait_for_all()


def test_a_dependency_that_nobody_declared_is_refused_when_that_is_not_allowed(session: pp.Session) -> None:
    session.Proc('user', lambda context: context.results['late::made'], deps=['late::made'])
    session.set_options(allow_missing_deps=False)
    with pytest.raises(pp.UserError, match='late::made'):
        session.start('user')


def test_the_options_of_the_description_are_taken(session: pp.Session) -> None:
    session.set_options(parallel=4, mode='mp', dynamic=True, name_param_separator='::', allow_missing_deps=True)


def test_the_module_is_a_session_of_its_own(project: Project) -> None:
    ran = project.script(
        """
        import time
        import parproc as pp

        @pp.Proc(now=True)
        def func0(context):
            time.sleep(0.01)

        @pp.Proc(now=True)
        def func2(context, deps=['func0']):
            return 'last'

        pp.wait_for_all()
        print(pp.results())
        """
    )
    assert (ran.code, ran.out) == (0, "{'func0': None, 'func2': 'last'}\n"), ran.err
