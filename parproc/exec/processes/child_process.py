"""What is known of one running child."""

from __future__ import annotations

from collections import deque

from parproc.core.model import Usage
from parproc.exec.foreground import Foreground
from parproc.exec.processes.channel import ParentChannel
from parproc.exec.protocol import Job


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
