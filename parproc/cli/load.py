"""From the task files to a workspace that knows all they declare; nothing is run yet but the files themselves."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from parproc.cli.command_line import CommandLine
from parproc.cli.streams import own_streams
from parproc.declare.origin import ROOT
from parproc.engine.settings import Settings
from parproc.engine.task_files import TaskFileLoader, enter
from parproc.engine.workspace import Workspace
from parproc.errors import UserError
from parproc.exec.cpus import usable_cpus
from parproc.project.find import find_task_files, named_task_files
from parproc.project.modules import guard_folder, place_asked_folders


@dataclass(frozen=True, slots=True)
class Project:
    """What was loaded.

    Args:
        main: the project's own task files.
        files: every task file, included ones too.
        default: targets of a run that names none.
        home: the folder that the user is in.
    """

    main: tuple[str, ...]
    files: tuple[str, ...]
    default: tuple[str, ...]
    home: str

    def sources(self) -> list[str]:
        """Return the files that decide what is declared: task files, and what they import from the project."""
        root = os.path.dirname(self.main[0]) + os.sep
        imported = {
            path
            for module in list(sys.modules.values())
            if isinstance(path := getattr(module, '__file__', None), str)
            and path.startswith(root)
            and 'site-packages' not in path
        }
        return [*self.files, *sorted(imported.difference(self.files))]


def load_project(workspace: Workspace, asked: CommandLine) -> Project:
    """Find and load the task files, go to their folder, and settle options and params.

    Options come from the command line and its environment, then from TOML, then from ``set_options``, then from what
    is built in.

    Raises:
        UserError: when there is no task file, or one is wrong.
    """
    here = current_directory()
    if asked.files:
        files = named_task_files([os.path.join(here, path) for path in asked.files])
    else:
        files = find_task_files(asked.directory or here)
    home = os.environ.setdefault('PARPROC_INVOCATION_DIR', here)
    folder = os.path.dirname(files[0])
    guard_folder(folder)
    place_asked_folders()
    enter(folder)
    os.environ['PWD'] = os.getcwd()
    built_in = {
        'parallel': usable_cpus(),
        'state_dir': os.path.join(os.getcwd(), '.parproc'),
        'allow_missing_deps': False,
    }
    fixed = _asked_options(asked)
    options = workspace.options.updated(**{**built_in, **fixed})
    workspace.configure(
        Settings(
            options,
            first_options=options,
            fixed_options=frozenset(fixed),
            params={**workspace.params, **asked.params},
            fixed_params=frozenset(asked.params),
            extra_args=asked.extra_args,
        )
    )
    loader = _load_files(workspace, files)
    return Project(tuple(files), tuple(loader.files), loader.default, home)


def _load_files(workspace: Workspace, files: Sequence[str]) -> TaskFileLoader:
    """Load the task files that were found, with what they include; raises UserError when one is wrong."""
    loader = TaskFileLoader(workspace)
    workspace.definitions.begin_loading()
    collecting = gc.isenabled()
    gc.disable()  # all that is loaded stays: looking for garbage in it only takes time
    try:
        with own_streams():
            for path in files:
                loader.load(path, ROOT)
    finally:
        workspace.definitions.end_loading()
        if collecting:
            gc.enable()
    loader.check()
    return loader


def current_directory() -> str:
    """Return the folder that the user is in; raises UserError where it is gone."""
    try:
        return os.getcwd()
    except OSError:
        raise UserError('the current directory is gone', hint='change to one that is there') from None


def _asked_options(asked: CommandLine) -> dict[str, object]:
    fixed: dict[str, object] = {}
    if asked.jobs is not None:
        fixed['parallel'] = _jobs(asked.jobs)
    if asked.mode is not None:
        fixed['mode'] = asked.mode
    if asked.fail_fast is not None:
        fixed['fail_fast'] = asked.fail_fast
    if asked.output is not None:
        fixed['output'] = asked.output
    if asked.quiet:
        fixed['output'] = 'quiet'
    return fixed


def _jobs(text: str) -> int:
    if text == 'auto':
        return usable_cpus()
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise UserError(f'--jobs takes a number from 1, or auto, not "{text}"')
    return count
