"""A process that outlives parproc by a moment, to leave nothing behind when parproc itself is killed.

It reads ``+pid`` from each child that starts a session and ``-pid`` from the parent that has reaped it. When the pipe
closes, nobody is left to do either, and it kills every tree it still knows. Leaders of sessions take in the orphans of
their tree, so a daemon that called ``setsid`` hangs below its leader still; that is why leaders carry no parent-death
signal, which would tear the tree apart before it can be walked. What escaped even so is known by the run's id in its
environment.
"""

from __future__ import annotations

import os
import signal
import time

from parproc.exec import system

PATIENCE = 5.0


class Reaper:
    """The parent's handle on a reaper process.

    Args:
        run_id: value of ``PARPROC_RUN_ID`` in the environment of the run's processes.
    """

    def __init__(self, run_id: str) -> None:
        reader, self.writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_IGN)
                signal.set_wakeup_fd(-1)
                nothing = os.open(os.devnull, os.O_RDWR)
                for descriptor in (0, 1, 2):
                    os.dup2(nothing, descriptor)
                os.closerange(3, reader)
                os.closerange(reader + 1, 1 << 20)
                watch(reader, run_id)
            finally:
                os._exit(0)
        os.close(reader)
        os.set_inheritable(self.writer, False)

    def is_alive(self) -> bool:
        """Return whether the process is there; one that is not has been reaped by this call."""
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] == 0
        except ChildProcessError:
            return False

    def forget(self, pid: int) -> None:
        """Tell it that a session is over."""
        try:
            os.write(self.writer, b'-%d\n' % pid)
        except OSError:
            return

    def remember(self, pid: int) -> None:
        """Tell it of a session that it was not told of by the session's leader."""
        os.write(self.writer, b'+%d\n' % pid)

    def close(self) -> None:
        """Let it go and wait until it has gone."""
        os.close(self.writer)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            return


def watch(reader: int, run_id: str) -> None:
    """Keep book of live sessions until the pipe closes, then kill what is left of them."""
    live: set[int] = set()
    rest = b''
    while data := os.read(reader, 65536):
        *lines, rest = (rest + data).split(b'\n')
        for line in lines:
            if line[:1] == b'+':
                live.add(int(line[1:]))
            else:
                live.discard(int(line[1:]))
    if not live:
        return
    entry = b'PARPROC_RUN_ID=' + run_id.encode()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for pid in live:
            system.send_group(pid, signal.SIGSTOP)
        table = system.process_table()
        left = system.tree_of(live, table) - {os.getpid()}
        left |= {pid for pid in table if pid not in left and pid != os.getpid() and system.has_environment(pid, entry)}
        for pid in left:
            system.send(pid, signal.SIGKILL)
        for pid in live:
            system.send_group(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.01)
