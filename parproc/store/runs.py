"""Folders of runs: logs and large results, ``runs/<id>/`` below the state folder or a private temporary one."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import sys
import time

from parproc.core.filenames import file_stem
from parproc.errors import UserError

KEPT_RUNS = 20
LONG = struct.calcsize('l')
GET_FLAGS, SET_FLAGS = (
    2 << 30 | LONG << 16 | 0x6601,
    1 << 30 | LONG << 16 | 0x6602,
)  # <linux/fs.h>, as most machines have it
TOP_OF_TREES = 0x00020000
_RUN_ID = re.compile(r'\d{8}-\d{6}-[0-9a-f]{7}')


class RunFolder:
    """Where one run keeps its logs and results; made when the first path is asked for.

    Args:
        root: state folder, ``.parproc`` beside the task file; None for a private temporary folder.
        separator: what stands between the segments of proc names.

    Attributes:
        run_id: sorts by the time of the start, and no two runs have the same.
        warning: why ``root`` is not used, once that is known and so.
    """

    def __init__(self, root: str | None, separator: str = '::') -> None:
        self.run_id = _new_id(time.time())
        self.warning: str | None = None
        self._root = None if root is None else os.path.abspath(root)
        self._separator = separator
        self._path: str | None = None
        self._temporary: str | None = None
        self._in_root = False
        self._lock = -1

    @property
    def logs(self) -> str:
        """The folder of the logs."""
        return f'{self._made()}/logs'

    def log_path(self, name: str) -> str:
        """Return the file for a proc's output."""
        return f'{self._made()}/logs/{file_stem(name, self._separator)}.log'

    def result_path(self, name: str) -> str:
        """Return the file for a proc's large result."""
        return f'{self._made()}/results/{file_stem(name, self._separator)}'

    def close(self, *, failed: bool) -> None:
        """Give the folder up.

        Results go. A state folder keeps the logs of its latest runs; a temporary folder that was asked for goes
        altogether unless something ``failed``.
        """
        if self._path is None:
            return
        removable = None if failed or self._root is not None else self._temporary
        _remove(removable or f'{self._path}/results')
        if self._in_root:
            _remove_old(os.path.dirname(self._path))
        if self._lock >= 0:
            os.close(self._lock)
        self._path, self._lock = None, -1

    def _made(self) -> str:
        if self._path is None:
            self._path = self._make_in_root(self._root) if self._root is not None else None
            self._in_root = self._path is not None
            if self._path is None:
                self._temporary = _make_temporary(self.run_id)
                self._path = f'{self._temporary}/{self.run_id}'
        return self._path

    def _make_in_root(self, root: str) -> str | None:
        """Make the folder of the run, with its lock; None, and a warning, when that cannot be."""
        try:
            os.makedirs(os.path.dirname(root), exist_ok=True)
            _own_folder(root)
            _ignore_in_git(root)
            _own_folder(f'{root}/runs')
            _spread(f'{root}/runs')
            path = f'{root}/runs/{self.run_id}'
            _make_new(path)
            self._lock = os.open(f'{path}/lock', os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.warning = f'{root} cannot be used ({error.strerror}), so logs go to a temporary folder'
            return None
        with contextlib.suppress(OSError):
            _try_lock(self._lock)
        return path


def _new_id(now: float) -> str:
    stamp = time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))
    return f'{stamp}-{int(now * 1000) % 1000:03d}{os.urandom(2).hex()}'


def _make_new(path: str) -> None:
    for folder in (path, f'{path}/logs', f'{path}/results'):
        os.mkdir(folder, 0o700)


def _spread(path: str) -> None:
    """Let the folders made in ``path`` lie far apart on the disk, where its file system has a way to say so.

    ext4 puts all folders below one near each other, and does not reuse a removed file's inode for a minute or more, so
    that a new file first has to step over all that were removed nearby (``recently_deleted`` in Linux' fs/ext4/ialloc.c).
    With the logs of 8,000 procs just removed, each log of the next run takes 0.9 ms to make, elsewhere on the disk 0.015.
    """
    if sys.platform != 'linux':
        return
    import fcntl

    with contextlib.suppress(OSError):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            (flags,) = struct.unpack('l', fcntl.ioctl(folder, GET_FLAGS, bytes(LONG)))
            fcntl.ioctl(folder, SET_FLAGS, struct.pack('l', flags | TOP_OF_TREES))
        finally:
            os.close(folder)


def _own_folder(path: str) -> None:
    """Make a folder, or see to it that it is one, and nobody else's: what is written there must stay ours."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(0, 'it is a symbolic link') from None
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(0, 'it is not a folder') from None
        if found.st_uid not in {os.geteuid(), 0}:
            raise OSError(0, 'it belongs to another user') from None


def _ignore_in_git(root: str) -> None:
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(f'{root}/.gitignore', os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(descriptor, 'wb') as file:
            file.write(b'*\n')


def _make_temporary(run_id: str) -> str:
    """Make a private temporary folder with the run's in it; raises UserError when there is no place for one."""
    for base in (os.environ.get('TMPDIR'), '/tmp', '/var/tmp'):  # noqa: S108
        if base:
            path = os.path.join(os.path.abspath(base), f'parproc-{run_id}{os.urandom(4).hex()}')
            with contextlib.suppress(OSError):
                os.mkdir(path, 0o700)
                _spread(path)
                _make_new(f'{path}/{run_id}')
                return path
    raise UserError('there is no place for logs', hint='set TMPDIR to a folder that can be written')


def _try_lock(lock: int) -> None:
    """Take the lock of a run; raises OSError when a run that is going on holds it."""
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_old(runs: str) -> None:
    """Remove all but the latest runs; one that is still going on holds its lock and stays."""
    with contextlib.suppress(OSError):
        found = sorted(name for name in os.listdir(runs) if _RUN_ID.fullmatch(name))
        for name in found[:-KEPT_RUNS]:
            _remove_unless_running(f'{runs}/{name}')


def _remove_unless_running(path: str) -> None:
    lock = -1
    try:
        lock = os.open(f'{path}/lock', os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        _try_lock(lock)
    except FileNotFoundError:
        pass
    except OSError:
        return
    finally:
        if lock >= 0:
            os.close(lock)
    _remove(path)


def _remove(path: str) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)
