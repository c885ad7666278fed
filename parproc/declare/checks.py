"""Checks of what declarations and options are written with: each takes a value and what to call it in an error.

All raise a UserError that says what was expected.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from parproc.core.durations import parse_duration
from parproc.core.names import check_name, nearest
from parproc.core.plain_data import shown
from parproc.declare.signature import Function
from parproc.errors import UserError

Choices: TypeAlias = Mapping[str, 'Sequence[object] | Function']
Checked = TypeVar('Checked')


def wrong(what: str, expected: str, value: object, hint: str | None = None) -> UserError:
    """Return the error for a value that is not what was expected."""
    return UserError(f'{what} must be {expected}, not {shown(value)}', hint=hint)


def text(value: object, what: str) -> str:
    """Return ``value`` where it is text."""
    if not isinstance(value, str):
        raise wrong(what, 'text', value)
    return value


def flag(value: object, what: str) -> bool:
    """Return ``value`` where it is True or False."""
    if not isinstance(value, bool):
        raise wrong(what, 'True or False', value)
    return value


def whole_number(value: object, what: str) -> int:
    """Return ``value`` where it is a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong(what, 'a whole number', value)
    return value


def count(value: object, what: str) -> int:
    """Return ``value`` where it is a whole number, 0 or more."""
    number = whole_number(value, what)
    if number < 0:
        raise wrong(what, '0 or more', value)
    return number


def at_least_one(value: object, what: str) -> int:
    """Return ``value`` where it is a whole number, 1 or more."""
    number = whole_number(value, what)
    if number < 1:
        raise wrong(what, 'a whole number from 1', value)
    return number


def duration(value: object, what: str) -> float:
    """Return a length of time in seconds, 0 or more, from a number of them or from text such as ``5m``."""
    return parse_duration(value, what)


def time_limit(value: object, what: str) -> float:
    """Return a length of time in seconds, more than 0."""
    seconds = duration(value, what)
    if not seconds:
        raise wrong(what, 'more than 0', value)
    return seconds


def one_of(allowed: Sequence[str]) -> Callable[[object, str], str]:
    """Return a check that takes one of some texts, and hints at the nearest."""

    def check(value: object, what: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            hint = nearest(value, allowed) if isinstance(value, str) else None
            raise wrong(what, f'one of {", ".join(allowed)}', value, hint)
        return value

    return check


def optional(check: Callable[[object, str], Checked]) -> Callable[[object, str], Checked | None]:
    """Return a check that takes None as well as what ``check`` does."""
    return lambda value, what: None if value is None else check(value, what)


def separator(value: object, what: str) -> str:
    """Return ``value`` where it can stand between the segments of names."""
    if not isinstance(value, str) or not value or any(char in value for char in '[]*?') or not value.isprintable():
        raise wrong(what, 'text without brackets and globs', value)
    return value


def regular_expression(value: object, what: str) -> str:
    """Return ``value`` where it is the text of a regular expression."""
    pattern = text(value, what)
    try:
        re.compile(pattern)
    except re.error as error:
        raise UserError(f'{what}: {pattern!r} is no regular expression: {error}') from None
    return pattern


def items(value: object, what: str) -> Sequence[object]:
    """Return the items of a list or of anything else that can be iterated, but for text and mappings."""
    if type(value) is list or type(value) is tuple:
        return value
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        single = isinstance(value, str) or callable(value)
        raise wrong(what, 'a list', value, hint='put it in brackets: [...]' if single else None)
    return tuple(value)


def texts(value: object, what: str) -> tuple[str, ...]:
    """Return a list of names or globs."""
    return tuple(check_name(text(item, f'an item of {what}')) for item in items(value, what))


def path(value: object, what: str) -> str:
    """Return a path as text."""
    if not isinstance(value, (str, os.PathLike)):
        raise wrong(what, 'a path', value)
    return text(os.fspath(value), what)


def mapping(value: object, what: str) -> Mapping[str, object]:
    """Return a mapping whose keys are text."""
    if not isinstance(value, Mapping):
        raise wrong(what, 'a mapping', value)
    return {text(key, f'a key of {what}'): item for key, item in value.items()}


def text_mapping(value: object, what: str) -> Mapping[str, str]:
    """Return a mapping of text to text."""
    return {key: text(item, f'"{key}" of {what}') for key, item in mapping(value, what).items()}


def choices_mapping(value: object, what: str) -> Choices:
    """Return ``value`` as a mapping of argument -> values or a callable; raises UserError when it is not."""
    checked: dict[str, Sequence[object] | Function] = {}
    for key, allowed in mapping(value, what).items():
        if callable(allowed) and not isinstance(allowed, type):  # an Enum is callable too; its members are meant
            checked[key] = allowed
        else:
            checked[key] = choice_values(allowed, f'"{key}" of {what}')
    return checked


def choice_values(value: object, what: str) -> tuple[object, ...]:
    """Return the values of one argument; raises UserError when ``value`` is text or cannot be iterated."""
    if isinstance(value, str):
        raise wrong(what, 'a list of values', value, hint='put it in brackets: [...]')
    if not isinstance(value, Iterable):
        raise wrong(what, 'a list of values', value)
    return tuple(value)


def choices(value: object, what: str) -> Choices | Function:
    """Return what ``arg_choices`` may be: a callable, or what :func:`choices_mapping` takes."""
    return value if callable(value) else choices_mapping(value, what)


def seconds(value: object, what: str) -> float:
    """Return how long to wait, where ``value`` is a number of seconds from 0; raises UserError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise wrong(what, 'a number of seconds', value)
    return float(value)


def isolation(value: object, what: str) -> bool | str:
    """Return how a proc is kept apart, where ``value`` is True, False or ``'fresh'``; raises UserError."""
    if not isinstance(value, bool) and (not isinstance(value, str) or value != 'fresh'):
        raise wrong(what, "True, False or 'fresh'", value)
    return value
