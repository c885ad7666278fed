"""What was read from the history, looked at before anybody relies on it: a file may hold anything at all.

Each function returns None for a row that parproc cannot have written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from parproc.core.attempt import Attempt
from parproc.core.model import ErrorKind, ProcState

LONGEST_SECONDS = 10 * 366 * 86_400.0
LATEST_TIME_SECONDS = 250_000_000_000.0
MOST_MEMORY_BYTES = 1 << 60
MOST_ATTEMPTS = 1_000_000
LONGEST_NAME_CHARACTERS = 64 * 1024
LONGEST_REASON_CHARACTERS = 4_000
CONTROL = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029]')


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run of the past, or one that is going on.

    Args:
        run_id: as in the folder of its logs.
        started: seconds since the epoch.
        ended: the same, None when it is going on or was abandoned.
        exit_code: None as ``ended``.
        targets: what it was asked for.
        abandoned: it was killed before it could say how it ended.
    """

    run_id: str
    started: float
    ended: float | None
    exit_code: int | None
    targets: tuple[str, ...]
    abandoned: bool


def name_in(value: object) -> str | None:
    """Return the name of a proc."""
    good = isinstance(value, str) and 0 < len(value) <= LONGEST_NAME_CHARACTERS and not CONTROL.search(value)
    return value if isinstance(value, str) and good else None


def seconds_in(value: object) -> float | None:
    """Return a length of time."""
    return _number(value, LONGEST_SECONDS)


def durations_in(value: object, most: int) -> list[float]:
    """Return the lengths of time in a text, up to the first that is none."""
    durations = []
    for word in value.split(None, most)[:most] if isinstance(value, str) else ():
        try:
            seconds = seconds_in(float(word))
        except ValueError:
            seconds = None
        if seconds is None:
            break
        durations.append(seconds)
    return durations


def run_in(row: Sequence[object]) -> RunRecord | None:
    """Return a run, from its columns in the order of the record's fields."""
    run_id, started, ended, code, targets, abandoned = row
    began, over = _number(started, LATEST_TIME_SECONDS), _number(ended, LATEST_TIME_SECONDS)
    if not isinstance(run_id, str) or began is None or not isinstance(targets, str):
        return None
    if (ended is not None and over is None) or not (code is None or (isinstance(code, int) and -256 < code < 256)):
        return None
    asked = tuple(targets.split('\n')) if targets else ()
    return RunRecord(run_id, began, over, code, asked, bool(abandoned))


def attempt_in(name: str, row: Sequence[object]) -> Attempt | None:
    """Return an attempt, from its columns in the order of the record's fields after the name."""
    number, started, ended, state, error, reason, seconds, memory, cpu = row
    began, over = _number(started, LATEST_TIME_SECONDS), _number(ended, LATEST_TIME_SECONDS)
    took, used, peak = seconds_in(seconds), seconds_in(cpu), _number(memory, MOST_MEMORY_BYTES)
    counted = _number(number, MOST_ATTEMPTS)
    if began is None or over is None or used is None or peak is None or counted is None:
        return None
    if (seconds is not None and took is None) or not isinstance(reason, str):
        return None
    try:
        kind = None if error is None else ErrorKind(error)
        return Attempt(
            name,
            int(counted),
            began,
            over,
            ProcState(state),
            kind,
            reason[:LONGEST_REASON_CHARACTERS],
            took,
            int(peak),
            used,
        )
    except ValueError:
        return None


def _number(value: object, most: float) -> float | None:
    good = isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= most
    return float(value) if isinstance(value, (int, float)) and good else None
