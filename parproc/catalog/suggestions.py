"""What a misspelled name probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parproc.catalog.proto import ProtoFamily
from parproc.core.names import nearest, segment_expression
from parproc.errors import UserError

_MOST_PER_FAMILY = 50
_MOST_CANDIDATES = 5000
_MOST_LENGTH_DIFFERENCE = 2


def nearest_name(name: str, procs: Sequence[str], families: Iterable[ProtoFamily]) -> str | None:
    """Return a hint with the name that was probably meant instead of ``name``, None when none comes close.

    Args:
        name: what was asked for.
        procs: names that exist.
        families: protos, for what they could make.
    """
    candidates = dict.fromkeys(procs)
    for family in families:
        pattern = family.pattern
        prefix = name.rstrip(pattern.separator)
        literal = _literal_start(family)
        if literal and prefix == pattern.separator.join(literal):
            return _family_hint(family)
        candidates.update(dict.fromkeys(_likely(family, name)))
    likely = list(candidates)
    if len(likely) > _MOST_CANDIDATES:
        likely = [word for word in likely if abs(len(word) - len(name)) <= _MOST_LENGTH_DIFFERENCE][:_MOST_CANDIDATES]
    return nearest(name, likely)


def _literal_start(family: ProtoFamily) -> list[str]:
    start = []
    for segment in family.pattern.segments:
        if segment_expression(segment) is not None:
            break
        start.append(segment)
    return start


def _family_hint(family: ProtoFamily) -> str:
    values = _known_choices(family)
    first = family.pattern.fill({name: (texts or ['...'])[0] for name, texts in values.items()})
    every = family.pattern.fill(dict.fromkeys(family.pattern.placeholders, '*'))
    if all(values.values()):
        return f'write {first}, or {every} for all'
    return f'write {family.pattern.text} with values, such as {first}'


def _likely(family: ProtoFamily, name: str) -> list[str]:
    """Return names of the family that ``name`` may have meant, with its own values where any is allowed."""
    pattern = family.pattern
    segments = name.split(pattern.separator)
    values = _known_choices(family)
    own: dict[str, str] = {}
    if len(segments) == len(pattern.segments):
        own = {
            mine[1:-1]: theirs for mine, theirs in zip(pattern.segments, segments, strict=True) if mine[1:-1] in values
        }
    filled: list[dict[str, str]] = [{}]
    for placeholder, texts in values.items():
        tried = texts or ([own[placeholder]] if placeholder in own else [f'[{placeholder}]'])
        filled = [{**bound, placeholder: text} for bound in filled for text in tried][:_MOST_PER_FAMILY]
    return [pattern.fill(bound) for bound in filled]


def _known_choices(family: ProtoFamily) -> dict[str, list[str] | None]:
    try:
        return family.choices({})
    except UserError:
        return dict.fromkeys(family.pattern.placeholders)
