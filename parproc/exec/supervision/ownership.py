"""What belongs to whom among the processes around this one: marked so that it shows, and written down; never guessed.

The leader of each task has a mark that all of its offspring inherits, whatever they do: the soft value of a resource
limit that Linux knows by name and has not looked at for decades. It survives a fork, another program, another session
and an emptied environment, and any process of the same user can read it. It holds the leader's process id below a
number that was drawn at random for the program; runs inside a task keep the number of the outermost program, so that
what they leave behind is known to it as well. A spawned command is given its mark by this process, and might have
offspring before; so it is born with a mark that stands for it meanwhile, where no other thread could start something
that would be born with it, too.

All sessions of a program share what stands here: the leaders that live, and other processes of parproc's own. Whoever
looks at children that are not written down does so under the lock under which they are made and written down.
"""

from __future__ import annotations

import gc
import os
import resource
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from parproc.exec import system
from parproc.exec.supervision import process_table

RLIMIT_LOCKS = 10  # which the module ``resource`` does not name
FIRST_STAND_IN = 1 << 22  # no process id is as high
NUMBER_BITS = 23
TAG_BYTES = 5
LONGEST_LOCK_SECONDS = 10.0

living: dict[int, object] = {}
spared: set[int] = set()
_stand_ins: dict[int, int] = {}
_next_stand_in = FIRST_STAND_IN
_forking = allocate_lock()
_counting = allocate_lock()
_executors = 0
_was_subreaper = False
_marks = False
_tag = 0
_kept: list[object] = []


@contextmanager
def making_processes() -> Iterator[None]:
    """Let one process at a time be made, and be written down before anybody looks.

    A wait without an end could be one for ever: a program may hold a lock that its own fork hooks want.
    """
    lock = _forking
    taken = lock.acquire(timeout=LONGEST_LOCK_SECONDS)
    try:
        yield
    finally:
        if taken:
            lock.release()


def adopt(pid: int, owner: object) -> None:
    """Write down the leader of a task that has been started."""
    living[pid] = owner


def disown(pid: int, owner: object) -> None:
    """Strike out a leader that is reaped, unless its process id is another's by now."""
    if living.get(pid) is owner:
        del living[pid]
        _stand_ins.pop(pid, None)


def enter() -> None:
    """Begin an executor: orphans come to this process, and what it has in memory is spared by the collector."""
    global _executors, _was_subreaper, _marks, _tag
    with _counting:
        if not _executors:
            _was_subreaper = system.was_subreaper()
            system.become_subreaper()
            gc.freeze()
            own, most = resource.getrlimit(RLIMIT_LOCKS) if system.LINUX else (0, 0)
            _marks = most == resource.RLIM_INFINITY
            _tag = own >> NUMBER_BITS if own >> NUMBER_BITS > 0 else int.from_bytes(os.urandom(TAG_BYTES), 'little') | 1
        _executors += 1


def leave() -> None:
    """End an executor; the last one undoes what :func:`enter` has done."""
    global _executors
    with _counting:
        _executors -= 1
        if not _executors:
            gc.unfreeze()
            if not _was_subreaper:
                system.stop_being_subreaper()


# --- marks ---------------------------------------------------------------------------------------------------------


def mark(pid: int = 0) -> None:
    """Mark a process (0: this one), which leads a task, where the system and its limits allow it."""
    if _marks:
        _write(pid, pid or os.getpid())


def leader_of(pid: int) -> int:
    """Return the leader whose mark a process has, 0 for one that has none of this program's marks."""
    if not _marks:
        return 0
    try:
        soft = resource.prlimit(pid, RLIMIT_LOCKS)[0]
    except OSError:
        return 0
    if soft >> NUMBER_BITS != _tag or soft == resource.getrlimit(RLIMIT_LOCKS)[0]:
        return 0
    number = soft & ((1 << NUMBER_BITS) - 1)
    if number < FIRST_STAND_IN:
        return number
    return next((leader for leader, stand_in in _stand_ins.items() if stand_in == number), number)


def spawn_marked(spawn: Callable[[], int], *, alone: bool) -> int:
    """Start a leader that does not mark itself, so that whatever it starts has its mark; return its process id.

    Args:
        spawn: starts it.
        alone: this process has no other threads.
    """
    global _next_stand_in
    if not _marks:
        return spawn()
    if not alone:
        pid = spawn()
        mark(pid)
        if _has_children(pid):
            for early in process_table.read_table().tree_of({pid}) - {pid}:
                _write(early, pid)
        return pid
    own = resource.getrlimit(RLIMIT_LOCKS)
    stand_in = _next_stand_in
    _next_stand_in = FIRST_STAND_IN | (stand_in + 1) % FIRST_STAND_IN
    try:
        _write(0, stand_in)
        pid = spawn()
    finally:
        resource.setrlimit(RLIMIT_LOCKS, own)
    mark(pid)
    _stand_ins[pid] = stand_in
    return pid


def _has_children(pid: int) -> bool:
    try:
        with open(f'/proc/{pid}/task/{pid}/children', 'rb', buffering=0) as file:
            return bool(file.read(1))
    except OSError:
        return False


def _write(pid: int, number: int) -> None:
    try:
        resource.prlimit(pid, RLIMIT_LOCKS, (_tag << NUMBER_BITS | number, resource.RLIM_INFINITY))
    except OSError:  # it is gone, or another user's
        return


def _forget_parents_entries() -> None:
    """In a forked child: what stood here is the parent's."""
    global living, spared, _stand_ins, _forking, _counting, _executors
    _kept.append((living, spared, _stand_ins))  # giving them up would cost each child the pages that they are on
    living, spared, _stand_ins, _executors = {}, set(), {}, 0
    _forking, _counting = allocate_lock(), allocate_lock()


os.register_at_fork(after_in_child=_forget_parents_entries)
