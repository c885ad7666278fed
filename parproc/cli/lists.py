"""What is declared, for people and for programs: ``--list``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parproc.cli.output import emit, note
from parproc.cli.terminal_output import screen_of
from parproc.core.plain_data import read_as
from parproc.core.terminal_text import plain_text
from parproc.declare.declaration import Declaration
from parproc.engine.workspace import Workspace
from parproc.errors import UserError

WIDEST_NAME = 40
MOST_CHOICES = 12
LIST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of one proc or proto.

    Args:
        name: of the proc, or the pattern of the proto.
        doc: what it is for; may be empty.
        choices: placeholder -> what it can be, None for anything.
    """

    name: str
    doc: str
    choices: Mapping[str, list[str] | None]


def print_list(workspace: Workspace, default: Sequence[str], *, expand: bool = False, colour: str = 'auto') -> None:
    """Print procs and protos: as :func:`list_lines` has them, on a terminal as people read them.

    Args:
        workspace: knows them.
        default: targets of a run that names none.
        expand: every proc that a proto's choices make, instead of the proto.
        colour: the value of ``--color``.
    """
    found = entries(workspace, expand=expand)
    screen = screen_of(sys.stdout, colour)
    if not found:
        note('no procs are declared')
    elif screen is None:
        emit('\n'.join([*_plain_lines(found), '']))
    else:
        from parproc.cli.list_on_terminal import draw_list

        emit(draw_list(screen, found, default, workspace))


def list_lines(workspace: Workspace) -> list[str]:
    """Return procs and protos with their descriptions and choices, a line each."""
    return _plain_lines(entries(workspace, expand=False))


def entries(workspace: Workspace, *, expand: bool) -> list[Entry]:
    """Return what is declared, in that order.

    Args:
        workspace: knows it.
        expand: every proc that a proto's choices make, instead of the proto.
    """
    found: list[Entry] = []
    for declaration in _declared(workspace):
        if not declaration.is_proto:
            found.append(Entry(declaration.name, declaration.doc, {}))
            continue
        pattern, choices = family_of(workspace, declaration)
        if expand and choices and all(texts is not None for texts in choices.values()):
            found += [Entry(name, declaration.doc, {}) for name in _members(workspace, pattern)]
        else:
            found.append(Entry(pattern, declaration.doc, choices))
    return found


def _plain_lines(found: Sequence[Entry]) -> list[str]:
    width = min(WIDEST_NAME, max((len(entry.name) for entry in found), default=0))
    lines = []
    for entry in found:
        shown = [f'{name}: {_some(texts)}' for name, texts in entry.choices.items() if texts is not None]
        doc = '  '.join(part for part in (entry.doc, f'({"; ".join(shown)})' if shown else '') if part)
        lines.append(f'{plain_text(entry.name).ljust(width)}  {plain_text(doc)}'.rstrip())
    return lines


def print_json(workspace: Workspace, *, expand: bool = False) -> None:
    """Print procs and protos as one JSON object.

    It has ``version``, ``procs`` (``name``, ``description``, ``arguments``) and ``protos`` (``pattern``,
    ``description``, ``arguments``, ``choices``: argument -> texts, null where any value will do; with ``expand`` also
    ``procs``, the names that the choices make).
    """
    import json

    procs: list[dict[str, object]] = []
    protos: list[dict[str, object]] = []
    for declaration in _declared(workspace):
        entry: dict[str, object] = {'description': declaration.doc}
        if not declaration.is_proto:
            arguments = {key: read_as(value) for key, value in declaration.args.items()}
            procs.append({'name': declaration.name, **entry, 'arguments': arguments})
            continue
        pattern, choices = family_of(workspace, declaration)
        entry = {'pattern': pattern, **entry, 'arguments': list(choices), 'choices': choices}
        if expand and all(texts is not None for texts in choices.values()):
            entry['procs'] = list(_members(workspace, pattern))
        protos.append(entry)
    emit(json.dumps({'version': LIST_VERSION, 'procs': procs, 'protos': protos}, indent=2) + '\n')


def _declared(workspace: Workspace) -> list[Declaration]:
    """Return what was declared, in that order."""
    catalog = workspace.catalog
    procs = [task.declaration for task in catalog.procs.values() if not task.declaration.is_proto]
    return sorted([*procs, *catalog.protos.values()], key=lambda declaration: declaration.order)


def family_of(workspace: Workspace, declaration: Declaration) -> tuple[str, dict[str, list[str] | None]]:
    """Return the whole pattern of a proto, and what each of its placeholders can be."""
    family = workspace.catalog.family(declaration.name)
    return family.pattern.text, family.choices(workspace.params)


def _members(workspace: Workspace, pattern: str) -> tuple[str, ...]:
    family = workspace.catalog.family(pattern)
    try:
        return workspace.catalog.glob(
            family.pattern.fill(dict.fromkeys(family.pattern.placeholders, '*')), workspace.params
        )
    except UserError:
        return ()


def _some(texts: list[str]) -> str:
    more = len(texts) - MOST_CHOICES
    return ', '.join(texts[:MOST_CHOICES]) + (f' and {more} more' if more > 0 else '')
