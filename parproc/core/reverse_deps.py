"""Reverse dependencies: rules by which one proc puts itself before others, filed so that a name finds its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from parproc.core.names import Pattern, PatternIndex


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

    def __init__(self) -> None:
        self._index: PatternIndex[Rule] = PatternIndex()

    def add(self, targets: Pattern, rule: Rule) -> None:
        """Put ``rule.declarer`` before every task whose name ``targets`` matches."""
        self._index.add(targets, rule)

    def remove(self, targets: Pattern, rule: Rule) -> None:
        """Forget what was added."""
        self._index.remove(targets, rule)

    def before(
        self,
        target: str,
        texts_of: Callable[[str], Mapping[str, object]],
        made_of: Callable[[str, Mapping[str, str]], Iterable[str]],
    ) -> list[str]:
        """Return the names of the procs that go before ``target``, in the order of their declaration.

        A proc that a rule with a placeholder or glob would put before itself is left out.

        Args:
            target: a task's name.
            texts_of: gives that task's own arguments, for placeholders that the match leaves open.
            made_of: gives the procs that exist of a declarer's pattern and have the values that the match gives, for
                placeholders that the target leaves open too.
        """
        if not self._index:
            return []
        found = [(rule.order, rule, pattern, values) for pattern, rule, values in self._index.matches(target)]
        found.sort(key=lambda entry: entry[0])
        names: dict[str, None] = {}
        for _, rule, pattern, values in found:
            declarer = rule.declarer
            if isinstance(declarer, str):
                filled: str | None = declarer
            else:
                filled = _filled(declarer, values, lambda: texts_of(target))
                if filled is None:
                    names.update(dict.fromkeys(name for name in made_of(declarer.text, values) if name != target))
            if filled is not None and (filled != target or pattern.is_concrete):
                names[filled] = None
        return list(names)


def _filled(declarer: Pattern, values: Mapping[str, str], texts: Callable[[], Mapping[str, object]]) -> str | None:
    """Return the declarer's name with the match's values, then the target's; None when some placeholder has neither."""
    args: Mapping[str, object] = values
    if declarer.unfilled(args):
        args = {**texts(), **values}
    return None if declarer.unfilled(args) else declarer.fill(args)


def reach(targets: Pattern, args: Mapping[str, object]) -> str:
    """Return ``targets`` filled from ``args``, a ``*`` for every placeholder left open.

    Example:
        >>> reach(Pattern('deploy::[env]::[os]', '::'), {'env': 'dev'})
        'deploy::dev::*'
    """
    return targets.fill({**dict.fromkeys(targets.placeholders, '*'), **args})
