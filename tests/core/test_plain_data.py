"""Values that people hand in: which are plain, which are the same, and that nobody's code is run to find out."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.plain_data import has_text, is_plain, read_as, same_value, shown

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.dates(), st.uuids()
)
VALUES = st.recursive(
    SCALARS,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.tuples(parts, parts)
        | st.dictionaries(st.text() | st.integers(), parts, max_size=3)
        | st.frozensets(st.text() | st.integers(), max_size=3)
    ),
    max_leaves=10,
)


def refuse(*_: object) -> NoReturn:
    raise AssertionError('code of a value was run')


class Hostile:
    """A value that cannot be looked at."""

    __slots__ = ()
    __eq__ = __ne__ = __hash__ = __str__ = __repr__ = __bool__ = __len__ = __iter__ = refuse
    __format__ = __reduce__ = __lt__ = __contains__ = __array__ = refuse

    def __getattribute__(self, name: str) -> NoReturn:
        refuse()


class HostileList(list[int]):
    __eq__ = __iter__ = __len__ = __repr__ = refuse


class Env(enum.Enum):
    DEV = 'dev'
    TABLE = object()


@dataclass
class Settings:
    depth: int
    names: list[str]


class Point(NamedTuple):
    x: int
    y: int


@given(VALUES)
def test_plain_values_are_the_same_as_their_copies_and_are_shown(value: Any) -> None:
    import copy

    twin = copy.deepcopy(value)
    assert is_plain(value)
    assert same_value(value, twin)
    assert len(shown(value)) <= 200


@given(VALUES, VALUES)
def test_plain_values_of_one_type_are_the_same_when_they_are_equal(mine: Any, theirs: Any) -> None:
    if type(mine) is type(theirs) and repr(mine) == repr(theirs):
        assert same_value(mine, theirs)
    if same_value(mine, theirs):
        assert same_value(theirs, mine)


@pytest.mark.parametrize(('mine', 'theirs'), [(3, '3'), (True, 'True'), (Env.DEV, 'dev'), (pathlib.Path('a'), 'a')])
def test_what_stands_in_a_name_with_the_same_text_is_the_same(mine: object, theirs: object) -> None:
    assert same_value(mine, theirs) and same_value(theirs, mine)


def test_records_are_compared_by_what_they_hold() -> None:
    assert same_value(Settings(1, ['a']), Settings(1, ['a']))
    assert not same_value(Settings(1, ['a']), Settings(1, ['b']))
    assert same_value(Point(1, 2), Point(1, 2)) and not same_value(Point(1, 2), (1, 2))
    assert same_value(decimal.Decimal('1.5'), decimal.Decimal('1.5'))
    assert same_value(dt.timedelta(1), dt.timedelta(1))


def test_the_order_of_a_dict_does_not_matter() -> None:
    assert same_value({'a': 1, 'b': [2]}, {'b': [2], 'a': 1})
    assert not same_value({'a': 1}, {'a': 2}) and not same_value({'a': 1}, {'b': 1})


@pytest.mark.parametrize('make', [Hostile, HostileList, object, lambda: [Hostile()], lambda: {'a': Hostile()}])
def test_any_other_value_is_only_itself_and_none_of_its_code_is_run(make: Callable[[], object]) -> None:
    value, twin = make(), make()
    assert not is_plain(value)
    assert same_value(value, value)
    assert not same_value(value, twin) and not same_value(value, 'text') and not same_value('text', value)
    assert len(shown(value)) < 80


def test_an_enum_member_with_such_a_value_is_only_itself() -> None:
    assert not is_plain(Env.TABLE) and same_value(Env.TABLE, Env.TABLE) and not same_value(Env.TABLE, Env.DEV)


def test_a_large_collection_or_a_ring_is_not_looked_through() -> None:
    ring: list[object] = []
    ring.append(ring)
    for value in (list(range(10_000)), {str(number): number for number in range(10_000)}, ring):
        assert not is_plain(value)
        assert len(shown(value)) < 80
    deep: object = 0
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    assert not is_plain(deep)


def test_what_has_a_text_can_stand_in_a_name() -> None:
    class Version:
        def __str__(self) -> str:
            return '1.2'

    assert all(map(has_text, ('a', 3, Env.DEV, Version(), pathlib.Path('a'), decimal.Decimal(1))))
    assert not any(map(has_text, (object(), Hostile(), HostileList([1]), list(range(10_000)))))


def test_what_cannot_be_shown_is_named_by_its_type() -> None:
    assert shown(Hostile()) == 'a Hostile'
    assert shown('x' * 500).endswith('…')


def test_a_list_shows_texts_and_says_of_what_type_the_rest_is() -> None:
    class Broken:
        def __str__(self) -> str:
            raise OSError

    assert [read_as(value) for value in ('a', 3, Env.DEV, Hostile(), Broken())] == [
        'a',
        '3',
        'dev',
        'a Hostile',
        'a Broken',
    ]
