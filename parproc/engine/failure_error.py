"""The exception that tells a program of failures: each by its reason, its log, and the end of that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from parproc.engine.run import Run
from parproc.errors import ProcessError


def failure_error(run: Run, names: Collection[str]) -> ProcessError | None:
    """Return the error about those of ``names`` that failed, by what failed for itself; None when none has."""
    failures: dict[str, str] = {}
    lines: list[str] = []
    notes: list[str] = []
    for name in names:
        for root in run.told.roots_of(name):
            if root not in failures:
                failures[root], line, note = _telling(run, name, root)
                lines.append(line)
                notes += note
    return process_error('; '.join(lines), failures, notes) if lines else None


def _telling(run: Run, name: str, root: str) -> tuple[str, str, list[str]]:
    """Return the reason of a proc's own failure, a line about what it did to ``name``, and notes with its log's end."""
    outcome = run.outcome_of(root)
    reason = '' if outcome is None else outcome.reason
    log = run.log_of(root)
    where = f' (log: {log})' if log else ''
    indirect = '' if root == name else f'"{name}" did not run: '
    end = run.failure_lines_of(root)
    notes = ['\n'.join((f'the log of "{root}" ends with:', *(f'  {line}' for line in end)))] if end else []
    return reason, f'{indirect}"{root}" failed: {reason}{where}', notes


def process_error(message: str, failures: Mapping[str, str], notes: Sequence[str]) -> ProcessError:
    """Return the error about failures, with notes: under the traceback from Python 3.11 on, before that in its text."""
    add_note = getattr(BaseException, 'add_note', None)
    if add_note is None:
        return ProcessError('\n'.join((message, *notes)), failures=failures)
    error = ProcessError(message, failures=failures)
    for note in notes:
        add_note(error, note)
    return error
