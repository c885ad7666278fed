"""How a child has ended: what the system says of its process, and what it has said itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from signal import SIGKILL

from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.exec import system
from parproc.exec.child import openmp
from parproc.exec.processes.channel import ParentChannel
from parproc.exec.processes.child_process import ChildProcess

TAKEN = 'its exit status was taken by another part of this program'


def outcome_of(child: ChildProcess, ran_out_of_memory: Callable[[], bool]) -> Outcome:
    """Return how a child has ended: by a signal, as it said, or last how it left.

    Args:
        child: reaped, with all that it said taken in.
        ran_out_of_memory: tells whether the kernel has killed a process for want of memory since this was last asked.
    """
    status = child.status
    if status is not None and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        reason = f'killed by {system.signal_name(number)}'
        if number == SIGKILL and not child.is_signalled and ran_out_of_memory():
            reason += ' (likely out of memory)'
        return failure(ErrorKind.SIGNAL, reason)
    said = None if child.channel is None else _said(child.channel)
    if said is not None:
        return said
    if status is None:
        return failure(ErrorKind.NO_RESULT, TAKEN)
    code = os.WEXITSTATUS(status)
    if child.job.function is None:
        return failure(ErrorKind.EXIT, f'exit {code}') if code else SUCCESS
    return failure(ErrorKind.NO_RESULT, 'ended without a result' + (f' (exit {code})' if code else ''))


def with_usage(child: ChildProcess, outcome: Outcome) -> Outcome:
    """Return an outcome with what a child has used up and left running, and what may have kept it from ending."""
    hangs_in_openmp = child.is_signalled and child.channel is not None and openmp.is_limited()
    return Outcome(
        outcome.state,
        outcome.error,
        outcome.reason,
        outcome.location,
        child.usage,
        child.leaked,
        outcome.retry,
        openmp.LIKELY_CAUSE if hangs_in_openmp else '',
    )


def _said(channel: ParentChannel) -> Outcome | None:
    """Return how a task says that it ended, None when it said nothing."""
    if channel.fault:
        return failure(ErrorKind.NO_RESULT, channel.fault)
    if channel.unknown is not None and channel.outcome is SUCCESS:
        return failure(ErrorKind.NOT_PICKLABLE, f'not picklable: result needs {channel.unknown}, which only it has')
    return channel.outcome
