"""Folders of runs: logs and large results, ``runs/<id>/`` below the state folder or a private temporary one."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Sequence

from parproc.core.filenames import file_stem
from parproc.errors import UserError
from parproc.host.descriptors import close
from parproc.host.private_folders import check_ours
from parproc.store.locked_folders import make_with_lock, remove, remove_old
from parproc.store.spread_folders import spread
from parproc.store.state_folder import RUNS, check_state

KEPT_RUNS = 20
RUN = re.compile(r'\d{8}-\d{6}-[0-9a-f]{7}')
TEMPORARY_RUN = re.compile(r'parproc-\d{8}-\d{6}-[0-9a-f]{15}')
TEMPORARY_RESULTS = re.compile(r'parproc-results-\d{8}-\d{6}-[0-9a-f]{15}')


class RunFolder:
    """Where one run keeps its logs and results; made when the first path is asked for.

    Large results of a run whose logs are in the state folder are in a private temporary folder, in a place that is
    rather a disk than memory: what a task does to the state folder (``clean`` removes it) does nothing to them.

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
        self._results: str | None = None
        self._locks: list[int] = []

    @property
    def descriptors(self) -> list[int]:
        """What it holds open now, which is no business of any child."""
        return list(self._locks)

    @property
    def logs(self) -> str:
        """The folder of the logs."""
        return f'{self._made()}/logs'

    def log_path(self, name: str) -> str:
        """Return the file for a proc's output."""
        return f'{self._made()}/logs/{file_stem(name, self._separator)}.log'

    def result_paths(self, name: str) -> tuple[str, ...]:
        """Return the files that a proc's large result may be written to, the best place first."""
        path, stem = self._made(), file_stem(name, self._separator)
        if self._results is None:
            self._results = '' if self._temporary is not None else self._made_for_results()
        own = f'{path}/results/{stem}'
        return (f'{self._results}/{stem}', own) if self._results else (own,)

    def forget(self, name: str) -> None:
        """Remove the log and the large result of an earlier life of a proc, which others may still read."""
        if self._path is not None:
            stem = file_stem(name, self._separator)
            places = (f'{self._results}/{stem}',) if self._results else ()
            for path in (self.log_path(name), f'{self._path}/results/{stem}', *places):
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def close(self, *, failed: bool) -> None:
        """Give the folder up.

        Results go. A state folder keeps the logs of its latest runs; a temporary folder goes altogether unless
        something ``failed``, and of those that stayed the latest are kept.
        """
        if self._path is None:
            return
        if self._temporary is None:
            self._close_in_root(self._path)
        else:
            remove(f'{self._path}/results' if failed else self._temporary)
            remove_old(os.path.dirname(self._temporary), TEMPORARY_RUN, KEPT_RUNS)
        if self._results:
            remove(self._results)
            remove_old(os.path.dirname(self._results), TEMPORARY_RESULTS, 0)
        for lock in self._locks:
            close(lock)
        self._path, self._temporary, self._results, self._locks = None, None, None, []

    def _made(self) -> str:
        if self._path is None:
            self._path = self._made_in_root(self._root) if self._root is not None else None
            if self._path is None:
                self._path = self._made_temporary()
        return self._path

    def _close_in_root(self, path: str) -> None:
        """Remove what nobody needs any more, in a state folder that a task may have removed or exchanged."""
        runs = os.path.dirname(path)
        root = os.path.dirname(runs)
        with contextlib.suppress(OSError):
            check_ours(root, folder=True)
            check_ours(runs, folder=True)
            remove(f'{path}/results')
            remove_old(runs, RUN, KEPT_RUNS)
            _ignore_in_git(root)

    def _made_in_root(self, root: str) -> str | None:
        """Make the folder of the run, with its lock; return None, and leave a warning, when that cannot be."""
        runs = f'{root}/{RUNS}'
        path = f'{runs}/{self.run_id}'
        try:
            os.makedirs(os.path.dirname(root), exist_ok=True)
            check_state(root)
            _own_folder(root)
            _ignore_in_git(root)
            _own_folder(runs)
            spread(runs)
            self._locks.append(make_with_lock(path))
            _make_folders(path, ('logs', 'results'))
        except OSError as error:
            self.warning = f'{root} is not used ({error.strerror}): logs go to a temporary folder'
            if self._locks:
                close(self._locks.pop())
                remove(path)
            return None
        return path

    def _made_temporary(self) -> str:
        """Make a private temporary folder with the run's in it; raises UserError when there is no place for one."""
        for base in (os.environ.get('TMPDIR'), '/tmp', '/var/tmp'):  # noqa: S108
            with contextlib.suppress(OSError):
                run = self.run_id
                self._temporary = self._made_in(base, 'parproc-', (run, f'{run}/logs', f'{run}/results'))
                return f'{self._temporary}/{run}'
        raise UserError('there is no place for logs', hint='set TMPDIR to a folder that can be written')

    def _made_for_results(self) -> str:
        """Make a private temporary folder for large results, and return its path, '' when there is no place for one."""
        for base in (os.environ.get('TMPDIR'), '/var/tmp', '/tmp'):  # noqa: S108
            with contextlib.suppress(OSError):
                return self._made_in(base, 'parproc-results-', ())
        return ''

    def _made_in(self, base: str | None, prefix: str, folders: Sequence[str]) -> str:
        """Make a private folder, whose name nobody can guess, in one that others may write to as well.

        It has its lock before it has its name, so that no other run ever takes it for one that was left behind.

        Args:
            base: the folder to make it in.
            prefix: how its name begins.
            folders: what it has in it, outer ones first.

        Raises:
            OSError: when that cannot be.
        """
        if not base:
            raise FileNotFoundError
        base = os.path.realpath(base)
        name = f'{prefix}{self.run_id}{os.urandom(4).hex()}'
        first = f'{base}/.{name}'
        lock = make_with_lock(first)
        try:
            if folders:
                spread(first)
                _make_folders(first, folders)
            os.rename(first, f'{base}/{name}')
        except OSError:
            close(lock)
            remove(first)
            raise
        self._locks.append(lock)
        return f'{base}/{name}'


def _new_id(now: float) -> str:
    stamp = time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))
    return f'{stamp}-{int(now * 1000) % 1000:03d}{os.urandom(2).hex()}'


def _make_folders(path: str, names: Sequence[str]) -> None:
    for name in names:
        os.mkdir(f'{path}/{name}', 0o700)


def _own_folder(path: str) -> None:
    """Make a folder, or see to it that it is one, and nobody else's: what is written there must stay ours."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        check_ours(path, folder=True)


def _ignore_in_git(root: str) -> None:
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(f'{root}/.gitignore', os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(descriptor, 'wb') as file:
            file.write(b'*\n')
