"""Closed unions: how a place that takes a value of a union apart says that it has handled every member of it."""

from __future__ import annotations

from typing import NoReturn

from parproc.errors import InternalError


def assert_never(value: NoReturn) -> NoReturn:
    """End an ``if`` or ``match`` over a closed union: a member that is not handled above is a type error.

    The standard library has this function from Python 3.11 on.

    Example:
        >>> def width(shape: Circle | Square) -> float:
        ...     if isinstance(shape, Circle):
        ...         return 2 * shape.radius
        ...     if isinstance(shape, Square):
        ...         return shape.side
        ...     assert_never(shape)

    Args:
        value: what is left when every member of the union was handled; to the type checker, nothing.

    Raises:
        InternalError: always, when it is reached after all.
    """
    raise InternalError(f'not handled: {value!r}')
