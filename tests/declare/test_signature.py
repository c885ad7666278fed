"""What functions take, and how they are called."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from parproc.declare.calling import ask, bind, call_with
from parproc.declare.signature import read
from parproc.errors import UserError


def outcome(function: Callable[..., object], **args: object) -> object:
    return bind(function, args, read(function))('CONTEXT')


class Greeter:
    def __call__(self, context: object, env: object = None) -> object:
        return context, env

    def method(self, context: object, env: object = None) -> object:
        return context, env


def wrapped(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


def keywords_only(*, env: object) -> object:
    return env


def position_first(context: object, /, env: object) -> object:
    return context, env


def anything(*args: object, **kwargs: object) -> object:
    return args, kwargs


@pytest.mark.parametrize(
    ('function', 'expected'),
    [
        (lambda: 'none', 'none'),
        (lambda c: c, 'CONTEXT'),
        (lambda c, env: (c, env), ('CONTEXT', 'dev')),
        (lambda env: env, 'dev'),
        (lambda c, env='x', other='y': (c, env, other), ('CONTEXT', 'dev', 'y')),
        (lambda c, **more: (c, more), ('CONTEXT', {'env': 'dev', 'os': 'linux'})),
        (lambda *all_of_it: all_of_it, ('CONTEXT',)),
        (lambda c, *, os: (c, os), ('CONTEXT', 'linux')),
        (keywords_only, 'dev'),
        (position_first, ('CONTEXT', 'dev')),
        (anything, (('CONTEXT',), {'env': 'dev', 'os': 'linux'})),
        (Greeter(), ('CONTEXT', 'dev')),
        (Greeter().method, ('CONTEXT', 'dev')),
        (wrapped(lambda c, env: (c, env)), ('CONTEXT', 'dev')),
        (functools.partial(position_first, env='fixed'), ('CONTEXT', 'dev')),
        (lambda deps=('a', 'b'): deps, ('a', 'b')),
    ],
)
def test_a_function_gets_the_context_and_the_arguments_it_names(
    function: Callable[..., object], expected: object
) -> None:
    assert outcome(function, env='dev', os='linux') == expected


def test_what_nothing_supplies_is_required_in_the_order_of_the_signature() -> None:
    def function(context: object, b: object, a: object, c: object = 1, *, d: object) -> object:
        return context, b, a, c, d

    assert read(function).required({'a': 1}) == ['b', 'd']
    assert read(wrapped(function)).required({'a': 1}) == ['b', 'd']


def test_a_list_as_default_of_deps_declares_dependencies() -> None:
    assert read(lambda c, deps=['a']: c).declared_deps() == ['a']
    assert read(lambda c, deps='a': c).declared_deps() is None
    assert read(lambda c: c).declared_deps() is None


def test_a_parameter_that_only_takes_a_position_is_refused() -> None:
    def function(context: object, env: object, /) -> object:
        return context, env

    with pytest.raises(UserError, match='"env" can only be passed by position'):
        read(function)


def test_a_callable_that_tells_nothing_is_refused() -> None:
    with pytest.raises(UserError, match='does not tell what it takes'):
        read(min)


def test_a_missing_argument_of_a_callable_is_named() -> None:
    with pytest.raises(UserError, match='requires an argument "os"'):
        call_with(lambda c, os: os, 'CONTEXT', {'env': 'dev'})


def test_what_a_callable_raises_is_the_cause_of_a_user_error() -> None:
    def broken(context: object) -> object:
        raise KeyError(str(context))

    with pytest.raises(UserError, match=r'deps of "build": .*broken.*raised KeyError') as caught:
        ask(broken, 'deps of "build"', 'CONTEXT', {})
    assert isinstance(caught.value.__cause__, KeyError)
