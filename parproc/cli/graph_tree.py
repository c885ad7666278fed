"""The dependency graph as a tree: each target, and below it what it needs; what was drawn already is not drawn again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from parproc.cli.terminal_output import Screen
from parproc.core.plan import Plan

GUIDE_COLUMNS = 4
LEAST_NAME_COLUMNS = 24


def draw_tree(screen: Screen, plan: Plan, targets: Sequence[str]) -> str:
    """Return the tree as text for a terminal.

    Args:
        screen: the terminal.
        plan: what would run.
        targets: what the plan was made for, where the tree begins; none for all that nothing else needs.
    """
    deps = {spec.name: spec.deps for spec in plan.order}
    deps = {name: tuple(dep for dep in found if dep in deps) for name, found in deps.items()}
    needed = {dep for found in deps.values() for dep in found}
    roots = [name for name in targets if name in deps] or [name for name in deps if name not in needed]
    deepest = max(1, (screen.columns - LEAST_NAME_COLUMNS) // GUIDE_COLUMNS)
    trees = [Tree(screen.text(name, 'bold'), guide_style='dim') for name in dict.fromkeys(roots)]
    # depth first, so that what is drawn in full stands above every place where it is only named
    to_fill = [(tree, name, 1) for tree, name in zip(trees, dict.fromkeys(roots), strict=True)][::-1]
    drawn: set[str] = set()
    while to_fill:
        node, name, depth = to_fill.pop()
        if not deps[name]:
            continue
        if name in drawn:
            node.label = _with_note(screen, name, 'see above')
        elif depth > deepest:
            node.label = _with_note(screen, name, f'needs {len(deps[name])} more')
        else:
            drawn.add(name)
            children = [(node.add(screen.text(dep)), dep, depth + 1) for dep in deps[name]]
            to_fill += reversed(children)
    return screen.draw(*trees)


def _with_note(screen: Screen, name: str, note: str) -> Text:
    return screen.joined(screen.text(name), screen.text(f'({note})', 'dim'), gap=' ')
