"""Which runs are going on: each holds a lock that the system takes back when its process is gone, however it went."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from parproc.host import descriptors

MUTEX = 0


class RunLocks:
    """Locks on single bytes of one file: byte n for run n, byte 0 for whoever rearranges the files.

    The locks belong to this process; forked children do not hold them. Within one process they exclude nobody.

    Args:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self._held: set[int] = set()

    @property
    def descriptors(self) -> list[int]:
        """What is open now."""
        return [self._descriptor] if self._descriptor >= 0 else []

    def hold(self, run: int) -> None:
        """Show, until :meth:`close`, that a run is going on; where locks cannot be had, nothing is shown."""
        self._held.add(run)
        with contextlib.suppress(OSError, OverflowError):
            fcntl.lockf(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, run)

    def gone(self, run: int) -> bool:
        """Return whether nobody shows that a run is going on; False when it cannot be told."""
        if run in self._held:
            return False
        try:
            descriptor = self._opened()
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, run)
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, run)
        except (OSError, OverflowError):
            return False
        return True

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out; raises OSError."""
        descriptor = self._opened()
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, MUTEX)
        try:
            yield
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, MUTEX)

    def close(self) -> None:
        """Give the locks up."""
        self._held.clear()
        self._give_back()

    def _give_back(self) -> None:
        if self._descriptor >= 0:
            descriptors.close(self._descriptor)
            self._descriptor = -1

    def _opened(self) -> int:
        """Return a descriptor of the file that is at the path now, made where there is none."""
        if self._descriptor >= 0 and not self._is_current():
            self._give_back()
        if self._descriptor < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            self._descriptor = descriptors.own(os.open(self._path, flags, 0o600))
        return self._descriptor

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except OSError:
            return False
