"""What a project's code may import, and that nothing of parproc's own is ever imported from a project.

What another user could have written is not imported either, nor what is no module's size. A project's folder comes on
``sys.path`` after the standard library. What is imported from there can have any name but those that parproc needs
itself, also late and in a child: a ``resource.py`` beside the task file would otherwise be taken for the standard
library's, wherever on the path somebody puts the folder.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import ModuleType

from parproc.errors import UserError
from parproc.project.files import MOST_BYTES
from parproc.project.trust import check_trusted

DEPENDENCIES = frozenset({'parproc', 'click', 'rich', 'tomli'})
_LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
LIBRARY = os.path.dirname(os.__file__)
_folders: list[str] = []


def add_folder(folder: str) -> None:
    """Let modules be imported from a project's folder, after the standard library's and before what is installed."""
    guard_folder(folder)
    if folder not in sys.path:
        sys.path.insert(_end_of_library(), folder)


def guard_folder(folder: str) -> None:
    """See to it that nothing of parproc's own is imported from a folder, or from one below it."""
    known = len(_folders)
    for place in (os.path.realpath(folder).rstrip(os.sep), os.path.abspath(folder).rstrip(os.sep)):
        if place not in _folders:
            _folders.append(place)
    if len(_folders) == known:
        return
    if _hook not in sys.path_hooks:
        sys.path_hooks.insert(0, _hook)
    for path in list(sys.path_importer_cache):
        if _belongs_to_a_project(path):
            del sys.path_importer_cache[path]


def place_asked_folders() -> None:
    """Put the folders that ``PYTHONPATH`` names behind the standard library and ahead of what is installed.

    To be called where the process was started; before, they are behind everything.
    """
    entries = os.environ.get('PYTHONPATH', '')
    asked = [path for path in map(os.path.abspath, entries.split(os.pathsep)) if path in sys.path] if entries else []
    for path in reversed(asked):
        if not _is_library(path):
            sys.path.remove(path)
            sys.path.insert(_end_of_library(), path)


def is_needed(name: str) -> bool:
    """Return whether a module's name is one that parproc may need for another module."""
    top = name.partition('.')[0]
    return top in DEPENDENCIES or top in sys.stdlib_module_names


class _ProjectFinder(FileFinder):
    """Finds modules in a project's folder, of whatever name is not needed for another, and looks whose they are."""

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return what stands under a name, or None; raises UserError for what another user could have written."""
        if fullname in sys.stdlib_module_names:
            return None
        if fullname in DEPENDENCIES:
            elsewhere = [path for path in sys.path if not _belongs_to_a_project(path)]
            if PathFinder.find_spec(fullname, elsewhere) is not None:
                return None  # else the project is where it is installed from
        found = super().find_spec(fullname, target)
        for path in (found.origin, found.cached) if found is not None else ():
            if path is not None and os.path.exists(path):
                check_trusted(path)
                if path.endswith((*SOURCE_SUFFIXES, *BYTECODE_SUFFIXES)) and os.path.getsize(path) > MOST_BYTES:
                    raise UserError(f'{path} cannot be read: it is larger than {MOST_BYTES >> 20} MB')
        return found


def _hook(path: str) -> FileFinder:
    if not _belongs_to_a_project(path) or not os.path.isdir(path):
        raise ImportError(path)
    return _ProjectFinder(path, *_LOADERS)


def _belongs_to_a_project(path: str) -> bool:
    """Return whether what is imported from a folder is a project's; an environment within one is not.

    A folder that a link in the project leads to is: nobody has asked for what lies there but the project.
    """
    real = os.path.realpath(path)
    if 'site-packages' in real or 'dist-packages' in real or _is_library(path):
        return False
    places = (f'{real}/', f'{os.path.abspath(path)}/')
    return any(place.startswith(f'{folder}/') for folder in _folders for place in places)


def _is_library(path: str) -> bool:
    return path == LIBRARY or os.path.basename(path) == 'lib-dynload'


def _end_of_library() -> int:
    return max((place for place, path in enumerate(sys.path, 1) if _is_library(path)), default=0)
