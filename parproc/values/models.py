"""pydantic models in results, which travel as what they dump, so that a reader needs none of their classes."""

from __future__ import annotations

import builtins
import itertools
import sys
from collections.abc import Iterable
from typing import Any, cast

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

SCALARS = frozenset((type(None), bool, int, float, str, bytes))
_bases_of = type.__dict__['__mro__'].__get__


def dump_models(value: object) -> object:
    """Return ``value`` with what it holds of pydantic's models dumped; itself when there is none in it."""
    model = getattr(sys.modules['pydantic'], 'BaseModel', None)
    if not isinstance(model, type):
        return value
    seen = {id(value)}
    open_ends = [value]
    while open_ends:
        part = open_ends.pop()
        kind = type(part)
        if kind is list or kind is tuple or kind is dict:
            for inner in part.values() if isinstance(part, dict) else cast('Iterable[object]', part):
                if type(inner) not in SCALARS and id(inner) not in seen:
                    seen.add(id(inner))
                    open_ends.append(inner)
        elif model in _bases_of(kind):
            return _dumped(value, model, {})
    return value


def _dumped(value: Any, model: type, done: dict[int, Any]) -> Any:
    """Return a copy in which models are dumped; what is shared, or holds itself, does so in the copy."""
    if id(value) in done:
        return done[id(value)]
    kind = type(value)
    copy: Any = value
    if kind is list:
        copy = done[id(value)] = []
        for part in value:
            copy.append(_dumped(part, model, done))
    elif kind is dict:
        copy = done[id(value)] = {}
        for key, part in value.items():
            copy[key] = _dumped(part, model, done)
    elif kind is tuple:
        parts = map(_dumped, value, itertools.repeat(model), itertools.repeat(done))  # one frame a level, as pickle has
        copy = done[id(value)] = tuple(parts)
    elif model in _bases_of(kind):
        copy = done[id(value)] = value.model_dump()
    return copy
