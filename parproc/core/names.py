"""Names of procs and the patterns that describe families of them.

A name is a list of segments with a separator between them (``build::prod``). A pattern is a name in which
``[placeholder]`` stands for one or more characters that do not contain the separator. Matching goes segment by
segment, so ``build::[env]`` can never swallow ``build::a::b``. ``*`` and ``?`` are globs within one segment.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

from parproc.errors import UserError

Value = TypeVar('Value')
PLACEHOLDER = re.compile(r'\[([^\W\d]\w*)\]')
_CONTROL = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def check_name(name: str) -> str:
    """Return ``name`` when a proc may be called so.

    Raises:
        UserError: for an empty name or one with control characters.
    """
    if not name:
        raise UserError('a proc name cannot be empty')
    if _CONTROL.search(name):
        raise UserError(f'a proc name cannot contain control characters: {name!a}')
    return name


def is_glob(text: str) -> bool:
    """Return whether ``text`` contains ``*`` or ``?``."""
    return '*' in text or '?' in text


@lru_cache(maxsize=1024)
def glob_expression(glob: str) -> re.Pattern[str]:
    """Compile a glob over one segment; only ``*`` and ``?`` are special."""
    parts = {'*': '.*', '?': '.'}
    return re.compile(''.join(parts.get(char) or re.escape(char) for char in glob), re.DOTALL)


def is_spelled_by(name: str, glob: str, separator: str) -> bool:
    """Return whether ``glob`` matches ``name``, segment by segment."""
    segments, globs = name.split(separator), glob.split(separator)
    return len(segments) == len(globs) and all(
        glob_expression(part).fullmatch(segment) for part, segment in zip(globs, segments, strict=True)
    )


class Pattern:
    """A parsed pattern.

    Args:
        text: ``build::[env]``; text without placeholders is a pattern that matches just itself.
        separator: what stands between segments.

    Raises:
        UserError: when a placeholder occurs twice.

    Example:
        >>> Pattern('build::[env]', '::').match('build::prod')
        {'env': 'prod'}
        >>> Pattern('build::[env]', '::').fill({'env': 'dev'})
        'build::dev'
    """

    __slots__ = ('_expressions', 'placeholders', 'segments', 'separator', 'text')

    def __init__(self, text: str, separator: str) -> None:
        self.text = check_name(text)
        self.separator = separator
        self.segments = _split(text, separator)
        self.placeholders: tuple[str, ...] = tuple(PLACEHOLDER.findall(text)) if '[' in text else ()
        if len(set(self.placeholders)) < len(self.placeholders):
            raise UserError(f'"{text}" has the same placeholder twice')
        self._expressions: list[re.Pattern[str] | None] | None = None

    @property
    def is_concrete(self) -> bool:
        """Whether the pattern has neither placeholder nor glob, and so matches just itself."""
        return not self.placeholders and not is_glob(self.text)

    def match(self, name: str) -> dict[str, str] | None:
        """Return placeholder -> value when the pattern describes ``name``, else None."""
        if self.is_concrete:
            return {} if name == self.text else None
        segments = name.split(self.separator)
        if len(segments) != len(self.segments):
            return None
        if self._expressions is None:
            self._expressions = [segment_expression(segment) for segment in self.segments]
        values: dict[str, str] = {}
        for mine, expression, theirs in zip(self.segments, self._expressions, segments, strict=True):
            if expression is None:
                if mine != theirs:
                    return None
            elif (found := expression.fullmatch(theirs)) is None:
                return None
            else:
                values.update(found.groupdict())
        return values

    def fill(self, args: Mapping[str, object]) -> str:
        """Return the pattern with every placeholder that ``args`` has replaced by its value."""
        if not self.placeholders:
            return self.text
        return PLACEHOLDER.sub(lambda found: as_text(args[found[1]]) if found[1] in args else found[0], self.text)

    def unfilled(self, args: Mapping[str, object]) -> list[str]:
        """Return the placeholders that ``args`` has no value for."""
        return [placeholder for placeholder in self.placeholders if placeholder not in args]


def as_text(value: object) -> str:
    """Return an argument as it stands in a name: an enum member by its value, anything else by ``str``."""
    return str(value.value if isinstance(value, enum.Enum) else value)


def segment_expression(segment: str) -> re.Pattern[str] | None:
    """Compile one segment of a pattern, a named group for each placeholder; None when it is literal."""
    if '[' not in segment and not is_glob(segment):
        return None
    parts: list[str] = []
    end = 0
    for found in PLACEHOLDER.finditer(segment):
        parts.append(glob_expression(segment[end : found.start()]).pattern)
        parts.append(f'(?P<{found[1]}>.+)')
        end = found.end()
    parts.append(glob_expression(segment[end:]).pattern)
    return re.compile(''.join(parts), re.DOTALL)


def _split(text: str, separator: str) -> list[str]:
    """Split at separators outside of brackets: ``[my_env]`` stays whole where the separator is ``_``."""
    if '[' not in text:
        return text.split(separator)
    placeholders = iter(PLACEHOLDER.finditer(text))
    segments = PLACEHOLDER.sub('\0', text).split(separator)
    return [''.join(next(placeholders)[0] if char == '\0' else char for char in segment) for segment in segments]


class PatternIndex(Generic[Value]):
    """Finds the patterns that match a name without trying them all.

    Patterns are filed segment by segment in a tree: literal segments are looked up, only placeholders and globs tried.
    Each is split, and splits names, at its own separator.
    """

    __slots__ = ('_roots',)

    def __init__(self) -> None:
        self._roots: dict[str, dict[int, _Branch[Value]]] = {}

    def __bool__(self) -> bool:
        return bool(self._roots)

    def add(self, pattern: Pattern, value: Value) -> None:
        """File ``value`` under ``pattern``; values under one pattern keep their order."""
        self._branch(pattern).leaves.append((pattern, value))

    def remove(self, pattern: Pattern, value: Value) -> None:
        """Take away what was filed under ``pattern`` and equals ``value``."""
        branch = self._branch(pattern)
        branch.leaves = [leaf for leaf in branch.leaves if leaf[1] != value]

    def matches(self, name: str) -> Iterator[tuple[Pattern, Value, dict[str, str]]]:
        """Yield each pattern that matches ``name``, its value and what its placeholders stand for."""
        for separator, roots in self._roots.items():
            segments = name.split(separator)
            root = roots.get(len(segments))
            branches = [] if root is None else [root]
            for segment in segments:
                branches = [child for branch in branches for child in branch.fitting(segment)]
            for branch in branches:
                for pattern, value in branch.leaves:
                    values = pattern.match(name)
                    if values is not None:
                        yield pattern, value, values

    def _branch(self, pattern: Pattern) -> _Branch[Value]:
        branch = self._roots.setdefault(pattern.separator, {}).setdefault(len(pattern.segments), _Branch())
        for segment in pattern.segments:
            branch = branch.child(segment)
        return branch


class _Branch(Generic[Value]):
    """A place in the tree of patterns: what may follow, and the patterns that end here."""

    __slots__ = ('leaves', 'literal', 'open')

    def __init__(self) -> None:
        self.literal: dict[str, _Branch[Value]] = {}
        self.open: dict[str, tuple[re.Pattern[str], _Branch[Value]]] = {}
        self.leaves: list[tuple[Pattern, Value]] = []

    def child(self, segment: str) -> _Branch[Value]:
        expression = segment_expression(segment)
        if expression is None:
            return self.literal.setdefault(segment, _Branch())
        return self.open.setdefault(segment, (expression, _Branch()))[1]

    def fitting(self, segment: str) -> Iterator[_Branch[Value]]:
        literal = self.literal.get(segment)
        if literal is not None:
            yield literal
        for expression, branch in self.open.values():
            if expression.fullmatch(segment):
                yield branch


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known name that is spelled most like ``word``, None when none comes close.

    A name that is just that is no hint.

    Example:
        >>> nearest('biuld', ['build', 'test'])
        'did you mean build?'
    """
    import difflib

    lowered = {name.lower(): name for name in known if name != word}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f'did you mean {lowered[found[0]]}?' if found else None
