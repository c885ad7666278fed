"""What only the operating system can say or do, with a fallback where it cannot: Linux first, macOS by what it has.

``PARPROC_TEST_PORTABLE`` in the environment is for tests alone: all that only Linux has is then done without.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
import time
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from parproc.exec.cpython import plain_signal
from parproc.host.descriptors import own
from parproc.host.standard_descriptors import fill_standard_descriptors

PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37
LINUX = sys.platform == 'linux' and not os.environ.get('PARPROC_TEST_PORTABLE')
HIGHEST_DESCRIPTOR = 1 << 20
SHORT_WHILE_SECONDS = 0.002
PYTHON_IGNORES = (int(signal.SIGPIPE), int(signal.SIGXFSZ))
HELD_BACK = tuple(
    int(number)
    for number in (
        *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGCHLD),
        *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH, signal.SIGCONT),
    )
)

_prctl: Any = None
_closes_ranges = False


def prepare() -> None:
    """Load what children will need, once, before the first fork."""
    global _prctl, _closes_ranges
    if LINUX and _prctl is None:
        import ctypes

        _prctl = ctypes.CDLL(None, use_errno=True).prctl
        _closes_ranges = _has_close_range()
    fill_standard_descriptors()


def _has_close_range() -> bool:
    """Return whether ``os.closerange`` is one call (glibc 2.34, Linux 5.9), rather than one for each number."""
    try:
        library = (os.confstr('CS_GNU_LIBC_VERSION') or '').rpartition(' ')[2]
        versions = [tuple(map(int, text.split('.')[:2])) for text in (library, os.uname().release)]
    except (OSError, ValueError):
        return False
    return versions[0] >= (2, 34) and versions[1] >= (5, 9)


# --- processes that take in orphans --------------------------------------------------------------------------------


def become_subreaper() -> None:
    """Let orphans of this process's tree become its children, so that none gets lost (Linux)."""
    if LINUX:
        _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def was_subreaper() -> bool:
    """Return whether this process takes in orphans."""
    if not LINUX:
        return False
    import ctypes

    value = ctypes.c_int()
    _prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(value), 0, 0, 0)
    return bool(value.value)


def stop_being_subreaper() -> None:
    """Undo :func:`become_subreaper`."""
    if LINUX:
        _prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


# --- descriptors and signals of this process -----------------------------------------------------------------------


def close_all_but(*kept: int) -> None:
    """Close every descriptor but 0, 1, 2 and ``kept``."""
    if _closes_ranges:
        place = 3
        for descriptor in sorted(kept):
            os.closerange(place, descriptor)
            place = descriptor + 1
        os.closerange(place, HIGHEST_DESCRIPTOR)
        return
    for entry in os.listdir('/dev/fd'):
        if entry.isdigit() and int(entry) > 2 and int(entry) not in kept:
            try:
                os.close(int(entry))
            except OSError:
                continue


def open_pidfd(pid: int) -> int:
    """Return a descriptor of ours that becomes readable when a process ends; -1 where the system has no such thing."""
    if not LINUX:
        return -1
    try:
        return own(os.pidfd_open(pid))
    except OSError as error:
        if error.errno in {errno.ENOSYS, errno.EPERM}:
            return -1
        raise


def reset_signals() -> None:
    """Give every signal the disposition that a fresh Python program has, but leave the mask."""
    plain_signal.set_wakeup_fd(-1)
    for number in range(1, plain_signal.NSIG):
        handler = plain_signal.getsignal(number)
        wished = plain_signal.SIG_IGN if number in PYTHON_IGNORES else plain_signal.SIG_DFL
        if handler and handler != wished:
            plain_signal.signal(number, wished)


def block_signals() -> set[int]:
    """Hold back the signals that programs handle, and return what was held back before.

    So no handler of the parent runs in a child that has not given it up yet. All signals there are would do as well,
    but the answer to each change of the mask is a set of what was in it.
    """
    before: set[int] = plain_signal.pthread_sigmask(plain_signal.SIG_BLOCK, HELD_BACK)
    return before


def block_all_signals() -> None:
    """Hold back whatever can be, for good."""
    plain_signal.pthread_sigmask(plain_signal.SIG_BLOCK, plain_signal.valid_signals())


def restore_signals(mask: Collection[int]) -> None:
    """Hold back only the signals of ``mask``."""
    plain_signal.pthread_sigmask(plain_signal.SIG_SETMASK, mask)


def signal_name(number: int) -> str:
    """Return the name of a signal: ``SIGTERM``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f'signal {number}'


# --- other processes -----------------------------------------------------------------------------------------------


def send(pid: int, number: int) -> None:
    """Send a signal to one process, if it is still there."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def send_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether there is one."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def reap(pid: int) -> bool:
    """Reap a child if it has ended; return whether it is gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def wait_for_end(pid: int, pidfd: int, seconds: float) -> bool:
    """Reap a child when it ends; return whether it is gone, at the latest after ``seconds``.

    Args:
        pid: the child.
        pidfd: as :func:`open_pidfd` gives it.
        seconds: how long to wait for it.
    """
    deadline = time.monotonic() + seconds
    while not reap(pid):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        pause_for(pidfd, left)
    return True


def pause_for(pidfd: int, seconds: float) -> None:
    """Wait until a process has ended, or a while at most; without its descriptor that is a short while."""
    if pidfd < 0:
        time.sleep(min(seconds, SHORT_WHILE_SECONDS))
        return
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.poll(max(1, int(seconds * 1000)))


def is_stopped(pid: int) -> bool:
    """Return whether a child has been stopped since this was last asked; False for one that has ended."""
    try:
        return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG) is not None
    except ChildProcessError:
        return False


# --- memory --------------------------------------------------------------------------------------------------------


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
