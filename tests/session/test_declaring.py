"""What a session makes of declarations and options, and what it tells of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import parproc as pp
from parproc.declare.keywords import OptionKeywords, ProtoKeywords
from parproc.session import workspace_of


@pytest.fixture
def session() -> Iterator[pp.Session]:
    made = pp.Session(mode='single')
    yield made
    made.clear()


def double(context: pp.ProcContext, n: int = 1) -> int:
    """Double it.

    And nothing else.
    """
    return n * 2


# --- Proc and Proto --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', ['Proc', 'Proto'])
@pytest.mark.parametrize(
    'declare',
    [
        lambda declare: declare(double),
        lambda declare: declare()(double),
        lambda declare: declare('double')(double),
        lambda declare: declare(name='double')(double),
        lambda declare: declare('double', double),
        lambda declare: declare('double', f=double),
        lambda declare: declare(name='double', f=double),
        lambda declare: declare(f=double),
        lambda declare: declare(None, double, wave=0),
    ],
)
def test_every_way_to_hand_in_a_function_declares_it_and_returns_it(
    session: pp.Session, kind: str, declare: Any
) -> None:
    assert declare(getattr(session, kind)) is double
    assert session.run('double') == ['double']
    assert session.wait_for_all() and session.results() == {'double': 2}


@pytest.mark.parametrize('kind', ['Proc', 'Proto'])
@pytest.mark.parametrize('value', [None, 3])
def test_an_unknown_field_is_an_error_whatever_its_value(session: pp.Session, kind: str, value: Any) -> None:
    with pytest.raises(pp.UserError, match=r'unknown field "dep".*did you mean deps'):
        getattr(session, kind)('a', double, dep=value)
    assert session.get_procs() == {} and session.get_protos() == {}


@pytest.mark.parametrize('kind', ['Proc', 'Proto'])
@pytest.mark.parametrize('field', [{'dep': ['b']}, {'dep': None}, {'deps': 'b'}, {'timeout': 'soon'}])
def test_a_wrong_field_is_an_error_also_where_no_function_ever_follows(
    session: pp.Session, kind: str, field: Any
) -> None:
    with pytest.raises(pp.UserError, match=f'"a".*{next(iter(field))}|{next(iter(field))} of'):
        getattr(session, kind)('a', **field)


def test_a_field_that_is_none_is_as_one_left_out(session: pp.Session) -> None:
    session.Proc('a', double, deps=None, timeout=None, wave=None, log_ignore=None, replace=None)
    info = session.get_procs()['a']
    assert (info.deps, info.timeout, info.wave, info.log_ignore) == ((), None, 0, ())
    with pytest.raises(pp.UserError, match='cannot have arg_choices'):
        session.Proc('b', double, arg_choices=None)  # type: ignore[call-overload]


def test_replace_is_true_or_false(session: pp.Session) -> None:
    with pytest.raises(pp.UserError, match=r'replace.*True or False'):
        session.Proc('a', double, replace='yes')  # type: ignore[call-overload]


def test_a_replaced_declaration_is_the_one_that_runs(session: pp.Session) -> None:
    session.Proto('b::[n]', lambda context, n: 'old', arg_choices={'n': [1, 2]})
    session.create('b::1')
    session.Proto('b::[n]', lambda context, n: 'new', arg_choices={'n': [1]}, replace=True)
    session.start('b::*')
    assert session.wait_for_all() and session.results() == {'b::1': 'new'}


def test_a_proto_with_placeholders_runs_its_procs_when_they_are_created(session: pp.Session) -> None:
    @session.Proto('f::[x]::[y]', now=True)
    def f(context: pp.ProcContext, x: str, y: str) -> str:
        return x + y

    assert session.get_procs() == {}
    session.create('f::a::b')
    assert session.get_procs()['f::a::b'].state is not pp.ProcState.IDLE
    assert session.wait_for_all() and session.results() == {'f::a::b': 'ab'}


def test_a_proto_without_placeholders_is_scheduled_when_it_is_defined(session: pp.Session) -> None:
    session.Proto('f', lambda context: 1, now=True)
    assert session.wait_for_all() and session.results() == {'f': 1}


# --- what is known ---------------------------------------------------------------------------------------------------


def test_a_proc_tells_what_it_was_declared_with(session: pp.Session) -> None:
    session.Proc('first', lambda context: 1)
    session.Proto(
        'b::[env]',
        lambda context, env, deep=0: env,
        deps=['first'],
        rdeps=[pp.WhenScheduled('last'), 'other'],
        locks=['all', 'db-[env]'],
        timeout='2m',
        wave=3,
        log_ignore=['x', re.compile('y'), pp.IgnoreLogIfSucceeded('z')],
    )
    session.create('b::dev')
    info = session.get_procs()['b::dev']
    assert (info.name, info.proto, info.args) == ('b::dev', 'b::[env]', {'env': 'dev'})
    assert (info.locks, info.timeout, info.wave) == (('all', 'db-dev'), 120.0, 3)
    assert info.rdeps == (pp.WhenScheduled('last'), 'other')
    assert info.log_ignore == (pp.IgnoreLogAlways('x'), pp.IgnoreLogAlways('y'), pp.IgnoreLogIfSucceeded('z'))
    assert session.get_procs()['first'].proto is None
    assert not (info.is_running() or info.is_complete() or info.is_failed())


def test_a_proc_tells_how_it_fares(session: pp.Session) -> None:
    @session.Proc('good')
    def good(context: pp.ProcContext) -> int:
        return 1

    @session.Proc('bad')
    def bad(context: pp.ProcContext) -> None:
        raise pp.ProcFailedError('no')

    session.start('good', 'bad')
    assert not session.wait_for_all(exception_on_failure=False)
    infos = session.get_procs()
    assert [infos['good'].is_complete(), infos['good'].is_failed(), infos['good'].is_running()] == [True, False, False]
    assert [infos['bad'].is_complete(), infos['bad'].is_failed(), infos['bad'].is_running()] == [True, True, False]
    assert infos['bad'].process is None


def test_a_proc_that_is_no_more_still_has_a_name_and_arguments(session: pp.Session) -> None:
    session.Proto('b::[env]', lambda context, env: env, locks=['l-[env]'])
    session.run('b::dev')
    session.wait_for_all()
    info = session.get_procs()['b::dev']
    session.clear()
    session.Proc('b::dev', lambda context: 1)
    session.run('b::dev')
    assert (info.name, info.args, info.proto, info.locks) == ('b::dev', {'env': 'dev'}, 'b::[env]', ('l-dev',))
    assert (info.state, info.result, info.error, info.log_filename) == (pp.ProcState.IDLE, None, None, None)
    assert info.start_time is None and info.deps == () and "'b::dev' idle" in repr(info)


def test_a_proto_is_readable(session: pp.Session) -> None:
    session.Proto('b', double, arg_choices={'n': [1, 2]}, args={'n': 1}, deps=['a'], locks=['l'], wave=2)
    session.Proto('c::[env]', lambda context, env: env, arg_choices={'env': lambda: ['dev']}, now=True, timeout=3)
    infos = session.get_protos()
    assert list(infos) == ['b', 'c::[env]']
    b, c = infos.values()
    assert isinstance(b, pp.ProtoInfo)
    assert (b.name, b.pattern, b.placeholders, b.choices, b.args) == ('b', 'b', (), {}, {'n': 1})
    assert (b.deps, b.locks, b.wave, b.now, b.doc) == (('a',), ('l',), 2, False, 'Double it.')
    assert (c.name, c.placeholders, c.choices, c.now, c.timeout) == ('c::[env]', ('env',), {'env': ['dev']}, True, 3.0)
    assert c.rdeps == () and c.log_ignore == () and c.file == __file__ and isinstance(c.line, int)
    with pytest.raises(AttributeError):
        b.wave = 3  # type: ignore[misc]


# --- options ---------------------------------------------------------------------------------------------------------


def test_none_leaves_an_option_as_it_is_unless_it_is_one_of_its_values(session: pp.Session) -> None:
    session.set_options(parallel=3, grace=2, log_ignore=['x'], dynamic=False, state_dir='s', task_db_path='d')
    session.set_options(
        parallel=None,
        mode=None,
        dynamic=None,
        name_param_separator=None,
        allow_missing_deps=None,
        fail_fast=None,
        task_db_path=None,
        grace=None,
        stop_grace=None,
        state_dir=None,
        full_log_on_failure=None,
        log_ignore=None,
    )
    options = workspace_of(session).options
    assert (options.parallel, options.mode, options.grace) == (3, 'single', 2.0)
    assert options.log_ignore == (pp.IgnoreLogAlways('x'),)
    assert (options.dynamic, options.state_dir, options.task_db_path) == (None, None, None)
    with pytest.raises(pp.UserError, match=r'unknown option "paralel".*parallel'):
        session.set_options(paralel=None)  # type: ignore[call-arg]


def test_clear_makes_options_what_they_were_at_first(session: pp.Session) -> None:
    session.set_options(parallel=3, fail_fast=True, name_param_separator='/')
    session.clear()
    options = workspace_of(session).options
    assert (options.parallel, options.fail_fast, options.mode) == (100, False, 'single')
    session.Proto('b::[x]', lambda context, x: x)
    assert session.create('b::1') == ['b::1']


def test_options_that_the_command_line_fixed_stay(session: pp.Session) -> None:
    session.set_options(parallel=3, fail_fast=True)
    workspace_of(session).fix_options({'parallel': 3})
    session.clear()
    assert (workspace_of(session).options.parallel, workspace_of(session).options.fail_fast) == (3, False)


def test_the_separator_may_change_while_nothing_is_scheduled() -> None:
    session = pp.Session()
    session.Proto('a::[x]', lambda context, x: x)
    session.set_options(name_param_separator='/')
    session.Proto('b/[x]', lambda context, x: x)
    session.start('a::1', 'b/2')
    with pytest.raises(pp.UserError, match='name_param_separator cannot change while'):
        session.set_options(name_param_separator='.')
    session.wait_for_all()
    session.set_options(name_param_separator='.')
    session.Proto('c.[x]', lambda context, x: x)
    session.start('a::3', 'c.4')
    session.wait_for_all()
    assert session.results() == {'a::1': '1', 'b/2': '2', 'a::3': '3', 'c.4': '4'}
    session.clear()


def test_wait_clear_does_not_raise_unless_it_is_told_to(session: pp.Session) -> None:
    def bad(context: pp.ProcContext) -> None:
        raise pp.ProcFailedError('no')

    session.Proc('bad', bad, now=True)
    assert session.wait_clear() is False
    session.Proc('bad', bad, now=True)
    with pytest.raises(pp.ProcessError):
        session.wait_clear(exception_on_failure=True)
    assert session.get_procs() == {}


class Table:
    """A value that cannot be compared, nor shown."""

    def __eq__(self, other: object) -> bool:
        raise ValueError('the truth value of a table is ambiguous')

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        raise AssertionError('turned into text')

    __repr__ = __str__


@pytest.mark.parametrize('key', sorted({*OptionKeywords.__annotations__, *ProtoKeywords.__annotations__}))
def test_a_table_is_no_value_of_an_option_or_a_field(session: pp.Session, key: str) -> None:
    with pytest.raises(pp.UserError, match='a Table'):
        if key in OptionKeywords.__annotations__:
            session.set_options(**{key: Table()})  # type: ignore[arg-type]
        else:
            session.Proto('a::[x]', lambda context, x: x, **{key: Table()})  # type: ignore[call-overload]


@pytest.mark.parametrize('options', [{'parallel': 0}, {'mode': 'no'}, {'mode': 3}, {'grace': 'x'}, {'state_dir': 3}])
def test_a_value_that_is_no_option_is_refused_and_changes_nothing(session: pp.Session, options: Any) -> None:
    before = workspace_of(session).options
    with pytest.raises(pp.UserError, match=f'option {next(iter(options))}'):
        session.set_options(fail_fast=True, **options)
    assert workspace_of(session).options == before
