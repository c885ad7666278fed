"""Casting by annotation: every kind of type a task file may use."""

from __future__ import annotations

import enum
import typing
from pathlib import Path
from typing import Annotated, Literal, NewType, Optional, Union

import pytest

from parproc.declare.casting import annotations_of, caster_for, scope_of, type_name
from parproc.errors import UserError

Port = NewType('Port', int)


class Env(enum.Enum):
    DEV = 'dev'
    PROD = 'prod'


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Version:
    def __init__(self, text: str) -> None:
        self.parts = [int(part) for part in text.split('.')]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and other.parts == self.parts

    __hash__ = None  # type: ignore[assignment]


def cast(annotation: object, text: str) -> object:
    caster = caster_for(annotation, globals())
    return text if caster is None else caster(text)


@pytest.mark.parametrize(
    ('annotation', 'text', 'value'),
    [
        (str, '3', '3'),
        (typing.Any, '3', '3'),
        (object, '3', '3'),
        (int, '3', 3),
        (float, '1e3', 1000.0),
        (bool, 'true', True),
        (bool, 'No', False),
        (bool, 'on', True),
        (bool, '0', False),
        (Path, 'a/b', Path('a/b')),
        (Env, 'prod', Env.PROD),
        (Env, 'PROD', Env.PROD),
        (Level, '2', Level.HIGH),
        (Literal['a', 3], '3', 3),
        (Optional[int], '3', 3),  # noqa: UP045
        (Optional[int], 'none', None),  # noqa: UP045
        (int | None, '3', 3),
        (str | None, 'none', 'none'),
        (Union[str, int], '3', 3),  # noqa: UP007
        (int | str, 'x', 'x'),
        (Annotated[int, 'a port'], '3', 3),
        (Port, '3', 3),
        (Version, '1.2', Version('1.2')),
        ('int', '3', 3),
        ('Env', 'dev', Env.DEV),
        ('Path | None', 'a', Path('a')),
        (Optional['Env'], 'dev', Env.DEV),
        ('Literal["a", "b"]', 'b', 'b'),
    ],
)
def test_text_becomes_what_the_annotation_says(annotation: object, text: str, value: object) -> None:
    result = cast(annotation, text)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ('annotation', 'text'),
    [(int, 'x'), (bool, 'maybe'), (Env, 'qa'), (Literal['a'], 'b'), (int | None, 'x'), (Version, 'x')],
)
def test_what_does_not_cast_is_refused(annotation: object, text: str) -> None:
    with pytest.raises(ValueError):
        cast(annotation, text)


def test_an_annotation_that_names_nothing_is_an_error() -> None:
    with pytest.raises(UserError, match='"Unheard" does not name a type'):
        caster_for('Unheard', globals())


def test_types_of_an_enclosing_function_are_found() -> None:
    class Local(enum.Enum):
        ONE = 'one'

    def function(context: object, which: Local) -> object:
        return context, which, Local

    caster = caster_for(annotations_of(function)['which'], scope_of(function))
    assert caster is not None
    assert caster('one') is Local.ONE


def test_types_are_named_as_they_are_written() -> None:
    assert [type_name(kind) for kind in (int, 'int | None', Literal['a'])] == ['int', 'int | None', "Literal['a']"]
