"""Reading a proc's function: which arguments it takes, of which types, and how it wants to be called."""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from parproc.core.names import nearest
from parproc.errors import UserError

TRUE = {'true', 'yes', 'on', '1'}
FALSE = {'false', 'no', 'off', '0'}
_EMPTY = inspect.Parameter.empty


class Signature:
    """What parproc needs to know of one function.

    Args:
        function: any callable.

    Attributes:
        context: whether it takes the context first.
        required: names of parameters without a default, after the context.
        optional: names of parameters with one.
        takes_any: whether it has ``**kwargs``.
        declared_deps: the default of a parameter named ``deps``, when that is a list or tuple.
    """

    __slots__ = ('_annotations', '_function', 'context', 'declared_deps', 'optional', 'required', 'takes_any')

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function
        self._annotations: dict[str, Any] | None = None
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.context = bool(named) or any(p.kind is p.VAR_POSITIONAL for p in parameters)
        values = named[1:] + keyword
        self.required = tuple(p.name for p in values if p.default is _EMPTY)
        self.optional = tuple(p.name for p in values if p.default is not _EMPTY)
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        deps = next((p.default for p in values if p.name == 'deps'), None)
        self.declared_deps = tuple(deps) if isinstance(deps, (list, tuple)) else None

    def bind(self, args: Mapping[str, object]) -> Callable[[object], object]:
        """Return a function of the context alone that calls the user's with the arguments it takes."""
        function = self._function
        wanted = {*self.required, *self.optional}
        given = {name: value for name, value in args.items() if self.takes_any or name in wanted}
        if self.context:
            return lambda context: function(context, **given)
        return lambda _: function(**given)

    def cast(self, argument: str, text: object, proc: str) -> object:
        """Return a value as the parameter's annotation wants it; what is no text stays as it is.

        Raises:
            UserError: names proc, argument, value and type.
        """
        annotation = self.annotation(argument)
        if not isinstance(text, str) or annotation is _EMPTY:
            return text
        try:
            return cast_text(text, annotation)
        except Exception as error:
            kind = getattr(annotation, '__name__', None) or str(annotation)
            raise UserError(f'"{proc}": argument {argument}={text!r} is not a valid {kind}', hint=_reason(error)) from error

    def annotation(self, argument: str) -> Any:
        """Return a parameter's annotation, with string annotations evaluated where they can be."""
        if self._annotations is None:
            raw = getattr(self._function, '__annotations__', None) or getattr(
                getattr(self._function, '__call__', None), '__annotations__', {}
            )
            if any(isinstance(value, str) for value in raw.values()):
                raw = {name: _evaluated(self._function, value) for name, value in raw.items()}
            self._annotations = dict(raw)
        return self._annotations.get(argument, _EMPTY)


def cast_text(text: str, annotation: Any) -> object:
    """Return ``text`` as a value of a type: str, int, float, bool, Path, Enum, Literal, Optional, or any callable.

    Raises:
        ValueError: when it cannot be.
    """
    if annotation in (str, Any, object):
        return text
    if annotation is bool:
        return _as_bool(text)
    if annotation is None or annotation is type(None):
        if text in ('', 'None', 'none'):
            return None
        raise ValueError(f'{text!r} is not None')
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return cast_text(text, typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return _as_literal(text, typing.get_args(annotation))
    if origin is typing.Union or origin is types.UnionType:
        return _as_union(text, typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _as_member(text, annotation)
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return annotation(text)
    caster = origin or annotation
    return caster(text) if callable(caster) else text


def call_with(function: Callable[..., Any], context: object, args: Mapping[str, object]) -> Any:
    """Call a dep or choices callable with what it asks for.

    A first parameter that is not named like one of ``args`` receives ``context``, the others the arguments they name.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return function(context)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    first = positional[0] if positional else None
    leading = [context] if first is not None and first.name not in args else []
    if not positional and any(p.kind is p.VAR_POSITIONAL for p in parameters):
        leading = [context]
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if leading and first is not None:
        names.discard(first.name)
    return function(*leading, **{name: value for name, value in args.items() if takes_any or name in names})


def _evaluated(function: Callable[..., object], annotation: object) -> object:
    if not isinstance(annotation, str):
        return annotation
    target = inspect.unwrap(function)
    closure = inspect.getclosurevars(target).nonlocals if inspect.isfunction(target) else {}
    try:
        return eval(annotation, {**vars(typing), **getattr(target, '__globals__', {})}, dict(closure))  # noqa: S307
    except Exception:
        return _EMPTY


def _as_bool(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError('write true or false')


def _as_literal(text: str, values: Sequence[object]) -> object:
    for value in values:
        if str(value) == text:
            return value
    raise ValueError(f'allowed: {", ".join(map(str, values))}')


def _as_union(text: str, members: Sequence[Any]) -> object:
    error: Exception = ValueError(text)
    ordered = sorted(members, key=lambda member: (member is not type(None), member is str))
    for member in ordered:
        try:
            return cast_text(text, member)
        except Exception as caught:
            error = caught
    raise error


def _as_member(text: str, annotation: type[enum.Enum]) -> enum.Enum:
    for member in annotation:
        if text in (str(member.value), member.name):
            return member
    raise ValueError(nearest(text, annotation.__members__) or f'allowed: {", ".join(annotation.__members__)}')


def _reason(error: Exception) -> str | None:
    return str(error) or None
