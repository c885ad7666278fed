"""Reverse dependencies: rules by which one proc puts itself before others, filed so that a name finds its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from parproc.core.names import Pattern, PatternIndex
from parproc.errors import UserError


@dataclass(frozen=True, slots=True)
class Rule:
    """Who goes before whatever a pattern matches.

    Args:
        declarer: a proc's name, or the pattern of a proto whose placeholders are filled from the match.
        order: place of the declarer's declaration.
    """

    declarer: str | Pattern
    order: int


class InjectionRules:
    """The rules of all unconditional reverse dependencies; finding those of a name does not look at the others."""

    __slots__ = ('_index',)

    def __init__(self, separator: str) -> None:
        self._index: PatternIndex[Rule] = PatternIndex(separator)

    def add(self, targets: Pattern, rule: Rule) -> None:
        """Put ``rule.declarer`` before every task whose name ``targets`` matches."""
        self._index.add(targets, rule)

    def before(self, target: str, texts_of: Callable[[str], Mapping[str, object]]) -> list[str]:
        """Return the names of the procs that go before ``target``, in the order of their declaration.

        A proc that a rule with a placeholder or glob would put before itself is left out.

        Args:
            target: a task's name.
            texts_of: gives that task's own arguments, for placeholders that the match leaves open.

        Raises:
            UserError: when neither the match nor the target supplies a placeholder of the declarer.
        """
        if not self._index:
            return []
        found = [(rule.order, rule, pattern, values) for pattern, rule, values in self._index.matches(target)]
        found.sort(key=lambda entry: entry[0])
        names: dict[str, None] = {}
        for _, rule, pattern, values in found:
            name = _filled(rule.declarer, pattern, values, target, texts_of)
            if name != target or pattern.is_concrete:
                names[name] = None
        return list(names)


def _filled(
    declarer: str | Pattern,
    targets: Pattern,
    values: Mapping[str, str],
    target: str,
    texts_of: Callable[[str], Mapping[str, object]],
) -> str:
    if isinstance(declarer, str):
        return declarer
    args: Mapping[str, object] = values
    if declarer.unfilled(args):
        args = {**texts_of(target), **values}
    unfilled = declarer.unfilled(args)
    if unfilled:
        raise UserError(
            f'"{declarer.text}" goes before "{target}", but its reverse dependency "{targets.text}" '
            f'gives no value for {", ".join(unfilled)}',
            hint=f'put [{unfilled[0]}] into "{targets.text}"',
        )
    return declarer.fill(args)


def reach(targets: Pattern, args: Mapping[str, object]) -> str:
    """Return ``targets`` filled from ``args``, a ``*`` for every placeholder left open.

    Example:
        >>> reach(Pattern('deploy::[env]::[os]', '::'), {'env': 'dev'})
        'deploy::dev::*'
    """
    return targets.fill({**dict.fromkeys(targets.placeholders, '*'), **args})
