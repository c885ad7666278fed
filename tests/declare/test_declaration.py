"""Declarations: what is checked, what is taken from the function, and what is refused."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import pytest

from parproc.core.commands import text
from parproc.declare.declaration import Declaration, make_declaration
from parproc.declare.dependency_kinds import NO_FAILURES, WhenScheduled, WhenTargetScheduled
from parproc.errors import UserError


def build(context: object) -> None:
    """Build everything,
    and more.

    Not in the description.
    """


def proc(**fields: Any) -> Declaration:
    return make_declaration(build, 'b', is_proto=False, **fields)


def test_name_description_and_place_come_from_the_function() -> None:
    declaration = make_declaration(build, None, is_proto=False)
    assert (declaration.name, declaration.doc) == ('build', 'Build everything, and more.')
    assert declaration.location is not None
    assert declaration.location.file == __file__


def test_a_description_of_its_own_wins() -> None:
    assert proc(doc='Mine.').doc == 'Mine.'


def test_a_partial_tells_the_place_of_its_function_but_needs_a_name() -> None:
    partial = functools.partial(build)
    assert (
        make_declaration(partial, 'p', is_proto=False).location == make_declaration(build, 'b', is_proto=False).location
    )
    with pytest.raises(UserError, match='needs a name'):
        make_declaration(partial, None, is_proto=False)


def test_a_lambda_needs_a_name() -> None:
    with pytest.raises(UserError, match='needs a name'):
        make_declaration(lambda context: context, None, is_proto=False)


@pytest.mark.parametrize(
    ('field', 'given', 'kept'),
    [
        ('deps', ['a', NO_FAILURES, len], ('a', NO_FAILURES, len)),
        ('deps', None, ()),
        ('rdeps', ['a', WhenScheduled('b')], ('a', WhenScheduled('b'))),
        ('rdeps', (WhenTargetScheduled('b'),), (WhenTargetScheduled('b'),)),
        ('locks', ('db',), ('db',)),
        ('now', True, True),
        ('args', {'n': 1}, {'n': 1}),
        ('timeout', '5m', 300.0),
        ('timeout', None, None),
        ('wave', -1, -1),
        ('retries', 2, 2),
        ('retry_delay', '500ms', 0.5),
        ('inputs', ['src/**', Path('a'), 'env:HOME'], ('src/**', 'a', 'env:HOME')),
        ('inputs_ignore', ['*.pyc'], ('*.pyc',)),
        ('env', {'A': 'b'}, {'A': 'b'}),
        ('cwd', Path('/tmp'), '/tmp'),
    ],
)
def test_a_field_is_kept_as_it_is_meant(field: str, given: object, kept: object) -> None:
    assert getattr(proc(**{field: given}), field) == kept


@pytest.mark.parametrize(
    ('field', 'given', 'message'),
    [
        ('deps', 'a', 'deps of Proc "b" must be a list'),
        ('deps', [1], 'must be a name, a callable or NO_FAILURES'),
        ('deps', ['a\n'], 'control characters'),
        ('rdeps', [3], 'must be a pattern'),
        ('locks', [1], 'must be text'),
        ('now', 1, 'must be True or False'),
        ('args', ['n'], 'must be a mapping'),
        ('args', {1: 2}, 'must be text'),
        ('timeout', 'soon', 'not a length of time'),
        ('timeout', 0, 'more than 0'),
        ('wave', True, 'a whole number'),
        ('retries', -1, '0 or more'),
        ('retry_delay', -1, 'not a length of time'),
        ('env', {'A': 1}, 'must be text'),
        ('cwd', 3, 'must be a path'),
        ('arg_choices', {'env': ['a']}, 'cannot have arg_choices'),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(field: str, given: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        proc(**{field: given})


def test_an_unknown_field_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UserError, match=r'unknown field "dep".*did you mean deps'):
        proc(dep=['a'])


@pytest.mark.parametrize('choices', [{'env': 'dev'}, {'env': 3}, ['dev'], {1: ['dev']}])
def test_choices_are_a_mapping_to_lists(choices: object) -> None:
    with pytest.raises(UserError):
        make_declaration(lambda c, env: env, 'b::[env]', is_proto=True, arg_choices=choices)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(UserError, match='takes a function'):
        make_declaration('build', 'b', is_proto=False)  # type: ignore[arg-type]


def test_a_name_is_text() -> None:
    with pytest.raises(UserError, match='must be text'):
        make_declaration(build, 3, is_proto=False)  # type: ignore[arg-type]


def test_a_parameter_of_a_proc_that_nothing_supplies_is_refused() -> None:
    with pytest.raises(UserError, match=r'nothing supplies its parameter "env".*needs Proto'):
        make_declaration(lambda c, env: env, 'b::[env]', is_proto=False)
    assert make_declaration(lambda c, env: env, 'b', is_proto=False, args={'env': 1}).args == {'env': 1}


def test_dependencies_may_stand_as_default_of_a_parameter() -> None:
    def second(context: object, deps: object = ['first']) -> None:
        """Depend on first."""

    assert make_declaration(second, None, is_proto=False).deps == ('first',)
    assert make_declaration(second, None, is_proto=False, deps=['other']).deps == ('other',)


def test_a_command_has_no_function() -> None:
    declaration = make_declaration(None, 'lint', is_proto=False, commands=(text('ruff'),))
    assert (declaration.function, declaration.commands) == (None, (text('ruff'),))


def test_there_is_one_no_failures() -> None:
    assert copy.copy(NO_FAILURES) is NO_FAILURES


@pytest.mark.parametrize('kind', [WhenScheduled, WhenTargetScheduled])
def test_a_reverse_dependency_has_a_pattern(kind: type) -> None:
    with pytest.raises(UserError):
        kind(3)
