"""The fields that a Proc or Proto can be declared with, each with its check."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.names import nearest
from parproc.declare import checks
from parproc.declare.dependency_kinds import dependencies, reverse_dependencies
from parproc.declare.log_filters import ignored_lines
from parproc.declare.output import Output
from parproc.declare.signature import Function
from parproc.errors import UserError


def _inputs(value: object, what: str) -> tuple[str | Function, ...]:
    label = f'an item of {what}'
    return tuple(item if callable(item) else checks.path(item, label) for item in checks.items(value, what))


def _outputs(value: object, what: str) -> tuple[Output, ...]:
    label = f'an item of {what}'
    items = checks.items(value, what)
    return tuple(item if isinstance(item, Output) else Output(checks.path(item, label)) for item in items)


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
    'outputs': _outputs,
    'no_skip': checks.flag,
    'log_ignore': ignored_lines,
    'interactive': checks.flag,
    'isolated': checks.isolation,
    'env': checks.text_mapping,
    'cwd': checks.path,
    'doc': checks.text,
    'arg_choices': checks.choices,
}
FIELDS = tuple(_CHECKS)


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
