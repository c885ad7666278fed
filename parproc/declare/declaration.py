"""What users declare: procs and protos as checked, frozen values, and the words that declarations are written in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from parproc.core.durations import parse_duration
from parproc.core.model import Location
from parproc.core.names import check_name, nearest
from parproc.core.plain_data import shown
from parproc.declare import checks
from parproc.declare.checks import Choices
from parproc.declare.options import IgnoredLines, log_ignore
from parproc.declare.signature import Function, Signature, innermost, read
from parproc.errors import UserError

if TYPE_CHECKING:
    from parproc.core.commands import Command


class NoFailures:
    """The kind of :data:`NO_FAILURES`."""

    def __repr__(self) -> str:
        return 'NO_FAILURES'

    def __reduce__(self) -> str:
        return 'NO_FAILURES'


NO_FAILURES = NoFailures()
"""A dependency on the whole run: the proc runs only while no proc has failed."""


@dataclass(frozen=True, slots=True)
class WhenScheduled:
    """A reverse dependency that takes effect when its declarer is scheduled.

    The procs that ``pattern``, a pattern or a declared function, names are scheduled then too, and the declarer goes before them.
    """

    pattern: str | Function

    def __post_init__(self) -> None:
        _check_target(self.pattern, 'WhenScheduled')


@dataclass(frozen=True, slots=True)
class WhenTargetScheduled:
    """A reverse dependency that takes effect when a target is scheduled: the declarer then goes before it.

    A plain pattern among ``rdeps`` says the same.
    """

    pattern: str | Function

    def __post_init__(self) -> None:
        _check_target(self.pattern, 'WhenTargetScheduled')


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a proc makes.

    Args:
        file: its path.
        max_age: seconds, or text such as ``'1h'``, after which the file is too old; None for never.
        enforce_freshness: fail the proc when the file is older than ``max_age`` after it ran.
    """

    file: str
    max_age: float | str | None = None
    enforce_freshness: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, 'file', checks.path(self.file, 'file of Output'))
        if self.max_age is not None:
            object.__setattr__(self, 'max_age', parse_duration(self.max_age, 'max_age of Output'))


@dataclass(frozen=True, slots=True)
class DepProcContext:
    """What a callable in a declaration is told of the proc it is called for.

    Args:
        proc_name: the proc's name, or the proto's pattern where there is no proc yet.
        params: the run's parameters.
        args: the proc's arguments, as far as they are known.
    """

    proc_name: str
    params: Mapping[str, Any]
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """The task file that declares something.

    Args:
        scope: the folders that its names begin with, outermost first; none for the project's own file.
        folder: where its procs run; None for the run's own folder.
        separator: what stands between the segments of names.
    """

    scope: tuple[str, ...] = ()
    folder: str | None = None
    separator: str = '::'

    def full_name(self, name: str) -> str:
        """Return a name as the rest of the project knows it."""
        return self.separator.join((*self.scope, name)) if self.scope else name


ROOT = Origin()

Dependency: TypeAlias = str | NoFailures | Function
ReverseDependency: TypeAlias = str | WhenScheduled | WhenTargetScheduled | Function
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def reverse_dependencies(declaration: Declaration) -> tuple[str | WhenScheduled | WhenTargetScheduled, ...]:
    """Return what a proc goes before, in a declaration that the catalog has taken in."""
    return tuple(
        rdep if isinstance(rdep, (WhenScheduled, WhenTargetScheduled)) else target_of(rdep)
        for rdep in declaration.rdeps
    )


