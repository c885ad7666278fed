"""What the engine asks about tasks while they run: the seam to what was declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from parproc.core.events import Wanted
from parproc.exec.protocol import Job


class TaskSource(Protocol):
    """Knows the tasks: what the engine asks while tasks run."""

    def job(self, name: str, attempt: int) -> Job:
        """Return all that is needed to run an attempt of a task; raises UserError."""

    def create(self, asker: str, name: str, proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        """Create procs for the running task ``asker``; raises UserError."""

    def wanted(self, names: Sequence[str], *, start: bool = False) -> Wanted:
        """Return what is to be scheduled for a running task, which may ``start`` what has failed; raises UserError."""

    def due(self) -> Sequence[str]:
        """Return what is to be scheduled by itself, because it was created so."""

    def forget(self, name: str) -> None:
        """Remove what an earlier life of a task has left on disk."""

    def known(self, asker: str, names: Iterable[str]) -> list[str]:
        """Return the full names for what the running task ``asker`` waits for, creating procs; raises UserError."""
