"""What people test their task files with: loading one, asking what it plans, and running a proc with what it finds."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import parproc as pp
from parproc import testing

TASKS = """
import os
import parproc as pp

pp.set_params(VERSION='1')


@pp.Proto('build::[env]', arg_choices={'env': ['dev', 'prod']})
def build(context, env: str):
    return [env, context.params['VERSION']]


@pp.Proto('deploy::[env]', deps=['build::[env]'], locks=['[env]'], wave=1, env={'TARGET': 'moon'}, cwd='site')
def deploy(context, env: str):
    context.log(f'deploying {context.results[f"build::{env}"]}')
    context.progress(0.5, 'half')
    return os.getcwd(), os.environ['TARGET'], os.environ['PARPROC_NAME']


@pp.Proc(now=True)
def report(context):
    return context.extra_args
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'site').mkdir()
    (tmp_path / 'tasks.py').write_text(TASKS)
    return tmp_path


@pytest.fixture
def tasks(folder: Path) -> testing.LoadedSession:
    return testing.load(folder / 'tasks.py')


@pytest.fixture
def session() -> Iterator[pp.Session]:
    with pp.Session() as made:
        yield made


# --- loading ---------------------------------------------------------------------------------------------------------


def test_a_task_file_is_loaded_into_a_session_of_its_own(folder: Path) -> None:
    before = (os.getcwd(), dict(os.environ), pp.get_procs(), pp.get_protos())
    first, second = testing.load(folder / 'tasks.py'), testing.load(folder)
    for tasks in (first, second):
        assert list(tasks.get_protos()) == ['build::[env]', 'deploy::[env]']
        assert (list(tasks.get_procs()), tasks.folder) == (['report'], str(folder))
    assert (os.getcwd(), dict(os.environ), pp.get_procs(), pp.get_protos()) == before
    assert sorted(path.name for path in folder.iterdir()) == ['site', 'tasks.py']


def test_a_file_that_is_wrong_is_named_and_leaves_everything_as_it_was(folder: Path) -> None:
    (folder / 'tasks.py').write_text('import parproc as pp\n\npp.Proc("a", lambda context: 1, timeout="soon")\n')
    before = os.getcwd()
    with pytest.raises(pp.UserError, match=r'tasks\.py:3: .*not a length of time'):
        testing.load(folder)
    assert os.getcwd() == before
    assert pp.get_procs() == {}
    with pytest.raises(pp.UserError, match='task file not found'):
        testing.load(folder / 'none.py')


def test_params_win_over_what_the_file_sets(folder: Path) -> None:
    tasks = testing.load(folder, params={'VERSION': '2'})
    assert testing.run_proc('build::dev', session=tasks).result == ['dev', '2']


def test_variables_of_a_file_are_there_for_its_procs_only(folder: Path) -> None:
    (folder / 'parproc.toml').write_text('dotenv = [".env"]\n')
    (folder / '.env').write_text('FROM_A_FILE=yes\n')
    (folder / 'tasks.py').write_text(
        "import os\nimport parproc as pp\npp.Proc('read', lambda: os.environ['FROM_A_FILE'])\n"
    )
    tasks = testing.load(folder)
    assert 'FROM_A_FILE' not in os.environ
    assert testing.run_proc('read', session=tasks).result == 'yes'
    assert 'FROM_A_FILE' not in os.environ


# --- planning --------------------------------------------------------------------------------------------------------


def test_a_plan_is_what_would_run_in_order(tasks: testing.LoadedSession) -> None:
    assert testing.plan('deploy::prod', session=tasks) == [
        testing.PlannedProc('build::prod', (), 0, ()),
        testing.PlannedProc('deploy::prod', ('build::prod',), 1, ('prod',)),
    ]
    assert {proc.name for proc in testing.plan('build::', session=tasks)} == {'build::dev', 'build::prod'}
    assert [proc.name for proc in testing.plan('deploy::dev', session=tasks, only=True)] == ['deploy::dev']
    assert tasks.results() == {}


def test_without_targets_a_plan_is_that_of_a_run_that_names_none(tasks: testing.LoadedSession, folder: Path) -> None:
    assert [proc.name for proc in testing.plan(session=tasks)] == ['report']
    (folder / 'parproc.toml').write_text('default = ["build::dev"]\n')
    assert [proc.name for proc in testing.plan(session=testing.load(folder))] == ['build::dev']


