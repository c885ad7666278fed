"""What the parent does before its first child and undoes after its last: descriptors, SIGCHLD, ownership."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import warnings

from parproc.exec import system
from parproc.exec.child.resources import ChildResources
from parproc.exec.protocol import StartError, start_error
from parproc.exec.start.spawn import keep_descriptors_here
from parproc.exec.supervision import ownership

SPARE_DESCRIPTORS = 8


class ParentSetup:
    """What makes a process ready to have children.

    Args:
        exclusive: nothing but tasks starts processes in this program while they run.

    Attributes:
        resources: what all children share.
        highest_descriptor: the highest number that a task's start may use, so that some are left for everything else.

    Raises:
        StartError: when the system refuses.
    """

    def __init__(self, *, exclusive: bool) -> None:
        try:
            self.resources = ChildResources()
        except OSError as error:
            raise start_error(error) from None
        if exclusive:
            try:
                keep_descriptors_here()
            except OSError as error:
                self.resources.close()
                raise start_error(error) from None
        ownership.enter()
        self._memory_kills = system.out_of_memory_kills()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        unlimited = limit == resource.RLIM_INFINITY
        self.highest_descriptor = system.HIGHEST_DESCRIPTOR if unlimited else limit - SPARE_DESCRIPTORS
        self._ignored_exits = False
        if exclusive and threading.current_thread() is threading.main_thread():
            self._keep_exit_statuses()
        if sys.version_info >= (3, 12):  # we warn of threads ourselves, once and by name
            warnings.filterwarnings('ignore', r'.*use of fork\(\) may lead to deadlocks', DeprecationWarning)

    def check_descriptors(self) -> None:
        """Leave the highest descriptors to everything that is not the start of a task; raises StartError."""
        try:
            lowest = os.dup(self.resources.nothing)
        except OSError as error:
            raise start_error(error) from None
        os.close(lowest)
        if lowest > self.highest_descriptor:
            raise StartError('too many open files', scarce=True)

    def ran_out_of_memory(self) -> bool:
        """Return whether the kernel has killed a process for want of memory since this was last asked."""
        before, self._memory_kills = self._memory_kills, system.out_of_memory_kills()
        return self._memory_kills > before

    def close(self) -> None:
        """Undo what was done."""
        self.resources.close()
        ownership.leave()
        if self._ignored_exits and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    def _keep_exit_statuses(self) -> None:
        """Let the system keep how children ended, where whoever started this program has it thrown away."""
        self._ignored_exits = signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
        if self._ignored_exits:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
