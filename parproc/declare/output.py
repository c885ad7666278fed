"""Files that a proc makes."""

from __future__ import annotations

from dataclasses import dataclass

from parproc.core.durations import parse_duration
from parproc.declare import checks


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a proc makes.

    Args:
        file: its path.
        max_age: seconds, or text such as ``'1h'``, after which the file is too old; None for never.
        enforce_freshness: fail the proc when the file is older than ``max_age`` after it ran.
    """

    file: str
    max_age: float | str | None = None
    enforce_freshness: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, 'file', checks.path(self.file, 'file of Output'))
        if self.max_age is not None:
            object.__setattr__(self, 'max_age', parse_duration(self.max_age, 'max_age of Output'))
