"""What users declare: procs and protos as plain, checked values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from parproc.core.durations import parse_duration
from parproc.core.model import Location
from parproc.core.names import check_name, nearest
from parproc.errors import UserError
from parproc.signature import Signature


class _Special:
    """A dependency that is a condition on the whole run."""

    def __repr__(self) -> str:
        return 'parproc.NO_FAILURES'


NO_FAILURES = _Special()
"""In ``deps``: run only while no proc of the run has failed."""


@dataclass(frozen=True, slots=True)
class WhenScheduled:
    """In ``rdeps``: when the declaring proc is scheduled, schedule the target too and run before it."""

    pattern: str


@dataclass(frozen=True, slots=True)
class WhenTargetScheduled:
    """In ``rdeps``: whenever the target is scheduled, run before it; what a plain pattern does."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Output:
    """In ``outputs``: a file the proc makes.

    Args:
        file: its path.
        max_age: seconds after which it is stale, None for never.
        enforce_freshness: whether it must have been written by the run.
    """

    file: str
    max_age: float | None = None
    enforce_freshness: bool = True


@dataclass(frozen=True, slots=True)
class DepProcContext:
    """What a callable in ``deps`` or ``arg_choices`` may look at: the proc it is called for."""

    proc_name: str
    params: Mapping[str, object]
    args: Mapping[str, object]


Dep: TypeAlias = 'str | _Special | Callable[..., Any]'
RDep: TypeAlias = 'str | WhenScheduled | WhenTargetScheduled'


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """A Proc or a Proto as it was declared; see :meth:`parproc.Session.Proc` for the fields' meaning."""

    name: str
    function: Callable[..., object]
    is_proto: bool
    signature: Signature
    deps: tuple[Dep, ...] = ()
    rdeps: tuple[RDep, ...] = ()
    locks: tuple[str, ...] = ()
    now: bool = False
    args: Mapping[str, object] = field(default_factory=dict)
    arg_choices: Mapping[str, object] | Callable[..., object] | None = None
    timeout: float | None = None
    wave: int = 0
    retries: int = 0
    retry_delay: float = 0.0
    inputs: tuple[object, ...] = ()
    inputs_ignore: tuple[str, ...] = ()
    outputs: tuple[str | Output, ...] = ()
    no_skip: bool = False
    interactive: bool = False
    isolated: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    doc: str = ''
    location: Location | None = None


def declare(function: Callable[..., object], name: str | None, *, is_proto: bool, **fields: Any) -> Declaration:
    """Check what a user declares.

    Args:
        function: the proc's function.
        name: None takes the function's name.
        is_proto: whether it is a family.
        fields: the other fields of :class:`Declaration`.

    Raises:
        UserError: for an unknown field or a value of the wrong type.
    """
    if not callable(function):
        raise UserError(f'a proc is declared with a function, not {function!r}')
    if name is not None and not isinstance(name, str):
        raise UserError(f'a proc name is text, not {name!r}')
    name = check_name(name or getattr(function, '__name__', ''))
    checked: dict[str, Any] = {}
    for key, value in fields.items():
        check = _CHECKS.get(key)
        if check is None or (key == 'arg_choices' and not is_proto):
            raise UserError(f'"{name}": unknown field "{key}"', hint=nearest(key, _CHECKS))
        if value is not None:
            checked[key] = check(f'"{name}": {key}', value)
    signature = Signature(function)
    if 'deps' not in checked and signature.declared_deps is not None:
        checked['deps'] = _deps(f'"{name}": deps', signature.declared_deps)
    checked.setdefault('doc', _first_paragraph(function))
    return Declaration(name, function, is_proto, signature, location=_location(function), **checked)


def _location(function: Callable[..., object]) -> Location | None:
    code = getattr(function, '__code__', None)
    return Location(code.co_filename, code.co_firstlineno) if code is not None else None


def _first_paragraph(function: Callable[..., object]) -> str:
    text = getattr(function, '__doc__', None) if hasattr(function, '__code__') else None
    return ' '.join(text.strip().split('\n\n')[0].split()) if text else ''


def _wrong(what: str, value: object, wanted: str) -> UserError:
    return UserError(f'{what} must be {wanted}, not {value!r}')


def _sequence(what: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, (Sequence, set, frozenset)):
        raise _wrong(what, value, 'a list')
    return tuple(value)


def _texts(what: str, value: object) -> tuple[str, ...]:
    items = _sequence(what, value)
    for item in items:
        if not isinstance(item, str):
            raise _wrong(what, item, 'a list of text')
    return tuple(dict.fromkeys(items))


def _deps(what: str, value: object) -> tuple[Dep, ...]:
    items = _sequence(what, value)
    for item in items:
        if not (isinstance(item, (str, _Special)) or callable(item)):
            raise _wrong(what, item, 'a list of names, callables or NO_FAILURES')
    return items


def _rdeps(what: str, value: object) -> tuple[RDep, ...]:
    items = _sequence(what, value)
    for item in items:
        pattern = item.pattern if isinstance(item, (WhenScheduled, WhenTargetScheduled)) else item
        if not isinstance(pattern, str):
            raise _wrong(what, item, 'a list of patterns, WhenScheduled or WhenTargetScheduled')
    return items


def _outputs(what: str, value: object) -> tuple[str | Output, ...]:
    items = _sequence(what, value)
    for item in items:
        if not isinstance(item, (str, Output)):
            raise _wrong(what, item, 'a list of paths or Output')
    return items


def _bool(what: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(what, value, 'True or False')
    return value


def _int(what: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(what, value, 'a whole number')
    return value


def _count(what: str, value: object) -> int:
    if _int(what, value) < 0:
        raise _wrong(what, value, 'zero or more')
    return _int(what, value)


def _text(what: str, value: object) -> str:
    import os

    if not isinstance(value, (str, os.PathLike)):
        raise _wrong(what, value, 'text')
    return str(value)


def _mapping(what: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _wrong(what, value, 'a dict with text keys')
    return dict(value)


def _environment(what: str, value: object) -> Mapping[str, str]:
    return {key: str(item) for key, item in _mapping(what, value).items()}


def _choices(what: str, value: object) -> object:
    if callable(value):
        return value
    choices = _mapping(what, value)
    return {key: item if callable(item) else _sequence(f'{what} of {key}', item) for key, item in choices.items()}


def _duration(what: str, value: object) -> float:
    return parse_duration(value, what)


_CHECKS: dict[str, Callable[[str, object], object]] = {
    'deps': _deps,
    'rdeps': _rdeps,
    'locks': _texts,
    'now': _bool,
    'args': _mapping,
    'arg_choices': _choices,
    'timeout': _duration,
    'wave': _int,
    'retries': _count,
    'retry_delay': _duration,
    'inputs': _sequence,
    'inputs_ignore': _texts,
    'outputs': _outputs,
    'no_skip': _bool,
    'interactive': _bool,
    'isolated': _bool,
    'env': _environment,
    'cwd': _text,
    'doc': _text,
}
