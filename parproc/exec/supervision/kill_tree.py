"""Signals to whole process trees: what ends a task reaches its grandchildren, whatever session they are in."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from signal import SIGCONT, SIGKILL, SIGSTOP

from parproc.exec import system
from parproc.exec.supervision import ownership
from parproc.exec.supervision.process_table import ProcessTable, read_table

SHARED_LOOK_SECONDS = 0.02
FREEZING = {SIGSTOP, SIGCONT}


class TreeSignaller:
    """Sends signals to tasks. Many that are signalled at once share one look at the processes there are."""

    def __init__(self) -> None:
        self._table = ProcessTable({})
        self._looked = float('-inf')

    def send(self, leader: int, number: int, *, is_reaped: bool) -> None:
        """Send a signal to a task's leader and to all that it has started, each process once, and let them go on.

        What a run inside the task has started is left to that run, which gets the signal too and passes it on; but
        for SIGSTOP and SIGCONT, which nobody passes on.

        SIGKILL needs no walk where orphans come to this process: what it spares becomes ours when the leader is
        gone, and is ended then.

        Args:
            leader: of the task.
            number: the signal.
            is_reaped: the leader is reaped already, and only what it left is still there.
        """
        if number == SIGKILL:
            if not system.LINUX:
                kill_trees({leader})
            _send_leader(leader, SIGKILL, is_reaped=is_reaped)
            return
        others = self._others(leader, through=number in FREEZING)
        _send_leader(leader, number, is_reaped=is_reaped)
        for pid in others:
            system.send(pid, number)
        if number not in FREEZING:
            _send_leader(leader, SIGCONT, is_reaped=is_reaped)
            for pid in others:
                system.send(pid, SIGCONT)

    def _others(self, leader: int, *, through: bool) -> list[int]:
        """Return the processes of a task that are not in its leader's group.

        Args:
            leader: of the task.
            through: also what belongs to runs inside the task.
        """
        table = self._current()
        orphans = [pid for pid in table.children_of(os.getpid()) if ownership.leader_of(pid) == leader]
        found = table.tree_of({leader, *orphans}) - {leader}
        outside = [pid for pid in found if table.processes[pid].group != leader]
        return outside if through else [pid for pid in outside if ownership.leader_of(pid) in {0, leader}]

    def _current(self) -> ProcessTable:
        now = time.monotonic()
        if now - self._looked > SHARED_LOOK_SECONDS:
            self._table = read_table()
            self._looked = time.monotonic()
        return self._table


def _send_leader(leader: int, number: int, *, is_reaped: bool) -> None:
    if not system.send_group(leader, number) and not is_reaped:
        system.send(leader, number)  # so young that it has no session yet


def kill_trees(roots: Collection[int], more: Callable[[Collection[int]], set[int]] | None = None) -> set[int]:
    """Kill processes, all that descends from them and all of their sessions; return who was still there.

    All of them are stopped before the first is killed: so nothing can be started meanwhile, and no child loses the
    parent by which it is found.

    Args:
        roots: leaders of sessions.
        more: given all processes there are, returns those that are to be killed as well.
    """
    stopped: set[int] = set()
    for root in roots:
        system.send_group(root, SIGSTOP)
    while True:
        table = read_table()
        found = table.tree_of(roots)
        if more is not None:
            found |= table.tree_of(more(table.processes.keys() - found))
        found.discard(os.getpid())
        if found <= stopped:
            break
        for pid in found - stopped:
            system.send(pid, SIGSTOP)
        stopped |= found
    for root in roots:
        system.send_group(root, SIGKILL)
    for pid in stopped:
        system.send(pid, SIGKILL)
    return stopped
