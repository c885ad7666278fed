"""From task files, and what they include, to a workspace that knows all they declare; only the files are run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from parproc.declare.declaration import Declaration
from parproc.declare.origin import Origin
from parproc.engine.workspace import Workspace
from parproc.errors import UserError
from parproc.project.load import load_python

if TYPE_CHECKING:
    from parproc.project.toml import TomlFile


class TaskFileLoader:
    """Loads task files and what they include, each once.

    Args:
        workspace: takes what they declare and set.

    Attributes:
        files: all that was loaded, as real paths.
        default: targets of a run that names none, as the project's own file says.
    """

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
                    enter(origin.folder)
                load_python(path, '.'.join(origin.scope))
            finally:
                enter(here)

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


def enter(folder: str) -> None:
    """Make ``folder`` the working directory; raises UserError where that is impossible."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UserError(f'{folder} cannot be entered: {error.strerror}') from None
