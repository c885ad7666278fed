"""Declared functions, which stand for their procs wherever a name is taken."""

from __future__ import annotations

import types
from collections.abc import Callable

from parproc.declare.signature import spelled
from parproc.errors import UserError


class FunctionNames:
    """The names under which functions were declared; a function is known by being the same object."""

    __slots__ = ('_names',)

    def __init__(self) -> None:
        self._names: dict[tuple[int, ...], list[str]] = {}

    def add(self, function: Callable[..., object] | None, name: str) -> None:
        """Note that ``function``, which has to stay alive, is declared as ``name``."""
        if function is not None:
            self._names.setdefault(_identity(function), []).append(name)

    def remove(self, function: Callable[..., object] | None, name: str) -> None:
        """Forget what was noted."""
        if function is not None:
            left = [other for other in self._names.pop(_identity(function), ()) if other != name]
            if left:
                self._names[_identity(function)] = left

    def find(self, function: Callable[..., object]) -> str | None:
        """Return the name a function is declared as, None when it is not.

        Raises:
            UserError: when it is declared under several.
        """
        names = self._names.get(_identity(function), ())
        if len(names) > 1:
            listed = ' and '.join(f'"{name}"' for name in names)
            raise UserError(
                f'{spelled(function)} is declared as {listed}', hint='write the name of the one that is meant'
            )
        return names[0] if names else None

    def name_of(self, function: Callable[..., object]) -> str:
        """Return the name a function is declared as.

        Raises:
            UserError: when it is not declared, or under several names.
        """
        name = self.find(function)
        if name is None:
            raise UserError(f'{spelled(function)} is no proc', hint='declare it with @Proc or @Proto, or write a name')
        return name


def _identity(function: object) -> tuple[int, ...]:
    """Return what tells a function from all others; a bound method is made anew each time it is looked up."""
    if isinstance(function, types.MethodType):
        return id(function.__self__), id(function.__func__)
    return (id(function),)
