"""The exceptions of parproc, as one tree.

::

    ParprocError                 everything below; carries ``exit_code`` and ``hint``
    ├── UserError                the request or a declaration is wrong: exit 2, nothing was run
    │   └── MissingError         a proc looks for a param or a result that is not there; a KeyError as well
    ├── ProcessError             a proc that was waited for failed: exit 1
    ├── DeadlockError            tasks wait for each other and can never go on: exit 3
    └── InternalError            an invariant of the scheduler was broken, a bug of ours: exit 3
    ProcOutcomeError             raised *inside* a proc to say how it ended
    ├── ProcSkippedError         ends SKIPPED, which counts as success
    ├── ProcFailedError          ends FAILED with one clean line, no traceback
    └── ProcNoChangeError        ran, but nothing changed: dependents may skip
"""

from __future__ import annotations

from collections.abc import Mapping


class ParprocError(Exception):
    """Base of every error that parproc raises to its caller.

    Args:
        message: one line that says what is wrong.
        hint: one line that says what to do about it, or None.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f'{self.message} ({self.hint})' if self.hint else self.message


class UserError(ParprocError):
    """What was asked for is wrong: an unknown name, a bad value, a cycle. Nothing was run for it."""

    exit_code = 2


class MissingError(UserError, KeyError):
    """A proc looks for a param or a result that is not there; the message says how to have it."""


class ProcessError(ParprocError):
    """At least one proc that was waited for failed.

    Args:
        message: names each failed proc, its reason and its log.
        failures: proc name -> reason, in the order in which they were waited for.
    """

    exit_code = 1

    def __init__(self, message: str, *, failures: Mapping[str, str] | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.failures: dict[str, str] = dict(failures or {})


class DeadlockError(ParprocError):
    """Procs wait for each other in a ring, so none of them can ever go on; the message names the ring."""

    exit_code = 3


class InternalError(ParprocError):
    """An invariant of the scheduler was broken. This is a bug in parproc; the message holds the task's story."""

    exit_code = 3


class ProcOutcomeError(Exception):
    """Base of what a proc raises to end in another way than by returning."""


class ProcSkippedError(ProcOutcomeError):
    """Raise inside a proc to end it as SKIPPED. Dependents run as if it had succeeded."""


class ProcFailedError(ProcOutcomeError):
    """Raise inside a proc to fail it with one clean line instead of a traceback."""


class ProcNoChangeError(ProcOutcomeError):
    """Raise inside a proc to say that it ran and that nothing changed, so that dependents may skip."""
