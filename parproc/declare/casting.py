"""From the text in a name to the value a function expects: casting by annotation."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping
from typing import TypeAlias

from parproc.core.names import as_text
from parproc.declare.signature import innermost
from parproc.errors import UserError

Caster: TypeAlias = Callable[[str], object]
_TRUE = frozenset({'true', 'yes', '1', 'on'})
_FALSE = frozenset({'false', 'no', '0', 'off'})
_UNTOUCHED = (str, object, typing.Any, None)
_BUILTIN = {'str': str, 'int': int, 'float': float, 'bool': bool, 'object': object}


def caster_for(annotation: object, scope: Mapping[str, object]) -> Caster | None:
    """Return what casts text to an annotated type; None where text stays as it is.

    Args:
        annotation: a type, or the text of one (``from __future__ import annotations``).
        scope: the names that text may use.

    Raises:
        UserError: when the text of an annotation does not name a type.
    """
    kind = _resolved(annotation, scope)
    if any(kind is each for each in _UNTOUCHED):
        return None
    if kind is bool:
        return _to_bool
    if isinstance(kind, enum.EnumMeta):
        members: dict[str, object] = dict(kind.__members__)
        return _to_member({**members, **{as_text(member): member for member in members.values()}})
    if isinstance(kind, typing.NewType):
        return caster_for(kind.__supertype__, scope)
    return _special(kind, scope)


def type_name(annotation: object) -> str:
    """Return an annotation as its author would write it."""
    if isinstance(annotation, str):
        return annotation
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation).replace('typing.', '')


def annotations_of(function: object) -> Mapping[str, object]:
    """Return argument -> annotation, as the author of ``function`` wrote them."""
    found = innermost(function)
    return found.__annotations__ if isinstance(found, types.FunctionType) else {}


def scope_of(function: object) -> Mapping[str, object]:
    """Return the names a function's annotations may use: its module's, and those it closes over."""
    found = innermost(function)
    if not isinstance(found, types.FunctionType):
        return {}
    scope: dict[str, object] = dict(found.__globals__)
    for name, cell in zip(found.__code__.co_freevars, found.__closure__ or (), strict=True):
        try:
            scope[name] = cell.cell_contents
        except ValueError:
            continue  # closed over before it has a value
    return scope


def _resolved(annotation: object, scope: Mapping[str, object]) -> object:
    text = annotation.__forward_arg__ if isinstance(annotation, typing.ForwardRef) else annotation
    if not isinstance(text, str):
        return text
    if text in _BUILTIN and text not in scope:
        return _BUILTIN[text]
    try:
        found: object = eval(text, dict(scope))  # noqa: S307 - the user's own annotation, as typing.get_type_hints does
    except Exception as error:
        raise UserError(
            f'annotation "{text}" does not name a type: {type(error).__name__}: {error}',
            hint='define or import the type at the top of the module',
        ) from error
    return _resolved(found, scope)


def _special(kind: object, scope: Mapping[str, object]) -> Caster | None:
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return _to_member({as_text(value): value for value in typing.get_args(kind)})
    if origin is typing.Union or origin is types.UnionType:
        return _to_union(typing.get_args(kind), scope)
    if origin is typing.Annotated:
        return caster_for(typing.get_args(kind)[0], scope)
    return kind if callable(kind) else None


def _to_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError('write true or false')


def _to_member(members: Mapping[str, object]) -> Caster:
    def cast(text: str) -> object:
        if text in members:
            return members[text]
        raise ValueError(f'one of {", ".join(members)}')

    return cast


def _to_union(kinds: tuple[object, ...], scope: Mapping[str, object]) -> Caster | None:
    """Try each type in order, text last but for None: ``int | str`` makes 3 of '3', and 'x' stays 'x'."""
    none = type(None) in kinds
    casters = [caster_for(kind, scope) for kind in kinds if kind is not type(None)]
    takes_text = None in casters

    def cast(text: str) -> object:
        for caster in casters:
            if caster is not None:
                try:
                    return caster(text)
                except Exception:
                    continue
        if takes_text:
            return text
        if none and text.lower() == 'none':
            return None
        raise ValueError('no type of the union takes it')

    return None if all(caster is None for caster in casters) else cast
