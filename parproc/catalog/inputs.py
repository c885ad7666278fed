"""The files that a proc declares as its inputs, with its arguments and params filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from parproc.catalog.bound_proc import BoundProc
from parproc.core.commands import fill
from parproc.declare import checks
from parproc.declare.calling import answered, ask
from parproc.declare.dependency_kinds import DepProcContext

ENVIRONMENT = 'env:'


class Inputs(NamedTuple):
    """Files that a proc reads.

    Args:
        folder: what relative patterns start from; absolute.
        patterns: paths, globs, and folders for all that is below them.
        ignored: the same, for what is not meant.
    """

    folder: str
    patterns: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def inputs_of(proc: BoundProc, texts: Mapping[str, object], params: Mapping[str, object]) -> Inputs | None:
    """Return the files that a proc declares as its inputs; None when it declares none.

    Relative paths start from the folder that the proc runs in.

    Args:
        proc: whose.
        texts: its arguments as they fill patterns: ``{env}`` in a path is the argument ``env``.
        params: the run's parameters, which fill patterns too.

    Raises:
        UserError: when a callable fails, or returns something else than paths.
    """
    declaration = proc.declaration
    values = {**params, **texts}
    patterns: list[str] = []
    for item in declaration.inputs:
        if isinstance(item, str):
            patterns += () if item.startswith(ENVIRONMENT) else (fill(item, values),)
        else:
            what = f'inputs of "{proc.name}"'
            answer = ask(item, what, DepProcContext(proc.name, params, proc.args), proc.args)
            paths = answered(answer, (str, os.PathLike), what, 'return a path, or a list of paths')
            patterns += (checks.path(path, f'an item of {what}') for path in paths)
    if not patterns:
        return None
    folder = os.path.abspath(declaration.cwd or '')
    return Inputs(folder, tuple(patterns), tuple(fill(item, values) for item in declaration.inputs_ignore))
