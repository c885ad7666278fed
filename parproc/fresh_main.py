"""The start of a new interpreter for a proc with ``isolated='fresh'``: load its module, find its function, run it."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from parproc.api import default_session
from parproc.declare.calling import bind
from parproc.declare.signature import read
from parproc.errors import UserError
from parproc.exec.child.fresh_interpreter import MAIN, FreshJob, read_fresh_job, take_channel
from parproc.exec.child.main import run_in_new_interpreter
from parproc.exec.protocol import FoundFunction, FunctionPlace, Job
from parproc.session import workspace_of
from parproc.values.results import Results


def main(channel: int, message: int) -> NoReturn:
    """Be the process of a proc.

    Args:
        channel: descriptor of the line to its run.
        message: descriptor of a file that says what to run.
    """
    told = read_fresh_job(message)
    run_in_new_interpreter(lambda: _job(told), told.job, take_channel(channel))


def _job(told: FreshJob) -> tuple[Job, FoundFunction]:
    """Return the job, with the function and all that it is given; raises whatever its module does."""
    workspace = workspace_of(default_session())
    workspace.definitions.begin_loading()  # nothing of what the module declares starts here
    function = _load(told.place)
    args, params, extra_args = pickle.loads(told.values)
    job = replace(told.job, args=args, params=params, extra_args=extra_args, results=Results(told.results, brief=True))
    return job, (bind(function, args, read(function)), workspace.catalog.name_of)


def _load(place: FunctionPlace) -> Callable[..., object]:
    if place.path is None:
        module = importlib.import_module(place.module)
    else:
        module = types.ModuleType(place.module)
        module.__file__ = place.path
        sys.modules[place.module] = module
        if place.module == MAIN:
            sys.modules['__main__'] = module
            sys.path.insert(0, os.path.dirname(place.path))
        with open(place.path, 'rb') as file:
            code = compile(file.read(), place.path, 'exec', dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - the program's own file
    found: object = module
    for part in place.qualname.split('.'):
        found = getattr(found, part, None)
    if callable(found):
        return found
    catalog = workspace_of(default_session()).catalog
    declared = catalog.procs[place.declared].declaration if place.declared in catalog.procs else None
    declared = declared or catalog.protos.get(place.declared)
    if declared is None or declared.function is None:
        raise UserError(
            f'a new interpreter does not find the function of "{place.declared}" in {place.path or place.module}',
            hint='define it at the top of its module',
        )
    return declared.function
