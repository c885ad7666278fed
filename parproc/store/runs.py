"""Folders of runs: logs and large results, ``runs/<id>/`` below the state folder or a private temporary one."""

from __future__ import annotations

import os
import time
from pathlib import Path

from parproc.core.filenames import file_stem

KEPT_RUNS = 20


class RunFolder:
    """Where one run keeps its logs and results; made when the first path is asked for.

    Args:
        root: state folder, ``.parproc`` beside the task file; None for a private temporary folder.
        separator: what stands between the segments of proc names.
    """

    def __init__(self, root: str | None, separator: str = '::') -> None:
        self.run_id = f'{time.strftime("%Y%m%d-%H%M%S")}-{os.getpid()}-{os.urandom(2).hex()}'
        self.warning: str | None = None
        self._root = root
        self._separator = separator
        self._path: str | None = None
        self._lock = -1

    @property
    def logs(self) -> str:
        """The folder of the logs."""
        return os.path.join(self._made(), 'logs')

    def log_path(self, name: str) -> str:
        """Return the file for a proc's output."""
        return f'{self._made()}/logs/{file_stem(name, self._separator)}.log'

    def result_path(self, name: str) -> str:
        """Return the file for a proc's large result."""
        return f'{self._made()}/results/{file_stem(name, self._separator)}'

    def close(self, *, failed: bool) -> None:
        """Give the folder up: results go, and so does a temporary folder unless something ``failed``."""
        if self._path is None:
            return
        import shutil

        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        temporary = self._root is None
        shutil.rmtree(self._path if temporary and not failed else f'{self._path}/results', ignore_errors=True)
        self._path = None

    def _made(self) -> str:
        if self._path is None:
            try:
                self._path = self._in_root(self._root) if self._root is not None else self._temporary()
            except OSError as error:
                self.warning = f'{self._root} cannot be written ({error.strerror}); logs go to a temporary folder'
                self._root = None
                self._path = self._temporary()
        return self._path

    def _in_root(self, root: str) -> str:
        runs = os.path.join(root, 'runs')
        os.makedirs(root, mode=0o700, exist_ok=True)
        ignore = Path(root, '.gitignore')
        if not ignore.exists() and not ignore.is_symlink():
            ignore.write_text('*\n')
        if os.path.islink(root) or os.path.islink(runs):
            raise OSError(0, 'it is a symbolic link')
        os.makedirs(runs, mode=0o700, exist_ok=True)
        _drop_old(runs)
        return self._new(os.path.join(runs, self.run_id))

    def _temporary(self) -> str:
        import tempfile

        return self._new(tempfile.mkdtemp(prefix='parproc-'))

    def _new(self, path: str) -> str:
        for folder in (path, f'{path}/logs', f'{path}/results'):
            os.makedirs(folder, mode=0o700, exist_ok=folder == path)
        import fcntl

        self._lock = os.open(f'{path}/lock', os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path


def _drop_old(runs: str) -> None:
    """Remove all but the newest runs; one that is still going on holds its lock and stays."""
    import shutil

    finished = sorted(entry.name for entry in os.scandir(runs) if entry.is_dir(follow_symlinks=False))
    for name in finished[: max(0, len(finished) - KEPT_RUNS + 1)]:
        if not _in_use(os.path.join(runs, name)):
            shutil.rmtree(os.path.join(runs, name), ignore_errors=True)


def _in_use(path: str) -> bool:
    import fcntl

    try:
        with open(os.path.join(path, 'lock')) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
