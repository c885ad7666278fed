"""Which lines of logs are not shown: the patterns of ``log_ignore``, and what is found by all of them together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from parproc.declare import checks


@dataclass(frozen=True, slots=True)
class IgnoreLogAlways:
    """Lines of logs that are never shown: those in which ``pattern``, a regular expression, is found."""

    pattern: str

    def __post_init__(self) -> None:
        checks.regular_expression(self.pattern, 'a pattern of log_ignore')


@dataclass(frozen=True, slots=True)
class IgnoreLogIfSucceeded:
    """Lines of logs that are shown only when the proc failed: those in which ``pattern`` is found."""

    pattern: str

    def __post_init__(self) -> None:
        checks.regular_expression(self.pattern, 'a pattern of log_ignore')


IgnoredLines: TypeAlias = tuple[IgnoreLogAlways | IgnoreLogIfSucceeded, ...]


def ignored_lines(value: object, what: str) -> IgnoredLines:
    """Return patterns of lines that are not shown, where ``value`` is a list of such; raises UserError."""
    kinds = (IgnoreLogAlways, IgnoreLogIfSucceeded)
    if isinstance(value, kinds):
        raise checks.wrong(what, 'a list', value, hint='put it in brackets: [...]')
    patterns = [item.pattern if isinstance(item, re.Pattern) else item for item in checks.items(value, what)]
    return tuple(
        item if isinstance(item, kinds) else IgnoreLogAlways(checks.text(item, f'a pattern of {what}'))
        for item in patterns
    )


def ignored_by(patterns: IgnoredLines, *, succeeded: bool) -> re.Pattern[str] | None:
    """Return what is found in the lines of a log that are not shown; None when all are.

    Args:
        patterns: those of the option and of the proc whose log it is.
        succeeded: whether the proc did.
    """
    found = [item.pattern for item in patterns if succeeded or isinstance(item, IgnoreLogAlways)]
    return re.compile('|'.join(f'(?:{pattern})' for pattern in found)) if found else None
