"""A child for a function: forked, so that it has in memory all that its parent had."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from parproc.exec import system
from parproc.exec.child.log_records import flush_log_files
from parproc.exec.child.main import prepare, run_in_fork
from parproc.exec.child.resources import ChildResources
from parproc.exec.child.streams import flush
from parproc.exec.cpython import fork, socket
from parproc.exec.protocol import FoundFunction, Job, start_error
from parproc.exec.start.logging_locks import HeldLoggingLocks
from parproc.exec.start.socket_pair import close_channel


def fork_child(
    job: Job, found: FoundFunction, end: socket, reaper: int, resources: ChildResources, *, alone: bool
) -> int:
    """Fork a child that runs ``job``, and return its process id.

    Args:
        job: what to run.
        found: its function.
        end: the child's end of the channel; closed here afterwards.
        reaper: descriptor on which the child announces itself.
        resources: what is laid out for all children.
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
                run_in_fork(job, found, end, reaper, resources, alone=alone)
    except OSError as error:
        raise start_error(error) from None
    finally:
        system.restore_signals(mask)
        close_channel(end)
    return pid