def target_of(rdep: ReverseDependency) -> str:
    """Return the pattern of a reverse dependency, in a declaration that the catalog has taken in.

    Raises:
        TypeError: when a function stands there still.
    """
    pattern = rdep.pattern if isinstance(rdep, (WhenScheduled, WhenTargetScheduled)) else rdep
    if not isinstance(pattern, str):
        raise TypeError(f'{pattern!r} has not become a name')
    return pattern


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
        outputs: files it makes.
        no_skip: never up to date.
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
    outputs: tuple[Output, ...] = ()
    no_skip: bool = False
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
    required = [] if is_proto else signature.required(checked.get('args', _NOTHING))
    if required:
        hint = 'a placeholder in a name needs Proto' if f'[{required[0]}]' in own_name else None
        raise UserError(
            f'{kind} "{own_name}": nothing supplies its parameter "{required[0]}"',
            hint=hint or f"give it a default, or args={{'{required[0]}': ...}}",
        )
    if 'deps' not in checked and (declared := signature.declared_deps()) is not None:
        checked['deps'] = _dependencies(declared, f'deps of {kind} "{own_name}"')
    if not checked.get('doc'):
        checked['doc'] = _first_paragraph(function)
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


def check_field(key: str, value: object, kind: str, name: str) -> object:
    """Return what one field of a declaration holds, checked; None, which any can be, says what leaving it out says.

    Args:
        key: the field.
        value: as written.
        kind: ``Proc`` or ``Proto``.
        name: whose field it is.

    Raises:
        UserError: for an unknown field, or a value that is wrong.
    """
    check = _CHECKS.get(key)
    if check is None:
        raise UserError(f'{kind} "{name}" has an unknown field "{key}"', hint=nearest(key, _CHECKS))
    if key == 'arg_choices' and kind == 'Proc':
        raise UserError(f'Proc "{name}" cannot have arg_choices', hint='only a Proto has arguments to choose')
    return None if value is None else check(value, f'{key} of {kind} "{name}"')


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


def _check_target(value: object, what: str) -> None:
    if not callable(value):
        check_name(checks.text(value, f'the pattern of {what}'))


def _dependencies(value: object, what: str) -> tuple[Dependency, ...]:
    items: list[Dependency] = []
    for item in checks.items(value, what):
        if isinstance(item, str):
            items.append(check_name(item))
        elif isinstance(item, NoFailures) or callable(item):
            items.append(item)
        else:
            raise checks.wrong(f'an item of {what}', 'a name, a callable or NO_FAILURES', item)
    return tuple(items)


def _reverse_dependencies(value: object, what: str) -> tuple[ReverseDependency, ...]:
    items: list[ReverseDependency] = []
    for item in checks.items(value, what):
        if isinstance(item, str):
            check_name(item)
        elif not isinstance(item, (WhenScheduled, WhenTargetScheduled)) and not callable(item):
            raise checks.wrong(f'an item of {what}', 'a pattern, WhenScheduled or WhenTargetScheduled', item)
        items.append(item)
    return tuple(items)


def _inputs(value: object, what: str) -> tuple[str | Function, ...]:
    label = f'an item of {what}'
    return tuple(item if callable(item) else checks.path(item, label) for item in checks.items(value, what))


def _outputs(value: object, what: str) -> tuple[Output, ...]:
    label = f'an item of {what}'
    items = checks.items(value, what)
    return tuple(item if isinstance(item, Output) else Output(checks.path(item, label)) for item in items)


_CHECKS: dict[str, Callable[[object, str], object]] = {
    'deps': _dependencies,
    'rdeps': _reverse_dependencies,
    'locks': checks.texts,
    'now': checks.flag,
    'args': checks.mapping,
    'timeout': checks.time_limit,
    'wave': checks.whole_number,
    'retries': checks.count,
    'retry_delay': parse_duration,
    'inputs': _inputs,
    'inputs_ignore': checks.texts,
    'outputs': _outputs,
    'no_skip': checks.flag,
    'log_ignore': log_ignore,
    'interactive': checks.flag,
    'isolated': checks.isolation,
    'env': checks.text_mapping,
    'cwd': checks.path,
    'doc': checks.text,
    'arg_choices': checks.choices,
}
FIELDS = tuple(_CHECKS)
