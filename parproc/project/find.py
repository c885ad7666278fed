"""Where the task files are: upwards from a folder, the first that has any. Completion and runs look alike."""

from __future__ import annotations

import os

from parproc.project.files import read_regular

PYPROJECT = 'pyproject.toml'
KINDS = ('parproc.toml', 'tasks.py')
"""Work together where both are there."""


def search_upwards(start: str) -> list[str]:
    """Return the task files of the nearest folder, from ``start`` upwards, that has any; none where there are none.

    What is no regular file is none, so that nothing that lies in a folder above can hold a search up.
    """
    folder = os.path.abspath(start)
    if not os.path.isdir(folder):
        return []
    while True:
        found = [path for kind in KINDS if os.path.isfile(path := os.path.join(folder, kind))]
        if not found and has_table(path := os.path.join(folder, PYPROJECT)):
            found = [path]
        parent = os.path.dirname(folder)
        if found or parent == folder:
            return found
        folder = parent


def in_order(paths: list[str]) -> list[str]:
    """Return the absolute paths of files that were named; TOML, which holds options, comes first."""
    return sorted(map(os.path.abspath, paths), key=lambda path: not path.endswith('.toml'))


def find_task_files(start: str) -> list[str]:
    """Return what :func:`search_upwards` finds.

    Raises:
        UserError: when there is no such folder, or no task file up to the root.
    """
    from parproc.errors import UserError

    if not os.path.isdir(start):
        raise UserError(f'not a directory: {start}')
    found = search_upwards(start)
    if not found:
        raise UserError(
            f'no task file in {os.path.abspath(start)} or above',
            hint='parproc --init writes a tasks.py; -f names a file elsewhere',
        )
    return found


def named_task_files(paths: list[str]) -> list[str]:
    """Return files that were named on the command line, :func:`in_order`.

    Raises:
        UserError: for one that is not there, or is no file in a folder: procs run in that folder, and keep their logs
            there.
    """
    from parproc.errors import UserError

    for path in paths:
        if not os.path.exists(path):
            raise UserError(f'task file not found: {path}')
        folder = os.path.realpath(os.path.dirname(os.path.abspath(path)))
        if not os.path.isfile(path) or folder in ('/dev', '/dev/fd') or f'{folder}/'.startswith('/proc/'):
            raise UserError(f'not a regular file: {path}', hint='a task file lies in the folder that its procs run in')
    return in_order(paths)


def has_table(path: str) -> bool:
    """Return whether a ``pyproject.toml`` has a table for parproc; one that cannot be read is as good as none."""
    try:
        text = read_regular(path)
    except OSError:
        return False
    if b'parproc' not in text:
        return False
    header = b''
    for line in text.splitlines():
        plain = line.translate(None, b' \t"\'')
        if plain.startswith(b'['):
            header = plain.strip(b'[').partition(b']')[0] + b'.'
            key = header
        elif header in (b'', b'tool.'):
            key = header + plain.partition(b'=')[0] + b'.'
        else:
            continue
        if key.startswith(b'tool.parproc.'):
            return True
    return False
