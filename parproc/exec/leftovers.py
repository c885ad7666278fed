"""What a task left running when its own process was gone: found, ended and named."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection

from parproc.exec import system

PATIENCE = 1.0
PAUSE = 0.002


class Leftovers:
    """Ends the processes that tasks leave behind.

    The leader of each session takes in the orphans of its tree while it lives; when it is gone, they become children
    of this process. So whatever is in the leader's session, or is an unexpected child of ours, is looked at.

    Args:
        run_id: value of ``PARPROC_RUN_ID`` in the environment of the run's processes.
        exclusive: while tasks run, nothing but tasks starts processes, so that every unexpected child is a task's.
    """

    def __init__(self, run_id: str, *, exclusive: bool) -> None:
        self._entry = b'PARPROC_RUN_ID=' + run_id.encode()
        self._exclusive = exclusive
        self._children: system.ChildrenFile | None = None
        self._foreign: frozenset[int] = frozenset()

    def close(self) -> None:
        """Release what is held open."""
        if self._children is not None:
            self._children.close()
            self._children = None

    def look(self, known: Collection[int]) -> None:
        """Note which children there are before any task runs; they are left alone."""
        if self._children is None:
            self._children = system.ChildrenFile()
        self._foreign = frozenset(pid for pid in self._children.read() if pid not in known)

    def end(self, leader: int, known: Collection[int], others: Collection[str]) -> tuple[str, ...]:
        """Kill and reap what a task left behind; return what it was.

        Args:
            leader: the task's process, which is reaped already.
            known: children of ours that are nobody's leftovers.
            others: the tasks that still run.
        """
        killed: set[int] = set()
        found = self._find(leader, known, others, killed)
        if not found:
            return ()
        described: dict[int, str] = {}
        deadline = time.monotonic() + PATIENCE
        while found and time.monotonic() < deadline:
            for pid in system.tree_of(found) - described.keys():
                described[pid] = system.describe(pid)
            killed |= found | system.kill_trees(found)
            time.sleep(PAUSE)
            found = self._find(leader, known, others, killed)
        self._foreign |= found - {leader}  # cannot be ended: not waited for again
        return tuple(described.values())

    def _find(self, leader: int, known: Collection[int], others: Collection[str], killed: Collection[int]) -> set[int]:
        """Return the roots of what is left, after reaping what has ended; who has ended says no more whose it was."""
        roots = set()
        for pid in () if self._children is None else self._children.read():
            if pid in known or pid in self._foreign:
                continue
            if (pid in killed or self._is_of(pid, leader, known, others)) and not system.reap(pid):
                roots.add(pid)
        if system.send_group(leader, 0):
            roots.add(leader)
        return roots

    def _is_of(self, pid: int, leader: int, known: Collection[int], others: Collection[str]) -> bool:
        """Return whether an unexpected child belongs to the task."""
        try:
            session = os.getsid(pid)
        except OSError:
            return False
        if session == leader:
            return True
        if session in known:
            return False
        environment = system.environment_of(pid)
        if self._entry in environment:
            prefix = b'PARPROC_NAME='
            owner = next((entry[len(prefix) :] for entry in environment if entry.startswith(prefix)), b'')
            return owner.decode('utf-8', 'surrogateescape') not in others
        if threading.active_count() > 1:
            return False
        if self._exclusive:
            return True
        # a program may start processes of its own meanwhile: those are in its session, or run another program
        command = system.command_of(pid)
        return bool(command) and session != os.getsid(0) and command == system.command_of(os.getpid())
