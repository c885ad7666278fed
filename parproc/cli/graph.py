"""What depends on what: ``--graph``, as a tree for people and for other programs to draw."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from parproc.cli.output import emit
from parproc.cli.terminal_output import Screen, screen_of
from parproc.core.plan import Plan
from parproc.core.terminal_text import plain_text

PIPE_COLUMNS = 200


def print_graph(plan: Plan, form: str, targets: Sequence[str], *, colour: str = 'auto') -> None:
    """Print a plan as a graph.

    Args:
        plan: what would run.
        form: one of :data:`parproc.cli.option_table.GRAPHS`, or ``auto``: a tree on a terminal, else Mermaid.
        targets: what the plan was made for, where a tree begins; none for all that nothing else needs.
        colour: the value of ``--color``.
    """
    screen = screen_of(sys.stdout, colour)
    if form == 'tree' or (form == 'auto' and screen is not None):
        from parproc.cli.graph_tree import draw_tree

        emit(draw_tree(screen or Screen(PIPE_COLUMNS, colour=False, encoding=sys.stdout.encoding), plan, targets))
    else:
        emit(f'{_FORMS["mermaid" if form == "auto" else form](plan)}\n')


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
