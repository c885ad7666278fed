"""A proc that exists, with its arguments: what declaring a Proc, or filling in the name of a Proto, comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parproc.declare.declaration import Declaration
from parproc.declare.dependency_kinds import NoFailures

MOST_CREATED_PER_PROTO = 1 << 24


@dataclass(slots=True, eq=False)
class BoundProc:
    """A proc that exists: declared as one, or created from a proto.

    Args:
        name: its full name.
        declaration: what it was declared with.
        args: its arguments, cast.
        order: its place among all procs: by declaration, then by creation.
        given: the arguments that its name does not spell, as they were given; None where there are none.
        deps: what it depends on with callables answered; None while that is what the declaration says, or unasked.
        is_renamed: it was created from a proto under another name than the filled-out one.
    """

    name: str
    declaration: Declaration
    args: Mapping[str, object]
    order: int
    given: Mapping[str, object] | None = None
    deps: tuple[str | NoFailures, ...] | None = None
    is_renamed: bool = False
