"""From the task files to a workspace that knows all they declare; nothing is run yet but the files themselves."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parproc.cli.command_line import CommandLine
from parproc.cli.streams import own_streams
from parproc.declare.declaration import Declaration
from parproc.declare.origin import ROOT, Origin
from parproc.engine.settings import Settings
from parproc.engine.workspace import Workspace
from parproc.errors import UserError
from parproc.exec.cpus import usable_cpus
from parproc.project.find import find_task_files, named_task_files
from parproc.project.load import load_python
from parproc.project.modules import guard_folder, place_asked_folders

if TYPE_CHECKING:
    from parproc.project.toml import TomlFile


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
    _enter(folder)
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
    loader = _Loader(workspace)
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
    return Project(tuple(files), tuple(loader.files), loader.default, home)


def current_directory() -> str:
    """Return the folder that the user is in; raises UserError where it is gone."""
    try:
        return os.getcwd()
    except OSError:
        raise UserError('the current directory is gone', hint='change to one that is there') from None


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise UserError(f'{folder} cannot be entered: {error.strerror}') from None


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


class _Loader:
    """Loads task files and what they include, each once."""

    def __init__(self, workspace: Workspace) -> None:
        self.files: list[str] = []
        self.default: tuple[str, ...] = ()
        self._workspace = workspace
        self._declared: list[Declaration] = []

    def load(self, path: str, origin: Origin) -> None:
        """Load one file, whose names begin as ``origin`` says."""
        real = os.path.realpath(path)
        if real in self.files:
            return
        self.files.append(real)
        if path.endswith('.toml'):
            self._load_toml(path, origin)
        else:
            self._load_python(path, origin)

    def check(self) -> None:
        """Refuse commands with values that nothing supplies, once all is loaded."""
        if not self._declared:
            return
        from parproc.project.toml import check_values

        workspace = self._workspace
        check_values(self._declared, lambda declaration: (*self._arguments(declaration), *workspace.params))

    def _arguments(self, declaration: Declaration) -> Sequence[str]:
        placeholders: Sequence[str] = ()
        if declaration.is_proto:
            placeholders = self._workspace.catalog.family(declaration.name).pattern.placeholders
        return (*placeholders, *declaration.args)

    def _load_python(self, path: str, origin: Origin) -> None:
        here = os.getcwd()
        with self._workspace.definitions.file_of(origin):
            try:
                if origin.folder is not None:
                    _enter(origin.folder)
                load_python(path, '.'.join(origin.scope))
            finally:
                _enter(here)

    def _load_toml(self, path: str, origin: Origin) -> None:
        from parproc.project.toml import read_toml

        found = read_toml(path, lambda options: self._take_options(path, origin, options))
        workspace = self._workspace
        if found.dotenv:
            from parproc.project.dotenv import read_dotenv
        for variable in found.dotenv:
            for name, value in read_dotenv(os.path.join(os.path.dirname(path), variable)).items():
                os.environ.setdefault(name, value)
        workspace.add_default_params(found.params)
        if not origin.scope:
            self.default = self.default or found.default
        for declaration in found.declarations:
            workspace.catalog.declare(declaration)
        workspace.take_up()
        self._declared += found.declarations
        self._include(found, origin)

    def _take_options(self, path: str, origin: Origin, options: Mapping[str, object]) -> Origin:
        """Make a file's options those of the session; return its origin, with the separator they may have set."""
        workspace = self._workspace
        if options and origin.scope:
            raise UserError(f"{path}: [options] belongs into the project's own task file")
        try:
            workspace.fix_options(options)
        except UserError as error:
            raise UserError(f'{path}: [options]: {error.message}', hint=error.hint) from None
        return Origin(origin.scope, origin.folder, workspace.options.name_param_separator)

    def _include(self, found: TomlFile, origin: Origin) -> None:
        folder = os.path.dirname(found.path)
        for entry in found.include:
            path = os.path.join(folder, entry)
            if not os.path.exists(path):
                raise UserError(f'{found.path}: included file not found: {entry}')
            parts = [part for part in os.path.dirname(os.path.normpath(entry)).split(os.sep) if part not in ('', '..')]
            separator = self._workspace.options.name_param_separator
            if parts:
                inner = Origin((*origin.scope, *parts), os.path.dirname(os.path.abspath(path)), separator)
            else:
                inner = Origin(origin.scope, origin.folder, separator)
            self.load(os.path.abspath(path), inner)
