"""Loading a task file into a session of its own, which leaves everything else as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from parproc.api import default_session
from parproc.declare.origin import ROOT
from parproc.engine.task_files import TaskFileLoader, enter
from parproc.project.find import find_task_files, named_task_files
from parproc.session import Session, workspace_of


class LoadedSession(Session):
    """The session of task files that were loaded for a test, as :func:`load` returns it.

    Args:
        files: the task files; they are loaded at once.
        params: what is given as ``NAME=VALUE`` on the command line.

    Attributes:
        folder: where their procs run; absolute.
        default: the targets of a run that names none.
        variables: environment variables that the files set, which their procs have.
    """

    def __init__(self, files: Sequence[str], params: Mapping[str, object]) -> None:
        super().__init__(allow_missing_deps=False)
        self.folder = os.path.dirname(files[0])
        workspace = workspace_of(self)
        settings = workspace.definitions.settings
        workspace.configure(replace(settings, params=params, fixed_params=frozenset(params)))
        loader = TaskFileLoader(workspace)
        with default_session().standing_for(self), _left_as_it_was() as added:
            enter(self.folder)
            workspace.definitions.begin_loading()
            try:
                for file in files:
                    loader.load(file, ROOT)
            finally:
                workspace.definitions.end_loading()
        loader.check()
        self.variables: Mapping[str, str] = added
        self.default: tuple[str, ...] = loader.default or workspace.definitions.due


def load(path: str | os.PathLike[str], *, params: Mapping[str, object] | None = None) -> LoadedSession:
    """Load task files into a session of their own; nothing of them is run but the files themselves.

    The module's functions (``parproc.Proc`` and the others) act on that session while the files are loaded, and on the
    default session again afterwards. The working directory and the environment are left as they were; what is beside a
    task file can be imported from then on.

    Args:
        path: a task file; or a folder, for the files that the command line would find from there.
        params: what is given as ``NAME=VALUE`` on the command line; wins over what the files set.

    Raises:
        UserError: when there is no such file, or it is wrong; the message names file and line.

    Example:
        >>> tasks = load('tasks.py', params={'VERSION': '2'})
        >>> sorted(tasks.get_procs())
        ['lint', 'test']
    """
    text = os.path.abspath(path)
    files = find_task_files(text) if os.path.isdir(text) else named_task_files([text])
    return LoadedSession(files, dict(params or {}))


@contextmanager
def _left_as_it_was() -> Iterator[dict[str, str]]:
    """Put working directory and environment back at the end; yields what then holds the variables that were added."""
    folder, environment = os.getcwd(), dict(os.environ)
    added: dict[str, str] = {}
    try:
        yield added
    finally:
        added.update({name: value for name, value in os.environ.items() if environment.get(name) != value})
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
