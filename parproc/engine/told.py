"""Which failures a program has been told of: those that it saw in an exception, and all that failed only because of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from parproc.core.model import ErrorKind
from parproc.core.task import Task


class Told:
    """What failed, and what of it the program knows.

    Args:
        tasks: name -> task, as the machine keeps them.
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._known: set[tuple[str, int]] = set()

    def failed(self) -> list[str]:
        """Return the names of the procs that failed, in the order in which they were scheduled."""
        return [name for name, task in self._tasks.items() if task.is_over and not task.satisfies]

    def untold(self) -> list[str]:
        """Return the procs that failed and of which the program does not know yet."""
        return [name for name in self.failed() if not self._is_known(name)]

    def note(self, names: Collection[str]) -> None:
        """Note that the program is told of these procs, as far as they failed, and so of all that goes with them."""
        self._known.update((name, self._tasks[name].starts) for name in self.told_with(names))

    def roots_of(self, name: str) -> list[str]:
        """Return the procs whose own failure is why ``name`` failed: itself, or what it depends on, however far off."""
        return [culprit for culprit in self._reasons((name,)) if not list(self._culprits(culprit))]

    def told_with(self, names: Collection[str]) -> set[str]:
        """Return all whose failure is told when that of ``names`` is.

        These are those of ``names`` that failed, what they failed for, and what failed for nothing but such or what the
        program knows of.
        """
        told = set(self._reasons(names))
        causes: dict[str, int] = {}
        consequences: dict[str, list[str]] = {}
        for name in self.failed():
            if name not in told and not self._is_known(name):
                for culprit in self._culprits(name):
                    causes[name] = causes.get(name, 0) + 1
                    consequences.setdefault(culprit, []).append(name)
        queue = [name for name in consequences if name in told or self._is_known(name)]
        for name in queue:  # grows while it is gone through
            for consequence in consequences.get(name, ()):
                causes[consequence] -= 1
                if not causes[consequence]:
                    told.add(consequence)
                    queue.append(consequence)
        return told

    def _reasons(self, names: Collection[str]) -> Iterator[str]:
        """Yield those of ``names`` that failed, each followed by what it failed for, however far off."""
        stack = [name for name in reversed(list(names)) if self._has_failed(name)]
        seen = set(stack)
        while stack:
            name = stack.pop()
            yield name
            further = [culprit for culprit in self._culprits(name) if culprit not in seen]
            seen.update(further)
            stack += reversed(further)

    def _culprits(self, name: str) -> Iterator[str]:
        """Yield the procs for whose failure ``name`` did not run; none where it failed by itself."""
        task = self._tasks[name]
        if task.outcome is not None and task.outcome.error is ErrorKind.DEPENDENCY_FAILED:
            yield from (dep for dep in dict.fromkeys(task.deps) if self._has_failed(dep))

    def _has_failed(self, name: str) -> bool:
        task = self._tasks.get(name)
        return task is not None and task.is_over and not task.satisfies

    def _is_known(self, name: str) -> bool:
        return (name, self._tasks[name].starts) in self._known
