"""The processes around this one: who descends from whom, and what stands in their environment."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from parproc.exec import system
from parproc.host.descriptors import close, own

LONGEST_COMMAND_BYTES = 300


class Process(NamedTuple):
    """One process: its parent, the group that signals go to, and its session."""

    parent: int
    group: int
    session: int


class ProcessTable:
    """Every process that was alive at one moment; zombies are left out.

    Args:
        processes: by process id.
    """

    def __init__(self, processes: Mapping[int, Process]) -> None:
        self.processes = processes
        self._offspring: dict[int, list[int]] = {}
        self._sessions: dict[int, list[int]] = {}
        for pid, process in processes.items():
            self._offspring.setdefault(process.parent, []).append(pid)
            self._sessions.setdefault(process.session, []).append(pid)

    def children_of(self, pid: int) -> list[int]:
        """Return the processes whose parent is ``pid``."""
        return self._offspring.get(pid, [])

    def tree_of(self, roots: Iterable[int]) -> set[int]:
        """Return every process that descends from ``roots`` or from one in their sessions, those included."""
        open_ends = [pid for root in roots for pid in (root, *self._sessions.get(root, ()))]
        found: set[int] = set()
        while open_ends:
            pid = open_ends.pop()
            if pid not in found and pid in self.processes:
                found.add(pid)
                open_ends.extend(self._offspring.get(pid, ()))
        return found


def read_table() -> ProcessTable:
    """Return all processes as of now."""
    return ProcessTable(_from_proc() if system.LINUX else _from_ps())


def _from_proc() -> dict[int, Process]:
    found: dict[int, Process] = {}
    try:
        entries = os.listdir('/proc')
    except OSError:  # the program has used up its descriptors
        return found
    for entry in entries:
        if entry.isdigit():
            try:
                with open(f'/proc/{entry}/stat', 'rb', buffering=0) as file:
                    fields = file.read().rpartition(b')')[2].split()
            except OSError:
                continue
            if fields and fields[0] not in {b'Z', b'X'}:
                found[int(entry)] = Process(int(fields[1]), int(fields[2]), int(fields[3]))
    return found


def _from_ps() -> dict[int, Process]:
    found: dict[int, Process] = {}
    for line in _ask_ps('-A', '-o', 'pid=,ppid=,pgid=,stat='):
        fields = line.split()
        if len(fields) >= 4 and not fields[3].startswith(b'Z'):
            try:
                found[int(fields[0])] = Process(int(fields[1]), int(fields[2]), os.getsid(int(fields[0])))
            except OSError:
                continue
    return found


def _ask_ps(*words: str) -> list[bytes]:
    """Return the lines that ``ps`` prints, but for the one about itself; none where it cannot be asked."""
    import subprocess

    try:
        asked = subprocess.Popen(['ps', *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return []
    own = str(asked.pid).encode()
    return [line for line in asked.communicate()[0].splitlines() if line.split(None, 1)[:1] != [own]]


class ChildrenFile:
    """The processes whose parent is this process, from a file that is kept open; none where the system does not say.

    Raises OSError when there is no descriptor for it.

    Orphans that come to this process, and what its main thread has forked, are in it.
    """

    __slots__ = ('_descriptor',)

    def __init__(self) -> None:
        pid = os.getpid()
        self._descriptor = -1
        if system.LINUX:
            try:
                self._descriptor = own(os.open(f'/proc/{pid}/task/{pid}/children', os.O_RDONLY | os.O_CLOEXEC))
            except FileNotFoundError:  # a kernel that does not tell
                return

    def read(self) -> list[int]:
        """Return their pids as of now."""
        if self._descriptor < 0:
            return []
        data = os.pread(self._descriptor, 65536, 0)
        while data and len(data) % 65536 == 0 and (more := os.pread(self._descriptor, 65536, len(data))):
            data += more
        return [int(word) for word in data.split()]

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            close(self._descriptor)
            self._descriptor = -1


def environment_of(pid: int) -> list[bytes]:
    """Return what a process was started with in its environment, as ``NAME=value``; empty when that is not told."""
    try:
        with open(f'/proc/{pid}/environ', 'rb') as file:
            return file.read().split(b'\0')
    except OSError:
        return []


def carriers(entry: bytes, pids: Collection[int]) -> set[int]:
    """Return those of ``pids`` that were started with ``entry``, a ``NAME=value``, in their environment."""
    if system.LINUX:
        return {pid for pid in pids if entry in environment_of(pid)}
    shows_environment = 'e' if os.uname().sysname == 'Linux' else '-E'
    found = set()
    for line in _ask_ps('-A', shows_environment, '-w', '-w', '-o', 'pid=,command='):
        pid, *words = line.split()
        if entry in words and int(pid) in pids:
            found.add(int(pid))
    return found


def describe(pid: int) -> str:
    """Return a process for people: ``sleep 99 (pid 123)``."""
    command = b''
    if system.LINUX:
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as file:
                command = file.read(LONGEST_COMMAND_BYTES).replace(b'\0', b' ')
        except OSError:
            pass
    else:
        command = b' '.join(_ask_ps('-o', 'command=', '-p', str(pid)))[:LONGEST_COMMAND_BYTES]
    return f'{command.strip().decode("utf-8", "replace") or "a process"} (pid {pid})'
