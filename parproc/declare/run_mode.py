"""What the option ``mode`` means for a run, in one table: whoever runs or shows procs asks here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunMode:
    """How procs are run.

    Args:
        in_process: functions are called in this very process, one inside another's wait, where nobody can end them, so
            that no timeout of theirs is kept; commands and what is isolated still have processes of their own.
        has_logs: what procs print goes to files; else it goes where the program's own output does.
        most_parallel: how many procs may run at once at most, whatever is asked for; None for any number.
    """

    in_process: bool
    has_logs: bool
    most_parallel: int | None

    def parallel(self, asked: int) -> int:
        """Return how many procs may run at once, where ``asked`` is what the option says."""
        return asked if self.most_parallel is None else min(asked, self.most_parallel)


RUN_MODES = {
    'mp': RunMode(in_process=False, has_logs=True, most_parallel=None),
    'single': RunMode(in_process=True, has_logs=False, most_parallel=1),
}
"""Value of the option ``mode`` -> what it means."""
