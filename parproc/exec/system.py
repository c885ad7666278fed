"""What only the operating system can say or do, with a fallback where it cannot: Linux first, macOS by what it has."""

from __future__ import annotations

import os
import signal
import sys
from functools import lru_cache
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37
LINUX = sys.platform == 'linux'


@lru_cache(maxsize=1)
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None)


def prepare() -> None:
    """Load what children will need, once, before the first fork."""
    if LINUX:
        _libc().prctl  # noqa: B018


def become_subreaper() -> None:
    """Let orphans of this process's tree become its children, so that none gets lost (Linux)."""
    if LINUX:
        _libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def was_subreaper() -> bool:
    """Return whether this process takes in orphans."""
    if not LINUX:
        return False
    import ctypes

    value = ctypes.c_int()
    _libc().prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(value), 0, 0, 0)
    return bool(value.value)


def stop_being_subreaper() -> None:
    """Undo :func:`become_subreaper`."""
    if LINUX:
        _libc().prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


class ChildrenFile:
    """The processes whose parent is this process, from a file that is kept open; none where the system does not say."""

    __slots__ = ('_descriptor',)

    def __init__(self) -> None:
        pid = os.getpid()
        try:
            self._descriptor = os.open(f'/proc/{pid}/task/{pid}/children', os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._descriptor = -1

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
            os.close(self._descriptor)


def process_table() -> dict[int, tuple[int, int]]:
    """Return pid -> (parent, session) of every process that is alive; zombies are left out."""
    table: dict[int, tuple[int, int]] = {}
    for entry in os.listdir('/proc') if LINUX else ():
        if entry.isdigit():
            try:
                with open(f'/proc/{entry}/stat', 'rb', buffering=0) as file:
                    fields = file.read().rpartition(b')')[2].split()
            except OSError:
                continue
            if fields[0] not in {b'Z', b'X'}:
                table[int(entry)] = (int(fields[1]), int(fields[3]))
    return table


def tree_of(roots: set[int], table: dict[int, tuple[int, int]] | None = None) -> set[int]:
    """Return every living process that descends from ``roots`` or is in one of their sessions, roots included."""
    table = process_table() if table is None else table
    found = {pid for pid, (_, session) in table.items() if pid in roots or session in roots}
    grew = True
    while grew:
        more = {pid for pid, (parent, _) in table.items() if parent in found and pid not in found}
        found |= more
        grew = bool(more)
    return found


def has_environment(pid: int, entry: bytes) -> bool:
    """Return whether a process was started with ``entry`` (``NAME=value``) in its environment."""
    try:
        with open(f'/proc/{pid}/environ', 'rb') as file:
            return entry in file.read().split(b'\0')
    except OSError:
        return False


def describe(pid: int) -> str:
    """Return a process for people: ``sleep 99 (pid 123)``."""
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            command = file.read(300).replace(b'\0', b' ').strip().decode('utf-8', 'replace')
    except OSError:
        command = ''
    return f'{command or "a process"} (pid {pid})'


def send(pid: int, number: int) -> None:
    """Send a signal to one process, if it is still there."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def send_group(group: int, number: int) -> None:
    """Send a signal to a process group, if it is still there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def kill_tree(root: int) -> None:
    """Kill a process, all that descends from it and all of its session."""
    send_group(root, signal.SIGKILL)
    for pid in tree_of({root}):
        send(pid, signal.SIGKILL)


def out_of_memory_kills() -> int:
    """Return how many processes the kernel has killed in this process's memory cgroup; 0 where it does not say."""
    total = 0
    for path in _memory_event_files():
        try:
            with open(path) as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith('oom_kill '))
        except (OSError, ValueError, IndexError):
            continue
    return total


@lru_cache(maxsize=1)
def _memory_event_files() -> list[str]:
    files = []
    try:
        with open('/proc/self/cgroup') as file:
            for line in file:
                _, controllers, path = line.rstrip('\n').split(':', 2)
                if not controllers:
                    files.append(f'/sys/fs/cgroup{path}/memory.events')
                elif 'memory' in controllers.split(','):
                    files.append(f'/sys/fs/cgroup/memory{path}/memory.oom_control')
    except (OSError, ValueError):
        return []
    return files


def native_threads() -> int:
    """Return how many threads this process has, Python's or not; 1 where the system does not say."""
    try:
        return len(os.listdir('/proc/self/task'))
    except OSError:
        return 1
