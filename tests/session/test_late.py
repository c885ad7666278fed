"""What is declared later than what needs it."""

from __future__ import annotations

import pytest

import parproc as pp
from tests.session.conftest import RunProgram


def test_a_dep_that_is_declared_later_runs_whether_now_or_not(session: pp.Session) -> None:
    session.Proc('user', lambda context: context.results['later'] + 1, deps=['later'], now=True)
    assert session.get_procs()['user'].state is pp.ProcState.WANTED
    session.Proc('later', lambda context: 41)
    assert session.wait('user') == 42


def test_a_proto_that_is_declared_later_supplies_it(session: pp.Session) -> None:
    session.Proc('user', lambda context: sorted(context.results), deps=['build::prod', 'lint'])
    session.start('user')
    session.Proto('build::[env]', lambda context, env: env, deps=['fetch'])
    session.Proc('lint', lambda context: 1)
    session.Proc('fetch', lambda context: 2)
    assert session.wait('user') == ['build::prod', 'fetch', 'lint']


def test_so_does_a_name_given_when_it_is_created(session: pp.Session) -> None:
    session.Proto('fit', lambda context, x: x)
    session.Proc('user', lambda context: context.results['special'], deps=['special'], now=True)
    session.create('fit', 'special', x=7)
    assert session.wait('user') == 7


def test_a_glob_means_what_is_declared_by_the_time_that_it_matches_anything(session: pp.Session) -> None:
    session.Proc('all', lambda context: sorted(context.results), deps=['build::*'], now=True)
    session.Proc('top', lambda context: 'top', deps=['all'], now=True)
    session.Proto('build::[env]', lambda context, env: env, arg_choices={'env': ['dev', 'prod']})
    assert session.wait('top') == 'top'
    assert session.wait('all') == ['build::dev', 'build::prod']


def test_it_is_missing_only_when_the_program_waits_and_nothing_can_create_it(session: pp.Session) -> None:
    session.Proc('user', lambda context: 1, deps=['made'], now=True)
    session.Proto('fit', lambda context, x: x)
    session.Proc('maker', lambda context: context.create('fit', 'made', x='1'))
    session.start('maker')
    assert session.wait_for_all()
    session.Proc('orphan', lambda context: 1, deps=['never'], now=True)
    with pytest.raises(pp.ProcessError, match='dependency "never" missing'):
        session.wait('orphan')


def test_a_cycle_that_is_closed_later_is_an_error_and_nothing_of_it_runs(session: pp.Session) -> None:
    session.Proc('a', lambda context: 1, deps=['b'], now=True)
    with pytest.raises(pp.UserError, match=r'a -> b -> a|b -> a -> b'):
        session.Proc('b', lambda context: 1, deps=['a'])


def test_where_missing_deps_are_not_allowed_they_are_errors_at_once(session: pp.Session) -> None:
    session.set_options(allow_missing_deps=False)
    session.Proc('a', lambda context: 1, deps=['build::*'])
    with pytest.raises(pp.UserError, match='matches nothing'):
        session.start('a')


def test_what_runs_at_its_definition_sees_what_was_defined_by_then(program: RunProgram) -> None:
    ran = program("""
        @pp.Proc(now=True, deps=['settle'])
        def first(context):
            return helper()

        def helper():
            return 'helped'

        pp.Proc('settle', lambda context: None)
        print(pp.wait('first'))
    """)
    assert ran.stdout == 'helped\n', ran.stderr
