"""A result as JSON, for ``--print``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum

LISTS = (list, tuple, AbstractSet)


class NotJsonError(Exception):
    """A value cannot be written as JSON; the text says why."""


def json_text(value: object) -> str:
    """Return a value as JSON on one line.

    What JSON has no words for becomes what comes closest: a mapping's keys and values of other types their text, sets
    lists, data classes objects, bytes text, an infinite number or NaN null.

    Raises:
        NotJsonError: for a value that contains itself, is nested too deeply, or cannot be looked at.
    """
    try:
        return json.dumps(_plain(value, ()), allow_nan=False)
    except NotJsonError:
        raise
    except RecursionError:
        raise NotJsonError('it is nested too deeply') from None
    except (Exception, SystemExit) as error:
        raise NotJsonError(f'{type(error).__name__} while it was looked at') from None


def _plain(value: object, around: tuple[int, ...]) -> object:
    """Return a value made of what JSON has; ``around`` are the identities of what it stands in."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode('utf-8', 'backslashreplace')
    if id(value) in around:
        raise NotJsonError('it contains itself')
    around = (*around, id(value))
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, around) for key, item in value.items()}
    if isinstance(value, LISTS):
        items = [_plain(item, around) for item in value]
        return sorted(items, key=json.dumps) if isinstance(value, AbstractSet) else items
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), around) for field in fields(value)}
    to_list = getattr(value, 'tolist', None)  # arrays, and the numbers in them
    if callable(to_list):
        return _plain(to_list(), around)
    return str(value)


def _key(key: object) -> str:
    """Return a key as JSON writes it where it can, else as text."""
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return {None: 'null', True: 'true', False: 'false'}[key]
    return str(key)
