"""What can stand in ``deps`` and ``rdeps``: names, patterns, declared functions, callables, and what is no name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from parproc.core.names import check_name
from parproc.declare import checks
from parproc.declare.signature import Function


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

    The procs that ``pattern``, a pattern or a declared function, names are scheduled then too, and the declarer goes
    before them.
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


Dependency: TypeAlias = str | NoFailures | Function
ReverseDependency: TypeAlias = str | WhenScheduled | WhenTargetScheduled | Function


def dependencies(value: object, what: str) -> tuple[Dependency, ...]:
    """Return what ``deps`` holds, where ``value`` is a list of dependencies; raises UserError."""
    items: list[Dependency] = []
    for item in checks.items(value, what):
        if isinstance(item, str):
            items.append(check_name(item))
        elif isinstance(item, NoFailures) or callable(item):
            items.append(item)
        else:
            raise checks.wrong(f'an item of {what}', 'a name, a callable or NO_FAILURES', item)
    return tuple(items)


def reverse_dependencies(value: object, what: str) -> tuple[ReverseDependency, ...]:
    """Return what ``rdeps`` holds, where ``value`` is a list of reverse dependencies; raises UserError."""
    items: list[ReverseDependency] = []
    for item in checks.items(value, what):
        if isinstance(item, str):
            check_name(item)
        elif not isinstance(item, (WhenScheduled, WhenTargetScheduled)) and not callable(item):
            raise checks.wrong(f'an item of {what}', 'a pattern, WhenScheduled or WhenTargetScheduled', item)
        items.append(item)
    return tuple(items)


def target_of(rdep: ReverseDependency) -> str:
    """Return the pattern of a reverse dependency, in a declaration that the catalog has taken in.

    Raises:
        TypeError: when a function stands there still.
    """
    pattern = rdep.pattern if isinstance(rdep, (WhenScheduled, WhenTargetScheduled)) else rdep
    if not isinstance(pattern, str):
        raise TypeError(f'{pattern!r} has not become a name')
    return pattern


def _check_target(value: object, what: str) -> None:
    if not callable(value):
        check_name(checks.text(value, f'the pattern of {what}'))
