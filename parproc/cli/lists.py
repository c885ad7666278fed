"""What is declared, for people and for programs: ``--list`` and ``--show``."""

from __future__ import annotations

import os

from parproc.cli.output import emit, note
from parproc.core.plain_data import read_as
from parproc.core.terminal_text import plain_text
from parproc.declare.declaration import (
    Declaration,
    NoFailures,
    WhenScheduled,
    WhenTargetScheduled,
    reverse_dependencies,
)
from parproc.engine.workspace import Workspace
from parproc.errors import UserError

WIDEST_NAME = 40
MOST_CHOICES = 12
LIST_VERSION = 1


def print_list(workspace: Workspace, *, expand: bool = False) -> None:
    """Print what :func:`list_lines` returns."""
    lines = list_lines(workspace, expand=expand)
    if lines:
        emit('\n'.join([*lines, '']))
    else:
        note('no procs are declared')


def list_lines(workspace: Workspace, *, expand: bool = False) -> list[str]:
    """Return procs and protos with their descriptions and choices, a line each.

    Args:
        workspace: knows them.
        expand: every proc that a proto's choices make, instead of the proto.
    """
    rows: list[tuple[str, str]] = []
    for declaration in _declared(workspace):
        if not declaration.is_proto:
            rows.append((declaration.name, declaration.doc))
            continue
        pattern, choices = _family(workspace, declaration)
        if expand and choices and all(texts is not None for texts in choices.values()):
            rows += [(name, declaration.doc) for name in _members(workspace, pattern)]
            continue
        shown = [f'{name}: {_some(texts)}' for name, texts in choices.items() if texts is not None]
        rows.append(
            (pattern, '  '.join(part for part in (declaration.doc, f'({"; ".join(shown)})' if shown else '') if part))
        )
    width = min(WIDEST_NAME, max((len(name) for name, _ in rows), default=0))
    return [f'{plain_text(name).ljust(width)}  {plain_text(doc)}'.rstrip() for name, doc in rows]


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
        pattern, choices = _family(workspace, declaration)
        entry = {'pattern': pattern, **entry, 'arguments': list(choices), 'choices': choices}
        if expand and all(texts is not None for texts in choices.values()):
            entry['procs'] = list(_members(workspace, pattern))
        protos.append(entry)
    emit(json.dumps({'version': LIST_VERSION, 'procs': procs, 'protos': protos}, indent=2) + '\n')


def print_one(workspace: Workspace, name: str) -> None:
    """Print all that is known of one proc or proto.

    Raises:
        UserError: for a name that nothing declares.
    """
    catalog = workspace.catalog
    if name in catalog.protos:
        declaration, args = catalog.protos[name], {}
    else:
        task = catalog.lookup(name, workspace.params)
        if task is None:
            raise catalog.unknown(name)
        declaration, args = task.declaration, dict(task.args)
    rows: list[tuple[str, str]] = [('description', declaration.doc)]
    if declaration.is_proto:
        pattern, choices = _family(workspace, declaration)
        rows.append(('proto', pattern if pattern != name else ''))
        rows += [(f'choices of {key}', 'any' if texts is None else ', '.join(texts)) for key, texts in choices.items()]
    rows.append(('arguments', ', '.join(f'{key}={read_as(value)}' for key, value in args.items())))
    if name in catalog.protos:
        deps = [
            'NO_FAILURES' if isinstance(dep, NoFailures) else str(dep) if isinstance(dep, str) else 'a callable'
            for dep in declaration.deps
        ]
    else:
        plan = workspace.plan([name])
        deps = list(next(spec.deps for spec in plan.order if spec.name == name))
    rows.append(('depends on', ', '.join(deps)))
    rows.append(('goes before', ', '.join(_before(rdep) for rdep in reverse_dependencies(declaration))))
    rows.append(('locks', ', '.join(declaration.locks)))
    rows.append(('wave', str(declaration.wave) if declaration.wave else ''))
    rows.append(('timeout', f'{declaration.timeout:g} s' if declaration.timeout else ''))
    rows.append(('retries', str(declaration.retries) if declaration.retries else ''))
    if declaration.commands and name not in catalog.protos:
        import shlex

        words = catalog.commands(name, workspace.params, workspace.extra_args)
        rows += [
            ('runs', command[2] if command[:2] == ('/bin/sh', '-euc') else shlex.join(command)) for command in words
        ]
    if declaration.cwd is not None:
        rows.append(('runs in', os.path.relpath(declaration.cwd)))
    if declaration.location is not None:
        rows.append(('defined at', f'{declaration.location.file}:{declaration.location.line}'))
    shown = [(key, value) for key, value in rows if value]
    width = max(len(key) for key, _ in shown) if shown else 0
    lines = [plain_text(name), *(f'  {key.ljust(width)}  {plain_text(value)}' for key, value in shown)]
    emit('\n'.join([*lines, '']))


def _declared(workspace: Workspace) -> list[Declaration]:
    """Return what was declared, in that order."""
    catalog = workspace.catalog
    procs = [task.declaration for task in catalog.procs.values() if not task.declaration.is_proto]
    return sorted([*procs, *catalog.protos.values()], key=lambda declaration: declaration.order)


def _family(workspace: Workspace, declaration: Declaration) -> tuple[str, dict[str, list[str] | None]]:
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


def _before(rdep: str | WhenScheduled | WhenTargetScheduled) -> str:
    return rdep if isinstance(rdep, str) else f'{rdep.pattern} ({type(rdep).__name__})'
