"""Where the task file is: upwards from a folder, the first that has one."""

from __future__ import annotations

import os

from parproc.errors import UserError

KINDS = ('tasks.py',)


def find_task_files(start: str) -> list[str]:
    """Return the task files of the nearest folder, from ``start`` upwards, that has any.

    Raises:
        UserError: when there is none up to the root.
    """
    folder = os.path.abspath(start)
    while True:
        found = [os.path.join(folder, kind) for kind in KINDS if os.path.isfile(os.path.join(folder, kind))]
        if found:
            return found
        parent = os.path.dirname(folder)
        if parent == folder:
            raise UserError(
                f'no task file in {os.path.abspath(start)} or above', hint=f'write a {KINDS[0]}, or name one with -f'
            )
        folder = parent


def named_task_files(paths: list[str]) -> list[str]:
    """Return the absolute paths of files named on the command line.

    Raises:
        UserError: for one that is not there.
    """
    for path in paths:
        if not os.path.isfile(path):
            raise UserError(f'task file not found: {path}')
    return [os.path.abspath(path) for path in paths]
