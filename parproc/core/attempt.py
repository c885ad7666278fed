"""What is remembered of one attempt of a task, and how long a task usually takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parproc.core.model import ErrorKind, ProcState

REMEMBERED_RUNS = 20
DECAY_PER_RUN = 0.8


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a task that is over, or a task that never got to one.

    Args:
        name: the task.
        number: which attempt it was, from 1; 0 when it never ran.
        started: seconds since the epoch, None when it never ran.
        ended: seconds since the epoch.
        state: how it ended.
        error: why it failed, None when it did not.
        reason: one line for people.
        seconds: how long it took, None when it never ran.
        memory: peak in bytes, 0 when not measured.
        cpu: seconds of processor time, 0 when not measured.
    """

    name: str
    number: int
    started: float | None
    ended: float
    state: ProcState
    error: ErrorKind | None = None
    reason: str = ''
    seconds: float | None = None
    memory: int = 0
    cpu: float = 0.0


def usual_seconds(durations: Sequence[float]) -> float:
    """Return the decayed median of durations, latest first: what a task usually takes, as of late.

    It is the weighted median: sorted by length, the first at which half of all weight is reached, where a duration
    that is n runs old weighs ``DECAY_PER_RUN ** n``. One odd run hardly moves it; three in a row are the new normal.

    Args:
        durations: seconds, at least one; those beyond the latest ``REMEMBERED_RUNS`` count for nothing.
    """
    weighted = sorted((seconds, DECAY_PER_RUN**age) for age, seconds in enumerate(durations[:REMEMBERED_RUNS]))
    half = sum(weight for _, weight in weighted) / 2
    reached = 0.0
    for seconds, weight in weighted:
        reached += weight
        if reached >= half:
            return seconds
    return weighted[-1][0]
