"""What a program may know of one proc: a window on its session, read whenever it is looked through."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from parproc.catalog import Catalog
from parproc.core.model import ErrorKind, Outcome, ProcState


class Source(Protocol):
    """Where a :class:`ProcInfo` reads: what a session knows of its procs."""

    catalog: Catalog

    def state_of(self, name: str) -> ProcState | None:
        """Return a proc's state, None when it was never scheduled."""

    def outcome_of(self, name: str) -> Outcome | None:
        """Return how a proc ended, None while it has not."""

    def result_of(self, name: str) -> object:
        """Return what a proc returned, None when it has not."""

    def log_of(self, name: str) -> str | None:
        """Return the path of a proc's log, None when it never ran."""

    def times_of(self, name: str) -> tuple[float | None, float | None]:
        """Return when a proc's last attempt started and when it ended, in seconds since the epoch."""

    def deps_of(self, name: str) -> tuple[str, ...]:
        """Return what a scheduled proc depends on."""


class ProcInfo:
    """What is known of one proc; read from the session whenever it is asked."""

    __slots__ = ('_name', '_session')

    def __init__(self, session: Source, name: str) -> None:
        self._session = session
        self._name = name

    @property
    def state(self) -> ProcState:
        """Where the proc is in its life."""
        return self._session.state_of(self._name) or ProcState.IDLE

    @property
    def error(self) -> ErrorKind | None:
        """Why it failed, None when it did not."""
        outcome = self._session.outcome_of(self._name)
        return None if outcome is None else outcome.error

    @property
    def more_info(self) -> str:
        """One line on how it ended: ``ValueError: …``, ``killed by SIGKILL``; empty on success."""
        outcome = self._session.outcome_of(self._name)
        return '' if outcome is None else outcome.reason

    @property
    def result(self) -> object:
        """What it returned, None when it has not."""
        return self._session.result_of(self._name)

    @property
    def log_filename(self) -> str | None:
        """The file with its output, None when it never ran."""
        return self._session.log_of(self._name)

    @property
    def start_time(self) -> float | None:
        """When its last attempt started, in seconds since the epoch."""
        return self._session.times_of(self._name)[0]

    @property
    def end_time(self) -> float | None:
        """When it ended, in seconds since the epoch."""
        return self._session.times_of(self._name)[1]

    @property
    def deps(self) -> tuple[str, ...]:
        """The names it depends on, with injected ones; empty before it is scheduled."""
        return self._session.deps_of(self._name)

    @property
    def args(self) -> Mapping[str, object]:
        """Its arguments, cast."""
        return MappingProxyType(dict(self._session.catalog.procs[self._name].args))

    def __repr__(self) -> str:
        return f'<ProcInfo {self._name!r} {self.state.value}>'
