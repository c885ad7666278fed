"""What a user's function takes, read from its code or its signature.

A first parameter that is not named like one of the arguments receives the context, the others the arguments they
name. The same holds for the functions of procs, for dependencies that are callables and for choices that are.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from parproc.errors import UserError

Function: TypeAlias = Callable[..., object]
_POSITIONAL = ('POSITIONAL_ONLY', 'POSITIONAL_OR_KEYWORD')
_VARIADIC = 0x04
_KEYWORDS = 0x08


class Missing:
    """The kind of :data:`MISSING`."""

    def __repr__(self) -> str:
        return 'MISSING'


MISSING = Missing()
"""Marks a parameter without default."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function that can be passed by keyword."""

    name: str
    default: object = MISSING


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes.

    Args:
        first: the name of its first positional parameter, which may be the context; None when there is none.
        parameters: all that can be passed by keyword, in order; ``first`` among them.
        variadic: it takes any positional arguments, and names none.
        keywords: it takes any keyword arguments.
    """

    first: str | None = None
    parameters: tuple[Parameter, ...] = ()
    variadic: bool = False
    keywords: bool = False

    def takes_context(self, names: Mapping[str, object]) -> bool:
        """Return whether the first parameter receives the context, where ``names`` are the arguments."""
        return self.variadic if self.first is None else self.first not in names

    def named(self, names: Mapping[str, object]) -> tuple[Parameter, ...]:
        """Return the parameters that are not the context."""
        if self.first is None or self.first in names:
            return self.parameters
        return tuple(parameter for parameter in self.parameters if parameter.name != self.first)

    def required(self, names: Mapping[str, object]) -> list[str]:
        """Return the parameters without default that neither the context nor ``names`` supplies, in order."""
        return [
            parameter.name
            for parameter in self.parameters
            if parameter.default is MISSING and parameter.name not in names and parameter.name != self.first
        ]

    def declared_deps(self) -> list[object] | tuple[object, ...] | None:
        """Return the default of a parameter named ``deps``, where that is a list."""
        for parameter in self.parameters:
            if parameter.name == 'deps' and isinstance(parameter.default, (list, tuple)):
                return parameter.default
        return None


def read(function: Function) -> Signature:
    """Return what ``function`` takes.

    Raises:
        UserError: when that cannot be told, or when it has a required parameter that only takes a position.
    """
    if type(function) is types.FunctionType and getattr(function, '__wrapped__', None) is None:
        return _read_code(function)
    return _inspect(function)


def spelled(function: object) -> str:
    """Return a callable as a message names it: its name, and where it is defined."""
    name = getattr(function, '__qualname__', None) or repr(function)
    code = getattr(function, '__code__', None)
    return f'{name} ({code.co_filename}:{code.co_firstlineno})' if code is not None else str(name)


def innermost(function: object) -> object:
    """Return what a partial, a method, a wrapper or a callable object calls in the end."""
    for attribute in ('__wrapped__', '__func__', 'func'):
        inner = getattr(function, attribute, None)
        if inner is not None:
            return innermost(inner)
    if isinstance(function, (types.FunctionType, type)):
        return function
    call = getattr(type(function), '__call__', None)  # noqa: B004 - the method itself is wanted
    return call if isinstance(call, types.FunctionType) else function


def _read_code(function: types.FunctionType) -> Signature:
    code = function.__code__
    count, keyword_only = code.co_argcount, code.co_kwonlyargcount
    flags = code.co_flags
    if not count and not keyword_only and not flags & (_VARIADIC | _KEYWORDS):
        return _NOTHING
    names = code.co_varnames
    defaults = function.__defaults__ or ()
    if count == 1 and not (keyword_only or defaults or code.co_posonlyargcount or flags & (_VARIADIC | _KEYWORDS)):
        return _of_one(names[0])
    first_default = count - len(defaults)
    parameters = []
    for place in range(count + keyword_only):
        name = names[place]
        if place >= count:
            default = (function.__kwdefaults__ or {}).get(name, MISSING)
        else:
            default = defaults[place - first_default] if place >= first_default else MISSING
        if place >= code.co_posonlyargcount:
            parameters.append(Parameter(name, default))
        elif place and default is MISSING:
            raise _position_error(function, name)
    return _signature(
        names[0] if count else None,
        tuple(parameters),
        variadic=bool(flags & _VARIADIC),
        keywords=bool(flags & _KEYWORDS),
    )


def _inspect(function: Function) -> Signature:
    try:
        found = inspect.signature(function)
    except (ValueError, TypeError) as error:
        raise UserError(f'{spelled(function)} does not tell what it takes', hint='wrap it in a function') from error
    parameters = []
    first = None
    kinds = set()
    for place, parameter in enumerate(found.parameters.values()):
        kinds.add(parameter.kind.name)
        if not place and parameter.kind.name in _POSITIONAL:
            first = parameter.name
        default = MISSING if parameter.default is parameter.empty else parameter.default
        if parameter.kind.name in {'POSITIONAL_OR_KEYWORD', 'KEYWORD_ONLY'}:
            parameters.append(Parameter(parameter.name, default))
        elif place and parameter.kind.name == 'POSITIONAL_ONLY' and default is MISSING:
            raise _position_error(function, parameter.name)
    return _signature(first, tuple(parameters), variadic='VAR_POSITIONAL' in kinds, keywords='VAR_KEYWORD' in kinds)


def _signature(first: str | None, parameters: tuple[Parameter, ...], *, variadic: bool, keywords: bool) -> Signature:
    if first == 'deps' and parameters and isinstance(parameters[0].default, (list, tuple)):
        first = None  # it declares dependencies, and leaves no place for a context
        variadic = False
    return Signature(first, parameters, variadic and first is None, keywords)


def _position_error(function: object, name: str) -> UserError:
    return UserError(f'{spelled(function)}: "{name}" can only be passed by position', hint='remove the "/"')


@lru_cache(maxsize=256)
def _of_one(name: str) -> Signature:
    """Return what most functions share: one parameter, for the context."""
    return Signature(name, (Parameter(name),))


_NOTHING = Signature()
"""Shared by all functions that take nothing."""
