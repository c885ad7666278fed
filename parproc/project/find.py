"""Where the task files are: upwards from a folder, the first that has any."""

from __future__ import annotations

import os
import re

from parproc.errors import UserError

PYPROJECT = 'pyproject.toml'
KINDS = ('parproc.toml', 'tasks.py')
"""Work together where both are there."""


def find_task_files(start: str) -> list[str]:
    """Return the task files of the nearest folder, from ``start`` upwards, that has any.

    Raises:
        UserError: when there is none up to the root.
    """
    folder = os.path.abspath(start)
    while True:
        found = [path for kind in KINDS if os.path.isfile(path := os.path.join(folder, kind))]
        if not found and has_table(path := os.path.join(folder, PYPROJECT)):
            found = [path]
        if found:
            return found
        parent = os.path.dirname(folder)
        if parent == folder:
            raise UserError(
                f'no task file in {os.path.abspath(start)} or above',
                hint='parproc --init writes a tasks.py; -f names a file elsewhere',
            )
        folder = parent


def named_task_files(paths: list[str]) -> list[str]:
    """Return the absolute paths of files named on the command line; TOML, which holds options, comes first.

    Raises:
        UserError: for one that is not there.
    """
    for path in paths:
        if not os.path.isfile(path):
            raise UserError(f'task file not found: {path}')
    return sorted(map(os.path.abspath, paths), key=lambda path: not path.endswith('.toml'))


def has_table(path: str) -> bool:
    """Return whether a ``pyproject.toml`` has a table for parproc; one that cannot be read is as good as none."""
    try:
        with open(path, 'rb') as file:
            text = file.read()
    except OSError:
        return False
    return b'parproc' in text and re.search(rb'^\s*\[\[?\s*tool\s*\.\s*"?parproc\b', text, re.MULTILINE) is not None
