"""Calling what users wrote: the functions of procs, and the callables that stand in declarations.

A first parameter that is not named like one of the arguments receives the context, the others the arguments they name.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from parproc.core.plain_data import shown
from parproc.declare.signature import Function, Signature, read, spelled
from parproc.errors import ProcFailedError, UserError

_type_of: Callable[[object], type] = type  # asked after a task has run, which may have exchanged the built-in one


def bind(function: Function, args: Mapping[str, object], signature: Signature) -> Callable[[object], object]:
    """Return a callable that takes the context and calls ``function`` with what it takes of ``args``.

    A coroutine that it returns is run to its end, however ``function`` came by it.
    """
    if signature.keywords:
        given = dict(args)
    else:
        given = {parameter.name: args[parameter.name] for parameter in signature.parameters if parameter.name in args}
    if signature.takes_context(args):
        return lambda context: _finished(function(context, **given))
    return lambda _: _finished(function(**given))


def _finished(value: object) -> object:
    """Return ``value``, or what it comes to where it is a coroutine."""
    kind = _type_of(value)
    if kind is types.CoroutineType:
        return _run_coroutine(value)
    if kind is types.AsyncGeneratorType:
        raise ProcFailedError('the function is an async generator, which returns nothing: use return, not yield')
    return value


def _run_coroutine(coroutine: Any) -> object:
    """Run a coroutine; where this thread is inside an event loop, as in a notebook, in a thread of its own."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    import contextvars
    import threading

    ended: list[tuple[object, BaseException | None]] = []

    def run() -> None:
        try:
            ended.append((asyncio.run(coroutine), None))
        except BaseException as error:
            ended.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    thread.join()
    value, error = ended[0]
    if error is not None:
        raise error
    return value


def call_with(function: Function, context: object, args: Mapping[str, object]) -> object:
    """Call ``function`` as this module does.

    Raises:
        UserError: when it requires an argument that ``args`` does not have.
    """
    signature = read(function)
    required = signature.required(args)
    if required:
        known = ', '.join(args) or 'none'
        raise UserError(f'{spelled(function)} requires an argument "{required[0]}"', hint=f'arguments: {known}')
    return bind(function, args, signature)(context)


def ask(function: Function, what: str, context: object, args: Mapping[str, object]) -> object:
    """Call a callable that stands in a declaration.

    Args:
        function: the user's callable.
        what: says in an error which one it is: ``deps of "build"``.
        context: for its first parameter, as this module does.
        args: the arguments it may name.

    Raises:
        UserError: for whatever it raises, with that as its cause.
    """
    try:
        return call_with(function, context, args)
    except UserError as error:
        raise UserError(f'{what}: {error.message}', hint=error.hint) from error
    except Exception as error:
        raise UserError(f'{what}: {spelled(function)} raised {type(error).__name__}: {error}') from error


def answered(answer: object, kinds: tuple[type, ...], what: str, hint: str) -> list[Any]:
    """Return what a callable in a declaration answered as a list: one of ``kinds``, or any number of them.

    Raises:
        UserError: for anything else, with ``hint``.
    """
    items = [answer] if isinstance(answer, kinds) else answer
    if not isinstance(items, Iterable) or isinstance(items, Mapping):
        raise UserError(f'{what}: a callable returned {shown(answer)}', hint=hint)
    found = list(items)
    for item in found:
        if not isinstance(item, kinds):
            raise UserError(f'{what}: a callable returned {shown(item)}', hint=hint)
    return found
