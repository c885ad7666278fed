"""A process that outlives parproc by a moment, to leave nothing behind when parproc itself is killed.

It reads ``+pid`` from each child that starts a session and ``-pid`` from the parent that has reaped it. When the parent
is gone without having said that it ends, nobody is left to do either, and it kills every tree it still knows. Leaders
of sessions take in the orphans of their tree, so a daemon that called ``setsid`` hangs below its leader still; that is
why leaders carry no parent-death signal, which would tear the tree apart before it can be walked. What escaped even so
is known by its leader's mark, or by the run's id in its environment. A child that was forked too late to be known finds
that its parent has changed, and leaves by itself.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Collection
from typing import Any

from parproc.exec import system
from parproc.exec.supervision import ownership, process_table
from parproc.exec.supervision.kill_tree import kill_trees
from parproc.host import descriptors

LONGEST_KILLING_SECONDS = 5.0
REST_MS = 200
PARENT_LOOK_MS = 1000
LONGEST_FAREWELL_SECONDS = 1.0
LONGEST_DYING_SECONDS = 2.0
FAREWELL = b'.'


class Reaper:
    """The parent's handle on a reaper process.

    Args:
        run_id: value of ``PARPROC_RUN_ID`` in the environment of the run's processes.
        modes: how the terminal was before the run, to leave it so; None where there is none.
        reset: what to write to the terminal then.

    Attributes:
        pid: the process.
        pidfd: becomes readable when it ends, -1 where there is no such thing.
        writer: the pipe that it reads.
        is_deaf: it has not read for so long that something could not be said.
    """

    def __init__(self, run_id: str, modes: list[Any] | None = None, reset: bytes = b'') -> None:
        parent = os.getpid()
        reader, self.writer = map(descriptors.own, os.pipe())
        mask = system.block_signals()
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _serve(reader, parent, run_id, modes, reset)
        except OSError:
            descriptors.close(self.writer)
            raise
        finally:
            system.restore_signals(mask)
            descriptors.close(reader)
        os.set_blocking(self.writer, False)
        self.is_deaf = False
        try:
            self.pidfd = system.open_pidfd(self.pid)
        except OSError:
            self.pidfd = -1

    def is_alive(self) -> bool:
        """Return whether the process is there; one that is not has been reaped by this call."""
        return not system.reap(self.pid)

    def forget(self, pid: int) -> None:
        """Tell it that a session is over."""
        self._say(b'-%d\n' % pid)

    def remember(self, pid: int) -> None:
        """Tell it of a session that it was not told of by the session's leader."""
        self._say(b'+%d\n' % pid)

    def close(self) -> None:
        """Let it go and wait until it has gone; one that was stopped or does not listen is killed."""
        system.send(self.pid, signal.SIGCONT)
        self._say(FAREWELL + b'\n')
        descriptors.close(self.writer)
        if self.is_deaf or not system.wait_for_end(self.pid, self.pidfd, LONGEST_FAREWELL_SECONDS):
            system.send(self.pid, signal.SIGKILL)
            system.wait_for_end(self.pid, self.pidfd, LONGEST_DYING_SECONDS)
        if self.pidfd >= 0:
            descriptors.close(self.pidfd)

    def _say(self, line: bytes) -> None:
        try:
            os.write(self.writer, line)
        except BlockingIOError:
            self.is_deaf = True
        except OSError:
            return


def _serve(reader: int, parent: int, run_id: str, modes: list[Any] | None, reset: bytes) -> None:
    """Be the reaper: in a session of its own, with all signals held back for good."""
    try:
        system.block_all_signals()
        os.setsid()
        os.chdir('/')
        terminal = None if modes is None else os.dup(0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        system.close_all_but(reader, *(() if terminal is None else (terminal,)))
        live = keep_book(reader, parent)
        if live is not None:
            if terminal is not None:
                restore_terminal(terminal, modes, reset)
            end_all(live, run_id)
    finally:
        os._exit(0)


def terminal_modes() -> list[Any] | None:
    """Return how the terminal on standard input is set; None where there is none."""
    if not os.isatty(0):
        return None
    import termios

    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def restore_terminal(terminal: int, modes: list[Any] | None, reset: bytes) -> None:
    """Leave a terminal as it was; one that is gone, or takes nothing, is left alone."""
    import termios

    try:
        termios.tcsetattr(terminal, termios.TCSANOW, modes or [])
        screen = os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(screen, reset)
    except (termios.error, OSError):
        return


def keep_book(reader: int, parent: int) -> set[int] | None:
    """Return the sessions that were not over when the pipe closed or the parent ended; None when the parent said that it ends.

    The pipe alone does not tell: any other process that the parent has forked may hold its writing end.
    """
    live: set[int] = set()
    rest = b''
    poll, end_only = select.poll(), select.poll()
    poll.register(reader, select.POLLIN)
    end_only.register(reader, 0)
    try:
        parent_end = system.open_pidfd(parent)
    except OSError:  # it is gone already
        parent_end = -1
    patience = None if parent_end >= 0 else PARENT_LOOK_MS
    if parent_end >= 0:
        poll.register(parent_end, select.POLLIN)
        end_only.register(parent_end, select.POLLIN)
    orphaned = os.getppid() != parent
    while True:
        ready = poll.poll(0 if orphaned else patience)
        if not any(descriptor == reader for descriptor, _ in ready):
            if orphaned:
                return live
            orphaned = bool(ready) or os.getppid() != parent
            continue
        data = os.read(reader, 65536)
        if not data:
            return live
        *lines, rest = (rest + data).split(b'\n')
        for line in lines:
            if line == FAREWELL:
                return None
            if line[:1] == b'+':
                live.add(int(line[1:]))
            else:
                live.discard(int(line[1:]))
        if not orphaned:
            end_only.poll(REST_MS)  # being woken by every line would cost each task more than the line is worth


def end_all(live: set[int], run_id: str) -> None:
    """Kill what is left of sessions, and whatever else has their marks or the run's id, until nothing is there."""
    entry = b'PARPROC_RUN_ID=' + run_id.encode()

    def more(pids: Collection[int]) -> set[int]:
        return {pid for pid in pids if ownership.leader_of(pid) in live} | process_table.carriers(entry, pids)

    deadline = time.monotonic() + LONGEST_KILLING_SECONDS
    while kill_trees(live, more) and time.monotonic() < deadline:
        time.sleep(0.01)