def test_a_plan_is_refused_as_a_run_would_be(session: pp.Session, folder: Path) -> None:
    (folder / 'tasks.py').write_text('import parproc as pp\npp.Proc("a", lambda c: 1, deps=["b"])\n')
    with pytest.raises(pp.UserError, match='"b" of "a" is not declared'):
        testing.plan('a', session=testing.load(folder))
    with pytest.raises(pp.UserError, match='name a target'):
        testing.plan(session=session)
    with pytest.raises(pp.UserError, match='unknown proc "x"'):
        testing.plan('x', session=session)


# --- running ---------------------------------------------------------------------------------------------------------


def test_a_proc_finds_what_the_test_gives_and_its_own_surroundings(
    tasks: testing.LoadedSession, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (os.getcwd(), dict(os.environ))
    run = testing.run_proc('deploy::dev', session=tasks, results={'build::dev': 'it'})
    assert run.result == (str(folder / 'site'), 'moon', 'deploy::dev')
    assert (run.name, run.state, run.reason, run.exception) == ('deploy::dev', pp.ProcState.SUCCEEDED, '', None)
    assert run.context.logged == ['deploying it']
    assert run.context.progressed == [testing.Progress(0.5, 'half')]
    assert capsys.readouterr().out == 'deploying it\n'
    assert (os.getcwd(), dict(os.environ)) == before
    assert tasks.results() == {}
    elsewhere = testing.run_proc('deploy::dev', session=tasks, results={'build::dev': 'it'}, cwd=folder)
    assert elsewhere.result[0] == str(folder)


def test_params_of_one_run_are_no_others(tasks: testing.LoadedSession) -> None:
    assert testing.run_proc('build::dev', session=tasks, params={'VERSION': '9'}).result == ['dev', '9']
    assert testing.run_proc('build::dev', session=tasks).result == ['dev', '1']
    assert testing.run_proc('report', session=tasks, extra_args=['-x']).result == ['-x']


def test_a_declared_function_stands_for_its_proc_in_the_default_session() -> None:
    @pp.Proto('total::[place]')
    def total(context: Any, place: int, more: int = 0) -> int:
        return int(context.results['base']) + place + more

    try:
        assert testing.run_proc(total, args={'place': '3', 'more': 4}, results={'base': 1}).result == 8
        assert [proc.name for proc in testing.plan('total::2')] == ['total::2']
    finally:
        pp.clear()


def test_arguments_are_cast_and_checked_as_in_a_run(tasks: testing.LoadedSession, session: pp.Session) -> None:
    with pytest.raises(pp.UserError, match='"test" is not a choice for env'):
        testing.run_proc('build::test', session=tasks)
    with pytest.raises(pp.UserError, match='stands for 2 procs'):
        testing.run_proc('build::*', session=tasks)
    with pytest.raises(pp.UserError, match='unknown proc'):
        testing.run_proc('m', session=session)


def test_what_a_test_does_not_give_is_named(tasks: testing.LoadedSession, session: pp.Session) -> None:
    with pytest.raises(KeyError, match=r'"deploy::dev" has no result "build::dev": the test gives none'):
        testing.run_proc('deploy::dev', session=tasks)
    session.Proc('ask', lambda context: context.get_input('Sure?'))
    with pytest.raises(pp.UserError, match=r'nobody answers "Sure\?"'):
        testing.run_proc('ask', session=session)
    session.Proc('wait', lambda context: context.wait('ask'))
    with pytest.raises(KeyError, match='"wait" has no result "ask"'):
        testing.run_proc('wait', session=session)
    session.Proc('read', lambda context: context.params['NONE'])
    with pytest.raises(KeyError, match='no param NONE'):
        testing.run_proc('read', session=session)


def raising(error: BaseException) -> Any:
    def function(context: pp.ProcContext) -> None:
        context.log('on it')
        raise error

    return function


@pytest.mark.parametrize('error', [ValueError('bad'), pp.ProcFailedError('bad'), SystemExit(3)])
def test_what_fails_a_proc_is_raised_or_told(session: pp.Session, error: BaseException) -> None:
    session.Proc('a', raising(error))
    with pytest.raises(type(error)) as caught:
        testing.run_proc('a', session=session)
    assert caught.value is error
    run = testing.run_proc('a', session=session, check=False)
    assert (run.state, run.exception, run.result) == (pp.ProcState.FAILED, error, None)
    assert run.reason in {'ValueError: bad', 'bad', 'exit 3'}
    assert run.context.logged == ['on it']


def test_what_is_no_failure_is_not_raised(session: pp.Session) -> None:
    for name, error in (('skip', pp.ProcSkippedError('why')), ('same', pp.ProcNoChangeError()), ('exit', SystemExit())):
        session.Proc(name, raising(error))
    run = testing.run_proc('skip', session=session)
    assert (run.state, run.reason, type(run.exception)) == (pp.ProcState.SKIPPED, 'why', pp.ProcSkippedError)
    assert testing.run_proc('same', session=session).state is pp.ProcState.SUCCEEDED
    assert testing.run_proc('exit', session=session).reason == ''


def test_a_ctrl_c_in_a_proc_ends_the_test(session: pp.Session) -> None:
    session.Proc('a', raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        testing.run_proc('a', session=session, check=False)


def test_a_result_arrives_as_dependents_get_it(session: pp.Session) -> None:
    kept = {'large': b'x' * 100_000}
    session.Proc('a', lambda: kept)
    session.Proc('lock', lambda: {'x': threading.Lock()})
    result = testing.run_proc('a', session=session).result
    assert result == kept
    assert result is not kept
    run = testing.run_proc('lock', session=session, check=False)
    assert (run.state, run.result) == (pp.ProcState.FAILED, None)
    assert "not picklable: result['x'] is a _thread.lock" in run.reason


def test_a_proc_may_not_use_the_sessions_functions_as_in_a_run(session: pp.Session) -> None:
    session.Proc('a', lambda context: [context, pp.results()])
    with pytest.raises(pp.UserError, match='called inside a running proc'):
        testing.run_proc('a', session=session)
    assert pp.results() == {}


def test_an_async_function_is_run_to_its_end(session: pp.Session) -> None:
    async def answer(context: Any) -> int:
        return 42

    session.Proc('a', answer)
    assert testing.run_proc('a', session=session).result == 42


def test_what_commands_would_run_is_told_and_not_run(tmp_path: Path) -> None:
    (tmp_path / 'parproc.toml').write_text(
        '[params]\nPY = "python3"\n'
        '[proto."test::[what]"]\nrun = [["{PY}", "-m", "pytest", "{what}", "{extra_args}"], ["echo", "{what}"]]\n'
        '[proc.all]\ndeps = ["test::a"]\n'
    )
    tasks = testing.load(tmp_path)
    expected = [['pypy', '-m', 'pytest', 'a b', '-x', '-q'], ['echo', 'a b']]
    assert testing.commands('test::a b', session=tasks, params={'PY': 'pypy'}, extra_args=['-x', '-q']) == expected
    assert testing.commands('all', session=tasks) == []
    with pytest.raises(pp.UserError, match=r'has no function.*commands\(\)'):
        testing.run_proc('test::a', session=tasks)
    with pytest.raises(pp.UserError, match='only stands for what it depends on'):
        testing.run_proc('all', session=tasks)


# --- the fake context ------------------------------------------------------------------------------------------------


def test_a_function_can_be_called_with_a_context_alone() -> None:
    def function(context: pp.ProcContext, env: str) -> list[object]:
        context.run('build::[env]', env=env)
        context.start('a', ['b'])
        context.create('test', 'mine')
        found = context.wait('build::*', 'a')
        return [found, context.wait('a'), context.get_input('Name?'), context.get_input('Word?', password=True)]

    context = testing.FakeContext(results={'build::x': 1, 'a': None}, answers=['Ada', 'secret'])
    assert function(context, 'x') == [{'build::x': 1, 'a': None}, None, 'Ada', 'secret']
    assert (context.created, context.started) == (['build::x', 'mine'], ['build::x', 'a', 'b'])
    assert (context.waited, context.asked) == (['build::x', 'a', 'a'], ['Name?', 'Word?'])
    assert dict(context.results) == {'build::x': 1, 'a': None}


def test_with_a_session_names_are_those_it_knows(tasks: testing.LoadedSession) -> None:
    context = testing.FakeContext(session=tasks, results={'build::dev': 1, 'build::prod': 2})
    assert context.wait('build::*') == {'build::dev': 1, 'build::prod': 2}
    assert context.create('build::[env]', env='dev') == ['build::dev']
    with pytest.raises(pp.UserError, match='did you mean dev'):
        context.start('build::dve')


def test_a_proc_that_failed_is_an_exception_among_the_results() -> None:
    context = testing.FakeContext(results={'a': pp.ProcFailedError('no disk'), 'b': 1})
    with pytest.raises(pp.ProcessError, match='"a" failed: no disk'):
        context.wait('a', 'b')
    assert list(context.results) == ['b']
    with pytest.raises(KeyError):
        context.results['a']


def test_a_pattern_without_a_value_is_refused_without_a_session_too() -> None:
    with pytest.raises(pp.UserError, match='needs a value for env'):
        testing.FakeContext().create('build::[env]')
