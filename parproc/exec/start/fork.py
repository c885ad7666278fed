"""A child for a function: forked, so that it has in memory all that its parent had."""

from __future__ import annotations

import fcntl
import sys
from contextlib import nullcontext

from parproc.exec import system
from parproc.exec.child.main import Ground, prepare, run_job
from parproc.exec.child.streams import flush, flush_log_files
from parproc.exec.cpython import AF_UNIX, SOCK_STREAM, fork, socket, socketpair
from parproc.exec.protocol import Job, StartError, start_error
from parproc.exec.start.logging_locks import HeldLoggingLocks
from parproc.host import descriptors


def open_channel(highest: int, high: int) -> tuple[socket, socket]:
    """Return the two ends of a line between parent and child.

    Args:
        highest: the highest number that a descriptor may have, so that some are left for everything else.
        high: the number from which on the child's end has its own.

    Raises:
        StartError: when there are too few descriptors.
    """
    try:
        mine, theirs = socketpair()
    except OSError as error:
        raise start_error(error) from None
    for end in (mine, theirs):
        descriptors.own(end.fileno())
    if max(mine.fileno(), theirs.fileno()) > highest:
        close_channel(mine)
        close_channel(theirs)
        raise StartError('too many open files', scarce=True)
    mine.setblocking(False)
    return mine, _moved(theirs, high)


def _moved(end: socket, lowest: int) -> socket:
    """Return a channel's end with a descriptor from ``lowest`` on, as far as there is one to be had."""
    try:
        number = fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, lowest)
    except OSError:
        return end
    moved = socket(AF_UNIX, SOCK_STREAM, 0, descriptors.own(number))
    close_channel(end)
    return moved


def close_channel(end: socket) -> None:
    """Close one end of a line."""
    descriptors.disown(end.fileno())
    end.close()


def fork_child(job: Job, end: socket, reaper: int, ground: Ground, *, alone: bool) -> int:
    """Fork a child that runs ``job``, and return its process id.

    Args:
        job: what to run.
        end: the child's end of the channel; closed here afterwards.
        reaper: descriptor on which the child announces itself.
        ground: what is laid out for all children.
        alone: this process has no other threads.

    Raises:
        StartError: when the system refuses.
    """
    prepare()
    flush((sys.stdout, sys.stderr))
    mask = system.block_signals()
    try:
        with nullcontext() if alone else HeldLoggingLocks():
            flush_log_files()
            pid = fork()
            if pid == 0:
                run_job(job, end, reaper, ground, alone=alone)
    except OSError as error:
        raise start_error(error) from None
    finally:
        system.restore_signals(mask)
        close_channel(end)
    return pid
