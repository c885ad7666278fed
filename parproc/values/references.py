"""What a pickled value refers to: classes and functions by module and name, which its reader must have."""

from __future__ import annotations

import builtins
import importlib
import io
import pickle
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

Reference: TypeAlias = 'tuple[str, str]'
"""A module, and the dotted name of something in it."""


class _Noting(pickle.Unpickler):
    """Decodes, and notes what that takes."""

    def __init__(self, data: bytes, buffers: Iterable[Any], references: set[Reference]) -> None:
        super().__init__(io.BytesIO(data), buffers=buffers)
        self._references = references

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name not in sys.stdlib_module_names:
            self._references.add((module_name, global_name))
        return super().find_class(module_name, global_name)


def note_references(data: bytes, buffers: Sequence[pickle.PickleBuffer], references: set[Reference]) -> None:
    """Unpickle a value, and add what that takes to ``references``; raises whatever unpickling it raises."""
    _Noting(data, buffers, references).load()


def first_unknown(references: Iterable[Reference]) -> str | None:
    """Return the first of what a task's result refers to that this process does not have, None when it has it all.

    A module that is not loaded here need only be there to be loaded; nothing is loaded to find that out.
    """
    for module_name, name in references:
        module = sys.modules.get(module_name)
        if not (_can_be_found(module_name) if module is None else _defines(module, name)):
            return f'{module_name}.{name}'
    return None


def _defines(module: object, name: str) -> bool:
    found = module
    try:
        for step in name.split('.'):
            found = getattr(found, step)
    except (Exception, SystemExit):
        return False
    return True


def _can_be_found(module_name: str) -> bool:
    """Return whether a module could be imported here, as far as that is known without running any of it."""
    parts = module_name.split('.')
    loaded = next((end for end in range(len(parts) - 1, 0, -1) if '.'.join(parts[:end]) in sys.modules), 0)
    path = getattr(sys.modules['.'.join(parts[:loaded])], '__path__', ()) if loaded else None
    importlib.invalidate_caches()
    try:
        return any(
            finder.find_spec('.'.join(parts[: loaded + 1]), path, None) is not None
            for finder in sys.meta_path
            if hasattr(finder, 'find_spec')
        )
    except (Exception, SystemExit):
        return False
