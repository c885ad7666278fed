"""One running child: what is known of it, how it is reaped, and what leads to it."""

from __future__ import annotations

import os
import selectors
import sys
from collections import deque

from parproc.core.model import Usage
from parproc.exec.foreground import Foreground
from parproc.exec.processes.channel import ParentChannel
from parproc.exec.protocol import Job
from parproc.host import descriptors

MAXRSS_BYTES = 1 if sys.platform == 'darwin' else 1024


class ChildProcess:
    """One running child: its process, its exit descriptor and the channel to it; what its job has used up before.

    Attributes:
        job: what it runs.
        pid: the process, which leads a session.
        pidfd: becomes readable when it ends; -1 where there is no such thing.
        channel: to the child, None for a command.
        foreground: the terminal that it was lent, if any.
        commands_left: of its job, to be run after this one.
        usage: processor time and memory of its job so far.
        leaked: what its job has left running so far, for people.
        is_signalled: it was told to end.
        is_killed: it was sent SIGKILL.
        is_reaped: the process itself has gone; what it has left running may still be given time to end.
        status: as ``wait`` gives it; None when somebody else has taken it.
        survivors: descriptors of what it has left running.
    """

    __slots__ = (
        *('channel', 'commands_left', 'foreground', 'is_killed', 'is_reaped', 'is_signalled', 'job', 'leaked', 'pid'),
        *('pidfd', 'status', 'survivors', 'usage'),
    )

    def __init__(self, job: Job, pid: int) -> None:
        self.job = job
        self.pid = pid
        self.pidfd = -1
        self.channel: ParentChannel | None = None
        self.foreground: Foreground | None = None
        self.commands_left: deque[tuple[str, ...]] = deque()
        self.usage = Usage()
        self.leaked: tuple[str, ...] = ()
        self.is_signalled = False
        self.is_killed = False
        self.is_reaped = False
        self.status: int | None = None
        self.survivors: list[int] = []

    def reap(self) -> bool:
        """Reap the process and take in what it has used up, if it has ended; return whether it has."""
        try:
            pid, self.status, usage = os.wait4(self.pid, os.WNOHANG)
        except ChildProcessError:  # the program waits for any child, or has the system throw away how they end
            self.status = None
        else:
            if pid == 0:
                return False
            cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_BYTES
            self.usage = Usage(self.usage.cpu + cpu, max(self.usage.memory, memory))
        self.is_reaped = True
        return True

    def disconnect(self, selector: selectors.BaseSelector) -> None:
        """Take in what it said last, close what leads to its process, and take the terminal back."""
        if self.channel is not None:
            self.channel.finish()
        if self.pidfd >= 0:
            forget_descriptor(selector, self.pidfd)
            self.pidfd = -1
        if self.foreground is not None:
            self.foreground.take_back()


def forget_descriptor(selector: selectors.BaseSelector, descriptor: int) -> None:
    """Watch a descriptor no more, if it was watched, and close it."""
    try:  # noqa: SIM105 - contextlib would cost each task more than the rest of this
        selector.unregister(descriptor)
    except KeyError:
        pass
    descriptors.close(descriptor)
