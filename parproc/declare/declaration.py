"""One declaration: all that a Proc or Proto was declared with, as a checked, frozen value."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from parproc.core.model import Location
from parproc.core.names import check_name
from parproc.core.plain_data import shown
from parproc.declare import checks
from parproc.declare.checks import Choices
from parproc.declare.dependency_kinds import (
    Dependency,
    ReverseDependency,
    WhenScheduled,
    WhenTargetScheduled,
    dependencies,
    target_of,
)
from parproc.declare.fields import check_field
from parproc.declare.log_filters import IgnoredLines
from parproc.declare.origin import ROOT, Origin
from parproc.declare.signature import Function, Signature, innermost, read
from parproc.errors import UserError

if TYPE_CHECKING:
    from parproc.core.commands import Command


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """All that a Proc or Proto was declared with, checked.

    Args:
        name: the proc's name or the proto's pattern, as written.
        function: what it calls; None where it is a command.
        is_proto: whether it is a family of procs.
        signature: what ``function`` takes.
        order: place among all declarations.
        location: where it is defined, when known.
        deps: names, patterns, globs, callables and :data:`NO_FAILURES`.
        rdeps: what it goes before.
        locks: names of locks; ``[placeholder]`` in them is filled from the arguments.
        now: scheduled when defined.
        args: values for parameters of the function.
        timeout: seconds one attempt may take, None for any.
        wave: it starts only when no proc of a lower wave is wanted or running.
        retries: how many attempts may follow a failed one.
        retry_delay: seconds before the second attempt, doubled for each further one.
        inputs: paths, globs, callables and ``env:NAME``.
        inputs_ignore: globs that are no inputs.
        interactive: it talks to the terminal.
        isolated: it runs in a process of its own in every mode; ``fresh``: in a new interpreter.
        env: environment variables set for it.
        cwd: its working directory, None for the run's.
        doc: one paragraph for people.
        arg_choices: placeholder -> the values it may have; or a callable that returns such a mapping.
        commands: what it runs, one after the other, where it has no function.
        scope: the folders of an included task file, which its names begin with.
        separator: what stands between the segments of its names.
        log_ignore: lines of its log that are not shown, beside those of the option.
    """

    name: str
    function: Function | None
    is_proto: bool
    signature: Signature
    order: int
    location: Location | None = None
    deps: tuple[Dependency, ...] = ()
    rdeps: tuple[ReverseDependency, ...] = ()
    locks: tuple[str, ...] = ()
    now: bool = False
    args: Mapping[str, object] = field(default_factory=_nothing)
    timeout: float | None = None
    wave: int = 0
    retries: int = 0
    retry_delay: float = 0.0
    inputs: tuple[str | Function, ...] = ()
    inputs_ignore: tuple[str, ...] = ()
    interactive: bool = False
    isolated: bool | str = False
    env: Mapping[str, str] = field(default_factory=_nothing)
    cwd: str | None = None
    doc: str = ''
    arg_choices: Choices | Function | None = None
    commands: tuple[Command, ...] = ()
    scope: tuple[str, ...] = ()
    separator: str = '::'
    log_ignore: IgnoredLines = ()

    def goes_before(self) -> tuple[str | WhenScheduled | WhenTargetScheduled, ...]:
        """Return what it goes before, with names in place of functions; only once the catalog has taken it in."""
        return tuple(
            rdep if isinstance(rdep, (WhenScheduled, WhenTargetScheduled)) else target_of(rdep) for rdep in self.rdeps
        )


def make_declaration(
    function: Function | None,
    name: str | None = None,
    *,
    is_proto: bool,
    location: Location | None = None,
    commands: tuple[Command, ...] = (),
    origin: Origin = ROOT,
    **fields: object,
) -> Declaration:
    """Check what a Proc or Proto is declared with.

    Args:
        function: the user's function, None for a command.
        name: its name or pattern; the function's own when None.
        is_proto: whether it is a family of procs.
        location: where it is defined; the function's own place when None.
        commands: what it runs where ``function`` is None.
        origin: the task file that declares it.
        fields: see :class:`Declaration`.

    Raises:
        UserError: for an unknown field, a wrong type, or a function whose parameters nothing supplies.

    Example:
        >>> make_declaration(lambda context: 1, 'f', is_proto=False, deps=['a'], timeout='1m').timeout
        60.0
    """
    kind = 'Proto' if is_proto else 'Proc'
    if function is not None and not callable(function):
        raise UserError(f'{kind} takes a function, not {shown(function)}')
    own_name = _own_name(function, kind) if name is None else checks.text(name, f'the name of a {kind}')
    own_name = origin.full_name(check_name(own_name))
    signature = Signature() if function is None else _read(function, kind, own_name)
    checked = _checked(fields, kind, own_name)
    if not is_proto:
        _check_supplied(signature, checked.get('args', _NOTHING), own_name)
    if 'deps' not in checked:
        checked['deps'] = _declared_deps(signature, kind, own_name)
    checked['doc'] = checked.get('doc') or _first_paragraph(function)
    if origin.folder is not None:
        checked['cwd'] = os.path.normpath(os.path.join(origin.folder, checked.get('cwd', '')))
    return Declaration(
        own_name,
        function,
        is_proto,
        signature,
        next(_ORDER),
        location=_place(function) if location is None else location,
        commands=commands,
        scope=origin.scope,
        separator=origin.separator,
        **checked,
    )


_ORDER = itertools.count()


def _checked(fields: Mapping[str, object], kind: str, name: str) -> dict[str, Any]:
    checked = {key: check_field(key, value, kind, name) for key, value in fields.items()}
    return {key: value for key, value in checked.items() if value is not None}


def _check_supplied(signature: Signature, args: Mapping[str, object], name: str) -> None:
    """Raise a UserError for a parameter of a Proc's function that has no value."""
    required = signature.required(args)
    if required:
        hint = 'a placeholder in a name needs Proto' if f'[{required[0]}]' in name else None
        raise UserError(
            f'Proc "{name}": nothing supplies its parameter "{required[0]}"',
            hint=hint or f"give it a default, or args={{'{required[0]}': ...}}",
        )


def _declared_deps(signature: Signature, kind: str, name: str) -> tuple[Dependency, ...]:
    """Return the dependencies that stand as the default of a parameter ``deps``."""
    declared = signature.declared_deps()
    return () if declared is None else dependencies(declared, f'deps of {kind} "{name}"')


def _read(function: Function, kind: str, name: str) -> Signature:
    try:
        return read(function)
    except UserError as error:
        raise UserError(f'{kind} "{name}": {error.message}', hint=error.hint) from error


def _own_name(function: object, kind: str) -> str:
    name = getattr(function, '__name__', None)
    if not isinstance(name, str) or name == '<lambda>':
        raise UserError(f'a {kind} of {shown(function)} needs a name', hint=f"write {kind}('name', ...)")
    return name


def _place(function: object) -> Location | None:
    code = getattr(innermost(function), '__code__', None)
    return None if code is None else Location(code.co_filename, code.co_firstlineno)


def _first_paragraph(function: object) -> str:
    found = innermost(function)
    text = found.__doc__ if hasattr(found, '__code__') else None
    if not text:
        return ''
    lines = []
    for line in text.strip().splitlines():
        if not line.strip():
            break
        lines.append(line.strip())
    return ' '.join(lines)
