"""Values that people hand in, looked at with care: nothing here runs code of theirs that could be slow, raise or lie.

A value is plain when it is text, a number, a date, a path, an enum member, None, or a small collection of such. Only of
plain values is asked whether two are equal; all others, a table or an array, are equal to themselves alone.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from itertools import islice
from typing import Any

from parproc.core.names import as_text

_SCALARS = frozenset({str, bytes, int, float, complex, bool, type(None)})
_TEXTUAL_MODULES = frozenset({'datetime', 'decimal', 'fractions', 'ipaddress', 'uuid', 'pathlib', 'pathlib._local'})
_COLLECTIONS: tuple[Any, ...] = (list, tuple, set, frozenset, dict)
_MOST_PARTS = 1000
_DEEPEST_LEVELS = 20
_LONGEST_SHOWN_CHARACTERS = 200


def is_plain(value: object) -> bool:
    """Return whether ``value`` is plain data, so that its text and its equality can be relied upon."""
    return _is_scalar(value) or _parts_left(value, _MOST_PARTS) is not None


def same_value(mine: object, theirs: object) -> bool:
    """Return whether two arguments are the same one: 3 and ``'3'`` are, as both stand in a name as 3.

    Example:
        >>> same_value(3, '3'), same_value([1, 2], [1, 2]), same_value(object(), object())
        (True, True, False)
    """
    if mine is theirs:
        return True
    if _is_scalar(mine) and _is_scalar(theirs):
        return as_text(mine) == as_text(theirs)
    if type(mine) is not type(theirs) or not (is_plain(mine) and is_plain(theirs)):
        return False
    kind = type(mine)
    if issubclass(kind, (set, frozenset)):
        return mine == theirs
    if issubclass(kind, dict):
        return _keys(mine) == _keys(theirs) and all(same_value(_at(mine, key), _at(theirs, key)) for key in _keys(mine))
    mine_parts, theirs_parts = _parts(mine), _parts(theirs)
    return len(mine_parts) == len(theirs_parts) and all(map(same_value, mine_parts, theirs_parts))


def has_text(value: object) -> bool:
    """Return whether ``value`` has a text of its own that can stand for it in a name; a table or an array has none."""
    kind = type(value)
    if is_plain(value) or issubclass(kind, (str, enum.Enum)):
        return True
    spoken = kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__
    return spoken and not any(hasattr(kind, name) for name in ('__len__', '__iter__', '__array__'))


def read_as(value: object) -> str:
    """Return ``value`` as people read it in a list: its text where it has one, else of which type it is."""
    try:
        return as_text(value) if has_text(value) else shown(value)
    except Exception:
        return shown(value)


def shown(value: object) -> str:
    """Return ``value`` as a message shows it: a short text where it is plain, else just of which type it is.

    Example:
        >>> shown('a'), shown(print)
        ("'a'", '<built-in function print>')
    """
    if not is_plain(value) and not issubclass(type(value), type) and not _is_function(value):
        name = type(value).__name__
        return f'{"an" if name[:1] in "AEIOaeio" else "a"} {name}'
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN_CHARACTERS else f'{text[: _LONGEST_SHOWN_CHARACTERS - 1]}…'


def _is_function(value: object) -> bool:
    return type(value).__name__ in {'function', 'builtin_function_or_method', 'method'}


def _is_scalar(value: object) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if issubclass(kind, enum.Enum):  # isinstance would ask the value, which may be a proxy, for its class
        return type(getattr(value, 'value', None)) in _SCALARS
    return kind.__module__ in _TEXTUAL_MODULES or any(
        base.__name__ == 'generic' and base.__module__ == 'numpy' for base in kind.__mro__
    )


def _parts_left(value: object, most: int, deepest: int = _DEEPEST_LEVELS) -> int | None:
    """Return how many more parts may follow when ``value`` has ``most`` at the most; None when it is not plain."""
    if most <= 0 or deepest <= 0:
        return None
    if _is_scalar(value):
        return most - 1
    if not _is_collection(type(value)):
        return None
    left: int | None = most - 1
    for part in _parts(value, most):
        left = None if left is None else _parts_left(part, left, deepest - 1)
        if left is None:
            return None
    return left


def _is_collection(kind: type) -> bool:
    equals: object = kind.__eq__
    return '__dataclass_fields__' in kind.__dict__ or any(
        issubclass(kind, base) and equals is base.__eq__ for base in _COLLECTIONS
    )


def _parts(value: object, most: int = _MOST_PARTS) -> list[object]:
    """Return what a collection holds, up to one more than ``most``; of a dict, keys and values.

    The methods are those of the built-in types, whatever a subclass made of them.
    """
    kind = type(value)
    if issubclass(kind, dict):
        keys = list(islice(_keys(value), most + 1))
        return [*keys, *(_at(value, key) for key in keys)]
    for base in _COLLECTIONS:
        if issubclass(kind, base):
            return list(islice(base.__iter__(value), most + 1))
    names: Iterable[str] = kind.__dict__.get('__dataclass_fields__', ())
    return [_attribute(value, name) for name in names]


def _keys(value: Any) -> Any:
    return dict.keys(value)


def _at(value: Any, key: object) -> object:
    return dict.__getitem__(value, key)


def _attribute(value: object, name: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except Exception:
        return None
