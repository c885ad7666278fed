"""Whether a task file may be run: not when somebody else could have written it."""

from __future__ import annotations

import os
import stat

from parproc.errors import UserError

TRUST_VARIABLE = 'PARPROC_TRUST'


def check_trust(path: str) -> None:
    """Refuse a file that another user could have written.

    A folder named in the environment variable ``PARPROC_TRUST`` (several with ``:`` between) is trusted.

    Raises:
        UserError: when the file's owner is neither the user nor root, or everybody may write it.
    """
    folder = os.path.dirname(os.path.abspath(path))
    trusted = [os.path.abspath(entry) for entry in os.environ.get(TRUST_VARIABLE, '').split(os.pathsep) if entry]
    if any(folder == entry or folder.startswith(entry.rstrip(os.sep) + os.sep) for entry in trusted):
        return
    status = os.stat(path)
    allow = f'or trust its folder with {TRUST_VARIABLE}={folder}'
    if status.st_uid not in (0, os.geteuid()):
        raise UserError(
            f'{path} belongs to another user (id {status.st_uid}), so it is not run', hint=f'chown it, {allow}'
        )
    if status.st_mode & stat.S_IWOTH:
        raise UserError(f'{path} can be written by everybody, so it is not run', hint=f'chmod o-w it, {allow}')
