"""Whether a project's file may be used: not when somebody else could have written it, or put it where it is.

What is looked at is the file as it was opened, the folder it was named in, and every folder and link on the way to it.
Nobody but the user and root may be able to write any of them: then nothing of it can have been exchanged between the
opening and the looking.
"""

from __future__ import annotations

import os
import stat

from parproc.errors import UserError
from parproc.project.files import open_regular, read_open

TRUST_VARIABLE = 'PARPROC_TRUST'
MOST_LINKS = 40


def read_trusted(path: str) -> bytes:
    """Return the content of a file that nobody else could have written, read from what was looked at.

    What is in a folder that the environment variable ``PARPROC_TRUST`` names (several with ``:`` between) is trusted.

    Raises:
        UserError: when somebody else could have written it, or it cannot be read.
    """
    try:
        descriptor = open_regular(path)
        try:
            _Check(path).look(os.fstat(descriptor))
            return read_open(descriptor)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{path} cannot be read: {reason}') from error


def check_trusted(path: str) -> None:
    """Look at a file as :func:`read_trusted` does, which somebody else will read.

    Raises:
        UserError: when anybody but the user and root could have written it.
        OSError: when there is no such file.
    """
    _Check(path).look(os.stat(path))


class _Check:
    """One file while it is looked at."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._users = (0, os.geteuid())
        given, home = os.environ.get(TRUST_VARIABLE, ''), os.environ.get('PARPROC_INVOCATION_DIR', '')
        self._trusted = [os.path.realpath(os.path.join(home, entry)) for entry in given.split(os.pathsep) if entry]

    def look(self, opened: os.stat_result) -> None:
        """Follow the way to the file, link by link, and compare what stands at its end with what was opened."""
        path = os.path.abspath(self._path)
        for _ in range(MOST_LINKS):
            named, name = os.path.split(path)
            vouched = bool(self._trusted) and self._is_trusted(os.path.realpath(named))
            folder = os.path.realpath(named) if vouched else self._walk(named)
            entry = os.path.join(folder, name)
            found = os.lstat(entry)
            if not vouched:
                self._look_at_folder(folder, found, holds_it=True)
            if not stat.S_ISLNK(found.st_mode):
                break
            path = os.path.join(folder, os.readlink(entry))
        if not os.path.samestat(found, opened):
            raise UserError(f'{self._path} was exchanged while it was looked at, so it is not used')
        if not vouched:
            self._look_at_file(folder, opened)

    def _is_trusted(self, folder: str) -> bool:
        return any(folder == entry or folder.startswith(entry.rstrip(os.sep) + os.sep) for entry in self._trusted)

    def _walk(self, path: str) -> str:
        """Return where a folder really is, having looked at every folder above it and every link on the way."""
        folder = os.sep
        links = 0
        pending = path.split(os.sep)[::-1]
        while pending:
            part = pending.pop()
            if part in ('', '.'):
                continue
            if part == '..':
                folder = os.path.dirname(folder)
                continue
            entry = os.path.join(folder, part)
            found = os.lstat(entry)
            self._look_at_folder(folder, found, holds_it=False)
            if not stat.S_ISLNK(found.st_mode):
                folder = entry
                continue
            links += 1
            if links > MOST_LINKS:
                raise UserError(f'{self._path} cannot be read: too many links')
            target = os.readlink(entry)
            pending += target.split(os.sep)[::-1]
            if os.path.isabs(target):
                folder = os.sep
        return folder

    def _look_at_folder(self, folder: str, entry: os.stat_result, *, holds_it: bool) -> None:
        """Refuse a folder in which somebody else can exchange an entry.

        Args:
            folder: where it really is.
            entry: what it has on the way to the file.
            holds_it: the entry is the file, so that its neighbours, which it may import, count as well.
        """
        status = os.lstat(folder)
        if status.st_uid not in self._users and (holds_it or _is_mapped(status.st_uid)):
            raise self._refusal(f'{folder} belongs to another user (id {status.st_uid})', f'chown {folder}', folder)
        if not status.st_mode & stat.S_IWOTH:
            return
        if holds_it and status.st_mode & stat.S_ISVTX:
            raise self._refusal(f'everybody can put files into {folder}', 'move it into a folder of its own', folder)
        if not status.st_mode & stat.S_ISVTX:
            raise self._refusal(f'{folder} can be written by everybody', f'chmod o-w {folder}', folder)
        if entry.st_uid not in self._users and _is_mapped(entry.st_uid):
            raise self._refusal(f'another user (id {entry.st_uid}) has what leads to it in {folder}', 'move it', folder)

    def _look_at_file(self, folder: str, opened: os.stat_result) -> None:
        if opened.st_uid not in self._users:
            raise self._refusal(f'it belongs to another user (id {opened.st_uid})', 'chown it', folder)
        if opened.st_mode & stat.S_IWOTH:
            raise self._refusal('it can be written by everybody', 'chmod o-w it', folder)

    def _refusal(self, reason: str, remedy: str, folder: str) -> UserError:
        return UserError(
            f'{self._path} is not used: {reason}', hint=f'{remedy}, or trust it with {TRUST_VARIABLE}={folder}'
        )


def _is_mapped(user: int) -> bool:
    """Return whether a user id is somebody here.

    In a sandbox with users of its own, whoever has no id there is shown as one and the same nobody, and so is root,
    who has the folders above the user's.
    """
    try:
        with open('/proc/self/uid_map', encoding='ascii') as file:
            ranges = [(int(line.split()[0]), int(line.split()[2])) for line in file]
    except (OSError, ValueError, IndexError):
        return True
    return any(first <= user < first + count for first, count in ranges)
