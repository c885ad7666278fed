"""All that is known of one proc or proto: ``--show``."""

from __future__ import annotations

import os
import shlex
import sys

from parproc.cli.list_entries import family_of
from parproc.cli.output import emit
from parproc.cli.terminal_output import screen_of
from parproc.core.plain_data import read_as
from parproc.core.terminal_text import plain_text
from parproc.declare.dependency_kinds import NoFailures, WhenScheduled, WhenTargetScheduled
from parproc.engine.workspace import Workspace


def print_one(workspace: Workspace, name: str, *, home: str, colour: str = 'auto') -> None:
    """Print all that is known of one proc or proto.

    Args:
        workspace: knows it.
        name: of the proc, or of the proto as it was declared.
        home: the folder that the user is in; on a terminal the way to the task file begins there where that is shorter.
        colour: the value of ``--color``.

    Raises:
        UserError: for a name that nothing declares.
    """
    screen = screen_of(sys.stdout, colour)
    shown = [(key, value) for key, value in _rows(workspace, name, None if screen is None else home) if value]
    if screen is not None:
        rows = [
            (screen.text(key if place == 0 else '', 'dim'), screen.text(line))
            for key, value in shown
            for place, line in enumerate(value.strip('\n').split('\n'))
        ]
        emit(screen.draw(*screen.wrapped(screen.text(name, 'bold'), screen.columns), *screen.definitions(rows)))
        return
    width = max((len(key) for key, _ in shown), default=0)
    lines = [plain_text(name), *(f'  {key.ljust(width)}  {plain_text(value)}' for key, value in shown)]
    emit('\n'.join([*lines, '']))


def _rows(workspace: Workspace, name: str, home: str | None) -> list[tuple[str, str]]:
    """Return what is said of a proc or proto, each with its heading; empty where there is nothing to say."""
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
        pattern, choices = family_of(workspace, declaration)
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
    rows.append(('goes before', ', '.join(_before(rdep) for rdep in declaration.goes_before())))
    rows.append(('locks', ', '.join(declaration.locks)))
    rows.append(('wave', str(declaration.wave) if declaration.wave else ''))
    rows.append(('timeout', f'{declaration.timeout:g} s' if declaration.timeout else ''))
    rows.append(('retries', str(declaration.retries) if declaration.retries else ''))
    if declaration.commands and name not in catalog.protos:
        words = catalog.commands(name, workspace.params, workspace.extra_args)
        rows += [
            ('runs', command[2] if command[:2] == ('/bin/sh', '-euc') else shlex.join(command)) for command in words
        ]
    if declaration.cwd is not None:
        rows.append(('runs in', os.path.relpath(declaration.cwd)))
    if declaration.location is not None:
        file = declaration.location.file
        if home is not None:
            file = min(file, os.path.relpath(file, home), key=len)
        rows.append(('defined at', f'{file}:{declaration.location.line}'))
    return rows


def _before(rdep: str | WhenScheduled | WhenTargetScheduled) -> str:
    return rdep if isinstance(rdep, str) else f'{rdep.pattern} ({type(rdep).__name__})'
