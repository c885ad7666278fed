"""From the words of a request to full names: globs over choices, trailing separators, what to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from parproc.core.names import PLACEHOLDER, Pattern, glob_expression, is_glob, segment_expression
from parproc.errors import UserError


class ChoiceSource(Protocol):
    """What values the placeholders of one pattern may have; ``bound`` holds the values left of the one asked for."""

    def texts(self, placeholder: str, bound: Mapping[str, str]) -> Sequence[str] | None:
        """Return all values as they stand in a name, None when any value is allowed."""

    def allows(self, placeholder: str, text: str, bound: Mapping[str, str]) -> bool:
        """Return whether ``text`` is a value the placeholder may have."""


class CatalogView(Protocol):
    """What :func:`expand` needs of a catalog."""

    @property
    def separators(self) -> Sequence[str]:
        """What stands between the segments of names."""

    @property
    def procs(self) -> Mapping[str, object]:
        """The procs that exist, by name."""

    def create(
        self,
        name: str,
        proc_name: str | None = None,
        args: Mapping[str, object] = ...,
        params: Mapping[str, object] = ...,
    ) -> list[str]:
        """Return the full names that ``name`` stands for; raises UserError."""


class OpenPlaceholderError(Exception):
    """A glob met a placeholder without choices, so there is nothing to try."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder)
        self.placeholder = placeholder


def expand(
    words: Iterable[str],
    catalog: CatalogView,
    *,
    params: Mapping[str, object] | None = None,
    exclude: Iterable[str] = (),
) -> list[str]:
    """Return the full names that the words of a command line stand for, each once, in the order of the words.

    Args:
        words: names, filled-out proto names, globs; a trailing separator is a glob (``build::`` is ``build::*``).
        catalog: creates what the words name.
        params: the run's parameters, for choices that are worked out from them.
        exclude: names or globs to leave out.

    Raises:
        UserError: for a word that names nothing, or when everything was left out.
    """
    separators = catalog.separators
    left_out = [Pattern(_whole_glob(word, separators), separator) for word in exclude for separator in separators]
    names: dict[str, None] = {}
    for word in words:
        meant = word if word in catalog.procs else _whole_glob(word, separators)
        names.update(dict.fromkeys(catalog.create(meant, None, {}, params or {})))
    kept = [name for name in names if all(pattern.match(name) is None for pattern in left_out)]
    if names and not kept:
        texts = dict.fromkeys(pattern.text for pattern in left_out)
        raise UserError('every target is excluded', hint=f'excluded: {", ".join(texts)}')
    return kept


def _whole_glob(word: str, separators: Sequence[str]) -> str:
    return f'{word}*' if word.endswith(tuple(separators)) else word


def fill_glob(pattern: Pattern, glob: str, choices: ChoiceSource) -> Iterator[dict[str, str]]:
    """Yield every way to fill ``pattern`` so that ``glob`` matches the result, in the order of the choices.

    Where a glob stands for a literal segment of the pattern, it only reaches the pattern by chance: placeholders
    without choices take no value then, as nobody meant them.

    Raises:
        OpenPlaceholderError: when that cannot be told without choices for a placeholder.
    """
    globs = glob.split(pattern.separator)
    if len(globs) != len(pattern.segments):
        return
    meant = True
    for segment, part in zip(pattern.segments, globs, strict=True):
        if segment_expression(segment) is None:
            if not glob_expression(part).fullmatch(segment):
                return
            meant = meant and not is_glob(part)
    yield from _fill_from(0, pattern.segments, globs, {}, _Filling(choices, meant=meant))


def names_literally(pattern: Pattern, glob: str) -> bool:
    """Return whether ``glob`` spells every literal segment of ``pattern``, and there is one."""
    globs = glob.split(pattern.separator)
    literal = [index for index, segment in enumerate(pattern.segments) if segment_expression(segment) is None]
    return (
        len(globs) == len(pattern.segments)
        and bool(literal)
        and all(pattern.segments[index] == globs[index] for index in literal)
    )


class _Filling:
    """How one pattern is filled: its choices, and whether the glob means this very pattern."""

    def __init__(self, choices: ChoiceSource, *, meant: bool) -> None:
        self.choices = choices
        self.meant = meant

    def segment(self, segment: str, glob: str, bound: dict[str, str]) -> Iterator[dict[str, str]]:
        expression = segment_expression(segment)
        if expression is None:
            yield bound
        elif is_glob(glob):
            wanted = glob_expression(glob)
            for filled, text in self._products(PLACEHOLDER.findall(segment), segment, bound):
                if wanted.fullmatch(text):
                    yield filled
        elif found := expression.fullmatch(glob):
            filled = dict(bound)
            for placeholder, text in found.groupdict().items():
                if not self.meant and self.choices.texts(placeholder, filled) is None:
                    raise OpenPlaceholderError(placeholder)
                if not self.choices.allows(placeholder, text, filled):
                    return
                filled[placeholder] = text
            yield filled

    def _products(
        self, placeholders: list[str], segment: str, bound: dict[str, str]
    ) -> Iterator[tuple[dict[str, str], str]]:
        if not placeholders:
            yield bound, segment
            return
        first, *rest = placeholders
        texts = self.choices.texts(first, bound)
        if texts is None:
            raise OpenPlaceholderError(first)
        for text in texts:
            yield from self._products(rest, segment.replace(f'[{first}]', text), {**bound, first: text})


def _fill_from(
    index: int, segments: Sequence[str], globs: Sequence[str], bound: dict[str, str], filling: _Filling
) -> Iterator[dict[str, str]]:
    if index == len(segments):
        yield bound
        return
    for filled in filling.segment(segments[index], globs[index], bound):
        yield from _fill_from(index + 1, segments, globs, filled, filling)
