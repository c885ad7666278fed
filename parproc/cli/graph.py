"""What would run: as a list in its order, and as a graph for other programs to draw."""

from __future__ import annotations

from collections.abc import Callable

from parproc.cli.output import emit
from parproc.core.plan import Plan
from parproc.core.terminal_text import plain_text


def print_plan(plan: Plan) -> None:
    """Print the procs of a plan in the order in which they would start, and what each waits for."""
    names = {spec.name for spec in plan.order}
    width = max(3, len(str(len(plan.order))))
    lines = []
    for number, spec in enumerate(plan.order, 1):
        waits = [name for name in spec.deps if name in names]
        notes = [f'after {", ".join(waits)}'] if waits else []
        if spec.wave:
            notes.append(f'wave {spec.wave}')
        if spec.locks:
            notes.append(f'lock {", ".join(spec.locks)}')
        if spec.no_failures:
            notes.append('unless something failed')
        note = f'  ({plain_text("; ".join(notes))})' if notes else ''
        lines.append(f'{number:>{width}}. {plain_text(spec.name)}{note}\n')
    emit(''.join(lines))


def print_graph(plan: Plan, form: str) -> None:
    """Print a plan as a graph: ``mermaid``, ``dot`` or ``json``."""
    emit(f'{_FORMS[form](plan)}\n')


def mermaid(plan: Plan) -> str:
    """Return a Mermaid flowchart, with an arrow from each dependency to what needs it."""
    places = {spec.name: place for place, spec in enumerate(plan.order)}
    lines = ['flowchart LR']
    lines += [f'    n{place}["{_mermaid_text(name)}"]' for name, place in places.items()]
    lines += [
        f'    n{places[dep]} --> n{places[spec.name]}' for spec in plan.order for dep in spec.deps if dep in places
    ]
    return '\n'.join(lines)


def dot(plan: Plan) -> str:
    """Return a graph for Graphviz, with an arrow from each dependency to what needs it."""
    names = {spec.name for spec in plan.order}
    lines = ['digraph parproc {', '    rankdir=LR;', '    node [shape=box];']
    lines += [f'    {_dot_text(spec.name)};' for spec in plan.order]
    lines += [
        f'    {_dot_text(dep)} -> {_dot_text(spec.name)};' for spec in plan.order for dep in spec.deps if dep in names
    ]
    return '\n'.join([*lines, '}'])


def as_json(plan: Plan) -> str:
    """Return a JSON object: ``version`` and ``procs``, in order, with ``name``, ``deps``, ``wave`` and ``locks``."""
    import json

    procs = [
        {'name': spec.name, 'deps': list(spec.deps), 'wave': spec.wave, 'locks': list(spec.locks)}
        for spec in plan.order
    ]
    return json.dumps({'version': 1, 'procs': procs}, indent=2)


def _mermaid_text(name: str) -> str:
    """Return a name as Mermaid takes it between double quotes: what could act there as a numeric entity."""
    return ''.join(char if char.isalnum() or char in ' ._-:/' else f'#{ord(char)};' for char in plain_text(name))


def _dot_text(name: str) -> str:
    escaped = plain_text(name).replace('\\', '\\\\').replace('"', '\\"')
    return f'"{escaped}"'


_FORMS: dict[str, Callable[[Plan], str]] = {'mermaid': mermaid, 'dot': dot, 'json': as_json}
