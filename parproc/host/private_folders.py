"""Folders and files that must be nobody else's: checked, and made again where somebody has removed them."""

from __future__ import annotations

import contextlib
import os
import stat

MOST_FOLDERS = 4
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def check_ours(path: str, *, folder: bool) -> None:
    """See to it that a folder or a file is what it should be, and that no other user could have put it there.

    Args:
        path: a link is not followed.
        folder: a folder is expected, else a regular file.

    Raises:
        OSError: when it is not, with a reason for people; FileNotFoundError when there is nothing.
    """
    reason = _objection(os.lstat(path), folder=folder)
    if reason is not None:
        raise OSError(0, f'{os.path.basename(path)} {reason}')


def make_again(path: str) -> None:
    """Make a folder that was there before, and of the folders above it the three that can be ours as well.

    None of the four may be a link, and nothing is made where another user could have put something in its place.

    Raises:
        OSError: when that is not possible.
    """
    names: list[str] = []
    top = path
    while len(names) < MOST_FOLDERS and os.path.basename(top):
        top, name = os.path.split(top)
        names.insert(0, name)
    here = os.open(top, FOLDER)
    try:
        for name in names:
            outer, here = here, _inner(here, name)
            os.close(outer)
    finally:
        os.close(here)


def _inner(outer: int, name: str) -> int:
    """Return a descriptor of a folder in a folder, made where there is none."""
    try:
        return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=outer)
    except FileNotFoundError:
        _check(outer)
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=outer)
    inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=outer)
    try:
        _check(inner)
    except OSError:
        os.close(inner)
        raise
    return inner


def _check(folder: int) -> None:
    reason = _objection(os.fstat(folder), folder=True)
    if reason is not None:
        raise OSError(0, f'its folder {reason}')


def _objection(found: os.stat_result, *, folder: bool) -> str | None:
    """Return why something is not to be used, None when nothing is wrong with it."""
    mode = found.st_mode
    if stat.S_ISLNK(mode):
        return 'is a symbolic link'
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        return 'is not a folder' if folder else 'is not a file'
    if found.st_uid not in {os.geteuid(), 0}:
        return 'belongs to another user'
    if folder and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return 'can be written to by everybody'
    return None
