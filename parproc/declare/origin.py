"""The task file that a declaration comes from: what its names begin with, and where its procs run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The task file that declares something.

    Args:
        scope: the folders that its names begin with, outermost first; none for the project's own file.
        folder: where its procs run; None for the run's own folder.
        separator: what stands between the segments of names.
    """

    scope: tuple[str, ...] = ()
    folder: str | None = None
    separator: str = '::'

    def full_name(self, name: str) -> str:
        """Return a name as the rest of the project knows it."""
        return self.separator.join((*self.scope, name)) if self.scope else name


ROOT = Origin()
"""The project's own task file, or a program."""
