"""Procs and protos filed so that a glob finds what it stands for without looking at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from parproc.catalog.proto import ProtoFamily, open_placeholder_error
from parproc.core.names import is_glob, is_spelled_by, segment_expression
from parproc.core.targets import OpenPlaceholderError
from parproc.errors import UserError

_MOST_SHOWN = 20


class NoMatchError(UserError):
    """A glob matches nothing that is declared so far."""


class GlobIndex:
    """Procs and families, filed by their number of segments and their first segment, for globs to be found fast."""

    __slots__ = ('_buckets', '_found')

    def __init__(self) -> None:
        self._buckets: dict[str, dict[int, dict[str, list[tuple[int, str | ProtoFamily]]]]] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    @property
    def separators(self) -> Iterable[str]:
        """The separators of what was added."""
        return self._buckets

    def add(self, order: int, separator: str, entry: str | ProtoFamily) -> None:
        """File a proc's name or a family.

        Args:
            order: its place in what a glob gives.
            separator: what stands between the segments of its name.
            entry: what is found.
        """
        self._bucket(separator, entry).append((order, entry))
        self._found.clear()

    def remove(self, separator: str, entry: str | ProtoFamily) -> None:
        """Take away what was added."""
        bucket = self._bucket(separator, entry)
        bucket[:] = [filed for filed in bucket if filed[1] != entry]
        self._found.clear()

    def _bucket(self, separator: str, entry: str | ProtoFamily) -> list[tuple[int, str | ProtoFamily]]:
        segments = entry.split(separator) if isinstance(entry, str) else entry.pattern.segments
        first = segments[0] if len(segments) > 1 else ''
        if isinstance(entry, ProtoFamily) and segment_expression(first) is not None:
            first = ''
        return self._buckets.setdefault(separator, {}).setdefault(len(segments), {}).setdefault(first, [])

    def glob(self, glob: str, params: Mapping[str, object], hint: Callable[[str], str | None]) -> tuple[str, ...]:
        """Return the names that ``glob`` matches, in the order of declaration, then of choices.

        Args:
            glob: a name with ``*`` and ``?``.
            params: the run's parameters, for choices.
            hint: gives a hint when nothing matches.

        Raises:
            NoMatchError: when nothing matches.
            UserError: when it meets an argument without choices.
        """
        found = self._found.get(glob)
        if found is None:
            found = self._found[glob] = self._search(glob, params, hint)
        return found

    def _search(self, glob: str, params: Mapping[str, object], hint: Callable[[str], str | None]) -> tuple[str, ...]:
        names: dict[str, None] = {}
        complaint: UserError | None = None
        for separator, entry in self._candidates(glob):
            if isinstance(entry, str):
                if is_spelled_by(entry, glob, separator):
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
            raise complaint or NoMatchError(f'"{glob}" matches nothing', hint=self._hint(glob, params, hint))
        return tuple(names)

    def _candidates(self, glob: str) -> Iterable[tuple[str, str | ProtoFamily]]:
        """Return what the glob may mean, each with its separator, in the order of declaration."""
        found: list[tuple[int, str, str | ProtoFamily]] = []
        for separator, by_length in self._buckets.items():
            globs = glob.split(separator)
            by_first = by_length.get(len(globs), {})
            literal = len(globs) > 1 and not is_glob(globs[0])
            buckets = [by_first.get(globs[0], []), by_first.get('', [])] if literal else list(by_first.values())
            found += ((order, separator, entry) for bucket in buckets for order, entry in bucket)
        found.sort(key=lambda entry: entry[0])
        return [(separator, entry) for _, separator, entry in found]

    def _hint(self, glob: str, params: Mapping[str, object], hint: Callable[[str], str | None]) -> str | None:
        """Show the choices of the families that the glob names, else the nearest spelling."""
        for _, entry in self._candidates(glob):
            if isinstance(entry, ProtoFamily) and entry.is_named_by(glob):
                shown = [
                    f'{name}: {", ".join(texts[:_MOST_SHOWN])}'
                    for name, texts in entry.choices(params).items()
                    if texts
                ]
                if shown:
                    return f'choices of {"; ".join(shown)}'
        return hint(glob)
