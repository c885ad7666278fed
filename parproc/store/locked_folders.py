"""Folders that belong to a run for as long as it holds a lock in them, and are removed by a later one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat

from parproc.host.descriptors import own

LOCK = 'lock~'  # no proc's file is called so


def make_with_lock(path: str) -> int:
    """Make a folder with a lock in it, and return a descriptor that holds that.

    Raises:
        OSError: when that cannot be; then there is no folder.
    """
    os.mkdir(path, 0o700)
    try:
        lock = os.open(f'{path}/{LOCK}', os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        remove(path)
        raise
    with contextlib.suppress(OSError):
        _try_lock(lock)
    return own(lock)


def _try_lock(lock: int) -> None:
    """Take the lock of a run; raises OSError when a run that is going on holds it."""
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_old(folder: str, kind: re.Pattern[str], kept: int) -> None:
    """Remove all folders of a kind but the latest; one whose run is still going on stays, and so do other users'."""
    with contextlib.suppress(OSError):
        found = sorted(name for name in os.listdir(folder) if kind.fullmatch(name) and _is_own(f'{folder}/{name}'))
        for name in found[: max(0, len(found) - kept)]:
            _remove_unless_running(f'{folder}/{name}')


def _is_own(path: str) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _remove_unless_running(path: str) -> None:
    lock = -1
    try:
        lock = os.open(f'{path}/{LOCK}', os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        _try_lock(lock)
    except FileNotFoundError:
        pass
    except OSError:
        return
    finally:
        if lock >= 0:
            os.close(lock)
    remove(path)


def remove(path: str) -> None:
    """Remove a folder with all that is in it, as far as that is possible."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(path, ignore_errors=True)
