"""A job's log file: opened so that a task cannot have something else opened in its place, and written to at last."""

from __future__ import annotations

import builtins
import errno
import os
import stat

from parproc.exec.protocol import Job
from parproc.host.private_folders import make_again

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_open, _close, _write, _stat, _fstat = os.open, os.close, os.write, os.stat, os.fstat


def open_log(job: Job, nothing: int, *, first: bool = True) -> tuple[int, str]:
    """Open a job's log for appending, if it has one; no link is followed, nothing but a file opened or waited for.

    Args:
        job: whose log.
        nothing: descriptor of ``/dev/null``.
        first: nothing of this attempt has written to it yet.

    Returns:
        The descriptor, ``nothing`` when the log cannot be opened, and what then went wrong.
    """
    if job.log_path is None:
        return nothing, ''
    try:
        try:
            log = _opened_log(job.log_path, new=first and job.attempt == 1)
        except FileNotFoundError:  # a task has removed the folder
            make_again(os.path.dirname(job.log_path))
            log = _opened_log(job.log_path, new=first and job.attempt == 1)
    except OSError as error:
        return nothing, _complaint(job, error)
    if first and job.attempt > 1:
        try:
            os.write(log, f'--- attempt {job.attempt} of {job.attempts} ---\n'.encode())
        except OSError as error:
            return log, _complaint(job, error)
    return log, ''


def append_at_last(job: Job, text: str) -> None:
    """Write to the log of a job, in its process, whatever it has made of its standard streams and descriptors."""
    data = text.encode('utf-8', 'backslashreplace')
    log = -1 if job.interactive or job.log_path is None else _reopened(job.log_path)
    try:
        while data:
            data = data[_write(log if log >= 0 else 2, data) :]
    except OSError:
        return
    finally:
        if log >= 0:
            _close(log)


def _opened_log(path: str, *, new: bool) -> int:
    """Open a log, and nothing that stands in its place: a link, a pipe that would be waited for, another's file.

    A ``new`` one may be there, empty, when a process could not be started at once.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    if new:
        try:
            return os.open(path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
    log = os.open(path, flags | os.O_NONBLOCK, 0o600)
    found = os.fstat(log)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or (new and found.st_size):
        os.close(log)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.set_blocking(log, True)
    return log


def _reopened(path: str) -> int:
    """Return a descriptor for a log that standard error leads to no more; -1 where it does, or there is no log."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        found = _stat(path, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            return -1
        try:
            present = _fstat(2)
        except OSError:
            return _open(path, flags)
        same = (present.st_dev, present.st_ino) == (found.st_dev, found.st_ino)
        return -1 if same else _open(path, flags)
    except OSError:
        return -1


def _complaint(job: Job, error: OSError) -> str:
    return f'the log of "{job.name}" cannot be written: {error.strerror}'
