"""What a task is and how it can end: plain values that every room shares."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ProcState(enum.Enum):
    """Where a proc is in its life."""

    IDLE = 'idle'
    WANTED = 'wanted'
    RUNNING = 'running'
    SUCCEEDED = 'succeeded'
    FAILED = 'failed'
    SKIPPED = 'skipped'
    UP_TO_DATE = 'up to date'

    __hash__ = object.__hash__  # members are singletons; Enum's own hash runs Python code for every look-up

    @property
    def is_over(self) -> bool:
        """True when the proc will not run any more in this run, however it ended."""
        return self in _GOOD or self is ProcState.FAILED

    @property
    def is_good(self) -> bool:
        """True when the proc is over and ended well."""
        return self in _GOOD


_GOOD = frozenset({ProcState.SUCCEEDED, ProcState.SKIPPED, ProcState.UP_TO_DATE})


class ErrorKind(enum.Enum):
    """Why a proc is FAILED. ``ProcInfo.error`` holds one of these, or None."""

    EXCEPTION = 'exception'
    USER_ERROR = 'user error'
    FAILED = 'failed'
    EXIT = 'exit'
    SIGNAL = 'signal'
    TIMEOUT = 'timeout'
    NO_RESULT = 'no result'
    NOT_PICKLABLE = 'not picklable'
    NOT_STARTED = 'could not start'
    DEPENDENCY_FAILED = 'dependency failed'
    DEPENDENCY_MISSING = 'dependency missing'
    FAILURES_PRESENT = 'failures present'
    NOT_RUN = 'not run'
    INTERRUPTED = 'interrupted'
    CANCELLED = 'cancelled'
    DEADLOCK = 'deadlock'


NEVER_RAN = frozenset(
    {
        ErrorKind.DEPENDENCY_FAILED,
        ErrorKind.DEPENDENCY_MISSING,
        ErrorKind.FAILURES_PRESENT,
        ErrorKind.NOT_RUN,
        ErrorKind.NOT_STARTED,
    }
)
"""The reasons of a FAILED proc whose function or command never began."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task as the scheduler sees it: a name and what holds it back, never a function.

    Args:
        name: unique within the run.
        deps: names of the tasks that must have ended well first.
        locks: names of locks held while it runs; one holder each.
        wave: it starts only when no task of a lower wave is wanted or running.
        no_failures: it runs only while no task of the run has failed.
        timeout: seconds one attempt may take, or None.
        retries: how many more attempts follow a failed one.
        retry_delay: seconds before the second attempt; doubled for each further one.
        expected: seconds it is expected to take (from history, else 1).
        order: place of its declaration; the last tie-breaker among ready tasks.
    """

    name: str
    deps: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    wave: int = 0
    no_failures: bool = False
    timeout: float | None = None
    retries: int = 0
    retry_delay: float = 0.0
    expected: float = 1.0
    order: int = 0


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file: path, and line counted from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What one attempt used up: ``cpu`` in seconds, ``memory`` as the largest process's peak in bytes."""

    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt of a task ended.

    Args:
        state: one that is over.
        error: why it failed, None when it did not.
        reason: one line for people: ``exit 2``, ``killed by SIGSEGV``, ``ValueError: …``; empty on success.
        location: where in the user's code it failed, when known.
        usage: processor time and memory, when measured.
        leaked: descriptions of processes it left behind, which were ended.
        retry: False where another attempt is pointless (a UserError).
        remark: what may be said beside the reason, where it was ended for taking too long.
    """

    state: ProcState
    error: ErrorKind | None = None
    reason: str = ''
    location: Location | None = None
    usage: Usage | None = None
    leaked: tuple[str, ...] = ()
    retry: bool = True
    remark: str = ''


SUCCESS = Outcome(ProcState.SUCCEEDED)
"""The outcome of an attempt that returned and of which nothing more is known."""


def failure(error: ErrorKind, reason: str) -> Outcome:
    """Return the outcome of a task that failed for ``error``; ``reason`` is the line shown to people."""
    return Outcome(ProcState.FAILED, error, reason)
