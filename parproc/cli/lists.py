"""What is declared, for people and for programs: ``--list``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from parproc.cli.list_entries import Entry, declared, family_of, list_entries, members
from parproc.cli.output import emit, note
from parproc.cli.terminal_output import screen_of
from parproc.core.plain_data import read_as
from parproc.core.terminal_text import plain_text
from parproc.engine.workspace import Workspace

WIDEST_NAME_COLUMNS = 40
MOST_CHOICES = 12
LIST_VERSION = 1


def print_list(workspace: Workspace, default: Sequence[str], *, expand: bool = False, colour: str = 'auto') -> None:
    """Print procs and protos: as :func:`list_lines` has them, on a terminal as people read them.

    Args:
        workspace: knows them.
        default: targets of a run that names none.
        expand: every proc that a proto's choices make, instead of the proto.
        colour: the value of ``--color``.
    """
    found = list_entries(workspace, expand=expand)
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
    return _plain_lines(list_entries(workspace, expand=False))


def _plain_lines(found: Sequence[Entry]) -> list[str]:
    width = min(WIDEST_NAME_COLUMNS, max((len(entry.name) for entry in found), default=0))
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
    for declaration in declared(workspace):
        entry: dict[str, object] = {'description': declaration.doc}
        if not declaration.is_proto:
            arguments = {key: read_as(value) for key, value in declaration.args.items()}
            procs.append({'name': declaration.name, **entry, 'arguments': arguments})
            continue
        pattern, choices = family_of(workspace, declaration)
        entry = {'pattern': pattern, **entry, 'arguments': list(choices), 'choices': choices}
        if expand and all(texts is not None for texts in choices.values()):
            entry['procs'] = list(members(workspace, pattern))
        protos.append(entry)
    emit(json.dumps({'version': LIST_VERSION, 'procs': procs, 'protos': protos}, indent=2) + '\n')


def _some(texts: list[str]) -> str:
    more = len(texts) - MOST_CHOICES
    return ', '.join(texts[:MOST_CHOICES]) + (f' and {more} more' if more > 0 else '')
