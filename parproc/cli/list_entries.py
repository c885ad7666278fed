"""What lists and --show tell of: procs and protos in the order of their declaration, with what placeholders can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parproc.declare.declaration import Declaration
from parproc.engine.workspace import Workspace
from parproc.errors import UserError


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of one proc or proto.

    Args:
        name: of the proc, or the pattern of the proto.
        doc: what it is for; may be empty.
        choices: placeholder -> what it can be, None for anything.
        family: the pattern of the proto whose choices make the proc; None where it stands for itself.
    """

    name: str
    doc: str
    choices: Mapping[str, list[str] | None]
    family: str | None = None


def list_entries(workspace: Workspace, *, expand: bool) -> list[Entry]:
    """Return what is declared, in that order.

    Args:
        workspace: knows it.
        expand: every proc that a proto's choices make, instead of the proto.
    """
    found: list[Entry] = []
    for declaration in declared(workspace):
        if not declaration.is_proto:
            found.append(Entry(declaration.name, declaration.doc, {}))
            continue
        pattern, choices = family_of(workspace, declaration)
        if expand and choices and all(texts is not None for texts in choices.values()):
            found += [Entry(name, declaration.doc, {}, pattern) for name in members(workspace, pattern)]
        else:
            found.append(Entry(pattern, declaration.doc, choices))
    return found


def declared(workspace: Workspace) -> list[Declaration]:
    """Return what was declared, in that order."""
    catalog = workspace.catalog
    procs = [task.declaration for task in catalog.procs.values() if not task.declaration.is_proto]
    return sorted([*procs, *catalog.protos.values()], key=lambda declaration: declaration.order)


def family_of(workspace: Workspace, declaration: Declaration) -> tuple[str, dict[str, list[str] | None]]:
    """Return the whole pattern of a proto, and what each of its placeholders can be."""
    family = workspace.catalog.family(declaration.name)
    return family.pattern.text, family.choices(workspace.params)


def members(workspace: Workspace, pattern: str) -> tuple[str, ...]:
    """Return the names that the choices of a proto make; none where there are no choices to make any."""
    family = workspace.catalog.family(pattern)
    try:
        return workspace.catalog.glob(
            family.pattern.fill(dict.fromkeys(family.pattern.placeholders, '*')), workspace.params
        )
    except UserError:
        return ()
