"""The fields that a Proc or Proto can be declared with, each with its check."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.names import nearest
from parproc.declare import checks
from parproc.declare.dependency_kinds import dependencies, reverse_dependencies
from parproc.declare.log_filters import ignored_lines
from parproc.declare.signature import Function
from parproc.errors import UserError


def _inputs(value: object, what: str) -> tuple[str | Function, ...]:
    label = f'an item of {what}'
    return tuple(item if callable(item) else checks.path(item, label) for item in checks.items(value, what))


_CHECKS: dict[str, Callable[[object, str], object]] = {
    'deps': dependencies,
    'rdeps': reverse_dependencies,
    'locks': checks.texts,
    'now': checks.flag,
    'args': checks.mapping,
    'timeout': checks.time_limit,
    'wave': checks.whole_number,
    'retries': checks.count,
    'retry_delay': checks.duration,
    'inputs': _inputs,
    'inputs_ignore': checks.texts,
    'log_ignore': ignored_lines,
    'interactive': checks.flag,
    'isolated': checks.isolation,
    'env': checks.text_mapping,
    'cwd': checks.path,
    'doc': checks.text,
    'arg_choices': checks.choices,
}
FIELDS = tuple(_CHECKS)
NOT_SUPPORTED_YET = {
    'outputs': 'inputs_ignore keeps watch from running a proc again for the files that it makes',
    'no_skip': 'leave it out: a proc that is started always runs',
}
"""Fields that will mean something one day, each with what to write instead today."""


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
        raise unknown_field(f'{kind} "{name}"', key, 'field', FIELDS)
    if key == 'arg_choices' and kind == 'Proc':
        raise UserError(f'Proc "{name}" cannot have arg_choices', hint='only a Proto has arguments to choose')
    return None if value is None else check(value, f'{key} of {kind} "{name}"')


def unknown_field(what: str, key: str, kind: str, known: tuple[str, ...]) -> UserError:
    """Return the error for a field that is none, or none yet.

    Args:
        what: says whose field it is: ``Proc "build"``.
        key: the field.
        kind: what the place where it is written calls a field.
        known: those there are, for the nearest spelling.
    """
    if key in NOT_SUPPORTED_YET:
        return UserError(f'{what}: "{key}" is not supported yet', hint=NOT_SUPPORTED_YET[key])
    return UserError(f'{what} has an unknown {kind} "{key}"', hint=nearest(key, known))
