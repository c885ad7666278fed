"""What a task left running when its own process was gone: found, ended and named."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection

from parproc.exec import system
from parproc.exec.supervision import ownership, process_table
from parproc.exec.supervision.kill_tree import kill_trees

LONGEST_ENDING_SECONDS = 1.0
PAUSE_SECONDS = 0.002


class Orphans:
    """Ends the processes that tasks leave behind.

    The leader of each session takes in the orphans of its tree while it lives; when it is gone, they become children
    of this process. So whatever is in the leader's session, or is a child of ours that nobody made, is looked at.

    Args:
        run_id: value of ``PARPROC_RUN_ID`` in the environment of the run's processes.
        exclusive: while tasks run, nothing but tasks starts processes, so that every unexpected child is a task's.
    """

    def __init__(self, run_id: str, *, exclusive: bool) -> None:
        self._entry = b'PARPROC_RUN_ID=' + run_id.encode()
        self._exclusive = exclusive
        self._children: process_table.ChildrenFile | None = None
        self._earlier: frozenset[int] = frozenset()
        self._endless: set[int] = set()

    def close(self) -> tuple[str, ...]:
        """Release what is held open; where children cannot be listed, end what hides still, and return what it was."""
        if self._children is None:
            return ()
        self._children.close()
        self._children = None
        return () if system.LINUX else self._sweep()

    def look(self) -> None:
        """Note which children there are before any task runs; they are left alone. Raises OSError."""
        if self._children is None:
            self._children = process_table.ChildrenFile()
        if self._exclusive:
            self._earlier = frozenset(self._children.read())

    def find(self, leader: int, is_running: Callable[[str], bool]) -> set[int]:
        """Return the roots of what a task left behind, after reaping what of it has ended.

        Args:
            leader: the task's process, which is reaped already.
            is_running: tells whether a task of this run still runs.
        """
        return self._find(leader, is_running, ())

    def end(self, leader: int, is_running: Callable[[str], bool]) -> tuple[str, ...]:
        """Kill and reap what a task left behind; return what it was. Takes what :meth:`find` takes."""
        killed: set[int] = set()
        found = self._find(leader, is_running, killed)
        if not found:
            return ()
        described: dict[int, str] = {}
        deadline = time.monotonic() + LONGEST_ENDING_SECONDS
        while found and time.monotonic() < deadline:
            alive = process_table.read_table().tree_of(found)
            if found == {leader} and killed and not alive:  # only not waited for yet by whoever has to, as we have not
                break
            for pid in alive - described.keys():
                described[pid] = process_table.describe(pid)
            killed |= found | kill_trees(found)
            time.sleep(PAUSE_SECONDS)
            found = self._find(leader, is_running, killed)
        self._endless |= found - {leader}  # cannot be ended: not waited for again
        return tuple(described.values())

    def _find(self, leader: int, is_running: Callable[[str], bool], killed: Collection[int]) -> set[int]:
        """Do what :meth:`find` does; who was ``killed`` and has ended says no more whose it was."""
        roots = set()
        with ownership.making_processes():
            for pid in () if self._children is None else self._children.read():
                if pid in ownership.living or pid in ownership.spared or pid in self._endless:
                    continue
                if (pid in killed or self._is_of(pid, leader, is_running)) and not system.reap(pid):
                    roots.add(pid)
        if system.send_group(leader, 0):
            roots.add(leader)
        return roots

    def _is_of(self, pid: int, leader: int, is_running: Callable[[str], bool]) -> bool:
        """Return whether a child that nobody has written down belongs to the task, or to one that is over."""
        try:
            session = os.getsid(pid)
        except OSError:
            return False
        if session == leader:
            return True
        if session in ownership.living:
            return False
        owner = ownership.leader_of(pid)
        if owner:
            return owner == leader or owner not in ownership.living
        environment = process_table.environment_of(pid)
        if self._entry in environment:
            prefix = b'PARPROC_NAME='
            name = next((entry[len(prefix) :] for entry in environment if entry.startswith(prefix)), b'')
            return not is_running(name.decode('utf-8', 'surrogateescape'))
        return self._exclusive and pid not in self._earlier and session != os.getsid(0)

    def _sweep(self) -> tuple[str, ...]:
        """End whatever carries the run's id."""
        table = process_table.read_table()
        found = process_table.carriers(self._entry, table.processes.keys() - {os.getpid()})
        described = tuple(process_table.describe(pid) for pid in sorted(found))
        if found:
            kill_trees(found)
        return described
