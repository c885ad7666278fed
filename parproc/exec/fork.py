"""A child for a function: forked, so that it has in memory all that its parent had."""

from __future__ import annotations

import os
import sys
from _socket import socket, socketpair

from parproc.exec import system
from parproc.exec.child import Ground, run_job
from parproc.exec.protocol import Job, StartError, start_error
from parproc.exec.streams import flush, hold_logging


def open_channel(highest: int) -> tuple[socket, socket]:
    """Return the two ends of a line between parent and child.

    Args:
        highest: the highest number that a descriptor may have, so that some are left for everything else.

    Raises:
        StartError: when there are too few descriptors.
    """
    try:
        mine, theirs = socketpair()
    except OSError as error:
        raise start_error(error) from None
    if max(mine.fileno(), theirs.fileno()) > highest:
        mine.close()
        theirs.close()
        raise StartError('too many open files', scarce=True)
    mine.setblocking(False)
    return mine, theirs


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
    flush((sys.stdout, sys.stderr))
    mask = system.block_signals()
    held = [] if alone else hold_logging()
    try:
        pid = os.fork()
        if pid == 0:
            run_job(job, end, reaper, ground, alone=alone)
    except OSError as error:
        raise start_error(error) from None
    finally:
        for lock in reversed(held):
            lock.release()
        system.restore_signals(mask)
        end.close()
    return pid
