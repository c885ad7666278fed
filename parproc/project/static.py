"""What task files declare as far as it can be read without running them; Python is read by static_python."""

from __future__ import annotations

import os
from typing import Any

from parproc.project.files import read_regular
from parproc.project.index import Index, texts_of

MOST_BYTES = 1 << 22


def read_statically(files: list[str]) -> Index:
    """Return what some task files declare; what cannot be read is left out, and nothing of them is run."""
    index = Index()
    seen: set[str] = set()
    for path in files:
        _read(path, (), index, seen)
    return index


def _read(path: str, scope: tuple[str, ...], index: Index, seen: set[str]) -> None:
    real = os.path.realpath(path)
    if real in seen:
        return
    seen.add(real)
    try:
        source = read_regular(path, MOST_BYTES)
        if path.endswith('.toml'):
            _read_toml(path, source.decode(), scope, index, seen)
        else:
            from parproc.project.static_python import declarations

            for name, text, choices in declarations(source, index):
                _add(index, scope, name, text, choices)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return


def _read_toml(path: str, source: str, scope: tuple[str, ...], index: Index, seen: set[str]) -> None:
    import tomli

    data: Any = tomli.loads(source)
    if os.path.basename(path) == 'pyproject.toml':
        data = _table(_table(data, 'tool'), 'parproc')
    separator = _table(data, 'options').get('name_param_separator')
    if isinstance(separator, str) and separator:
        index.separator = separator
    index.params += [name for name in _table(data, 'params') if name not in index.params]
    for name, table in _table(data, 'proc').items():
        _add(index, scope, name, _text(table, 'doc'), None)
    for name, table in _table(data, 'proto').items():
        choices = _table(table, 'arg_choices') if isinstance(table, dict) else {}
        _add(index, scope, name, _text(table, 'doc'), texts_of(choices))
    include = data.get('include')
    for entry in include if isinstance(include, list) else ():
        if isinstance(entry, str):
            parts = [part for part in os.path.dirname(os.path.normpath(entry)).split(os.sep) if part not in ('', '..')]
            _read(os.path.join(os.path.dirname(path), entry), (*scope, *parts), index, seen)


def _table(data: Any, key: str) -> dict[str, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _text(table: Any, key: str) -> str:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) else ''


def _add(index: Index, scope: tuple[str, ...], name: str, text: str, choices: dict[str, list[str]] | None) -> None:
    if not name or not name.isprintable():
        return
    full = index.separator.join((*scope, name))
    if choices is None:
        index.procs[full] = text
    else:
        known = {key: [value for value in values if value.isprintable()] for key, values in choices.items()}
        index.protos[full] = (text, {**known})
