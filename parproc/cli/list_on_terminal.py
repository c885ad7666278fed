"""``--list`` as a person reads it: what there is, what it is for, and what the placeholders can be, once for all."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.text import Text

from parproc.cli.list_entries import Entry
from parproc.cli.terminal_output import Screen
from parproc.core.plain_data import read_as
from parproc.engine.workspace import Workspace

MOST_CHOICES = 50
LONGEST_VALUE_CHARACTERS = 40


def draw_list(screen: Screen, found: Sequence[Entry], default: Sequence[str], workspace: Workspace) -> str:
    """Return the list as text for a terminal.

    Args:
        screen: the terminal.
        found: what is declared, at least one.
        default: targets of a run that names none.
        workspace: has declared it, and knows the params.
    """
    rows = []
    for before, entry in zip([None, *found], found, strict=False):
        told = before is not None and before.family is not None and before.family == entry.family
        rows.append((_name(screen, entry), _said(screen, '' if told else entry.doc, is_default=entry.name in default)))
    parts = screen.definitions(rows)
    below = [(screen.text(name, 'cyan'), screen.text(' '.join(texts))) for name, texts in _choices(found)]
    if workspace.params:
        values = [_shortened(f'{name}={read_as(value)}') for name, value in workspace.params.items()]
        below.append((screen.text('params', 'cyan'), screen.text('  '.join(values))))
    if below:
        parts += [screen.text(''), *screen.definitions(below)]
    hints = [
        screen.joined(screen.text(label, 'dim'), screen.text(command))
        for label, command in _hints(found, workspace.catalog.separator)
    ]
    together = screen.joined(*hints, gap='    ')
    parts += [screen.text(''), *([together] if together.cell_len <= screen.columns else hints)]
    return screen.draw(*parts)


def _name(screen: Screen, entry: Entry) -> Text:
    name = screen.text(entry.name, 'bold')
    if entry.choices:
        name.highlight_regex(r'\[[^\[\]]*\]', 'not bold cyan')
    return name


def _said(screen: Screen, doc: str, *, is_default: bool) -> Text:
    said = screen.text(' '.join(doc.split()))
    mark = screen.text('default', 'dim')
    if not is_default:
        return said
    return screen.joined(said, mark, gap='  ') if said else mark


def _choices(found: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """Return placeholders with what they can be: those of the same name and the same choices are told once."""
    told: dict[str, list[tuple[str, list[str]]]] = {}
    for entry in found:
        for name, texts in entry.choices.items():
            if texts is not None and all(texts != others for _, others in told.get(name, [])):
                told.setdefault(name, []).append((entry.name, texts))
    return [
        (name if len(several) == 1 else f'{name} of {pattern}', _some(texts))
        for name, several in told.items()
        for pattern, texts in several
    ]


def _some(texts: list[str]) -> list[str]:
    more = len(texts) - MOST_CHOICES
    return [*texts[:MOST_CHOICES], f'and {more} more'] if more > 0 else texts


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE_CHARACTERS else f'{text[: LONGEST_VALUE_CHARACTERS - 1]}…'


def _hints(found: Sequence[Entry], separator: str) -> list[tuple[str, str]]:
    """Return commands to go on with, each with what it does: to run one, to run all of a proto, to see more."""
    hints: list[tuple[str, str]] = []
    for entry in sorted(found, key=lambda entry: not entry.choices):
        one, family = _first_of(entry), entry.name.partition('[')[0]
        if one:
            hints.append(('run one: ', f'parproc {shlex.quote(one)}'))
            if entry.choices and family.endswith(separator):
                hints.append(('all: ', f'parproc {shlex.quote(family)}'))
            break
    return [*hints, ('more: ', 'parproc --show NAME')]


def _first_of(entry: Entry) -> str:
    """Return the name of a proc that an entry stands for; empty where anything could fill a placeholder."""
    name = entry.name
    for placeholder, texts in entry.choices.items():
        if not texts:
            return ''
        name = name.replace(f'[{placeholder}]', texts[0])
    return name
