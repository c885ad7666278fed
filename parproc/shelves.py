"""Procs and protos filed so that a glob finds what it stands for without looking at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from parproc.core.names import glob_expression, is_glob, segment_expression
from parproc.core.targets import OpenPlaceholderError
from parproc.errors import UserError
from parproc.family import Family, open_placeholder_error

_MOST_SHOWN = 20


class Shelves:
    """Procs and families, filed by their number of segments and their first segment, for globs to be found fast.

    Args:
        separator: what stands between segments.
    """

    __slots__ = ('_found', '_separator', '_shelves')

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._shelves: dict[int, dict[str, list[tuple[int, str | Family]]]] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    def add(self, order: int, segments: Sequence[str], entry: str | Family) -> None:
        """File a proc's name or a family; ``order`` is its place in what a glob gives."""
        first = segments[0] if len(segments) > 1 else ''
        if isinstance(entry, Family) and segment_expression(first) is not None:
            first = ''
        self._shelves.setdefault(len(segments), {}).setdefault(first, []).append((order, entry))
        if self._found:
            self._found.clear()

    def glob(self, glob: str, params: Mapping[str, object], hint: Callable[[str], str | None]) -> tuple[str, ...]:
        """Return the names that ``glob`` matches, in the order of declaration, then of choices.

        Args:
            glob: a name with ``*`` and ``?``.
            params: the run's parameters, for choices.
            hint: gives a hint when nothing matches.

        Raises:
            UserError: when nothing matches, or when it meets an argument without choices.
        """
        found = self._found.get(glob)
        if found is None:
            found = self._found[glob] = self._search(glob, params, hint)
        return found

    def _search(self, glob: str, params: Mapping[str, object], hint: Callable[[str], str | None]) -> tuple[str, ...]:
        globs = glob.split(self._separator)
        expressions = [glob_expression(part) for part in globs]
        names: dict[str, None] = {}
        complaint: UserError | None = None
        for entry in self._candidates(globs):
            if isinstance(entry, str):
                if all(
                    expression.fullmatch(segment)
                    for expression, segment in zip(expressions, entry.split(self._separator), strict=True)
                ):
                    names[entry] = None
                continue
            try:
                names.update(dict.fromkeys(entry.names(glob, params)))
            except OpenPlaceholderError as problem:
                error = open_placeholder_error(glob, entry, problem)
                if entry.is_named_by(glob):
                    raise error from None
                complaint = complaint or error
        if not names:
            raise complaint or UserError(f'"{glob}" matches nothing', hint=self._hint(glob, globs, params, hint))
        return tuple(names)

    def _candidates(self, globs: Sequence[str]) -> Iterable[str | Family]:
        shelf = self._shelves.get(len(globs), {})
        if len(globs) > 1 and not is_glob(globs[0]):
            entries = [*shelf.get(globs[0], ()), *shelf.get('', ())]
        else:
            entries = [entry for file in shelf.values() for entry in file]
        entries.sort(key=lambda entry: entry[0])
        return [entry for _, entry in entries]

    def _hint(
        self, glob: str, globs: Sequence[str], params: Mapping[str, object], hint: Callable[[str], str | None]
    ) -> str | None:
        """Show the choices of the families that the glob names, else the nearest spelling."""
        for entry in self._candidates(globs):
            if isinstance(entry, Family) and entry.is_named_by(glob):
                shown = [
                    f'{name}: {", ".join(texts[:_MOST_SHOWN])}'
                    for name, texts in entry.choices(params).items()
                    if texts
                ]
                if shown:
                    return f'choices of {"; ".join(shown)}'
        return hint(glob)
