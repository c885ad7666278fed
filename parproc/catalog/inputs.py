"""What a task reads, as far as it is files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from parproc.core.commands import fill
from parproc.declare import checks
from parproc.declare.declaration import DepProcContext
from parproc.declare.signature import answered, ask

if TYPE_CHECKING:
    from parproc.catalog.catalog import Task

ENVIRONMENT = 'env:'


class Inputs(NamedTuple):
    """Files that a task reads.

    Args:
        folder: what relative patterns start from; absolute.
        patterns: paths, globs, and folders for all that is below them.
        ignored: the same, for what is not meant.
    """

    folder: str
    patterns: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def inputs_of(task: Task, texts: Mapping[str, object], params: Mapping[str, object]) -> Inputs | None:
    """Return the files that a task declares as its inputs; None when it declares none.

    What it declares as outputs is not among them. Relative paths start from the folder that the task runs in.

    Args:
        task: whose.
        texts: its arguments as they fill patterns: ``{env}`` in a path is the argument ``env``.
        params: the run's parameters, which fill patterns too.

    Raises:
        UserError: when a callable fails, or returns something else than paths.
    """
    declaration = task.declaration
    values = {**params, **texts}
    patterns: list[str] = []
    for item in declaration.inputs:
        if isinstance(item, str):
            patterns += () if item.startswith(ENVIRONMENT) else (fill(item, values),)
        else:
            what = f'inputs of "{task.name}"'
            answer = ask(item, what, DepProcContext(task.name, params, task.args), task.args)
            paths = answered(answer, (str, os.PathLike), what, 'return a path, or a list of paths')
            patterns += (checks.path(path, f'an item of {what}') for path in paths)
    if not patterns:
        return None
    ignored = (*declaration.inputs_ignore, *(output.file for output in declaration.outputs))
    folder = os.path.abspath(declaration.cwd or '')
    return Inputs(folder, tuple(patterns), tuple(fill(item, values) for item in ignored))
