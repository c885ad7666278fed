"""From what is announced to the events that programs are told: for ``-o json`` and for ``Session(on_event=…)``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import TypedDict

from parproc.core.closed import assert_never
from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import ErrorKind, Location, Outcome, ProcState, Usage
from parproc.core.view import Message, RunBegan, RunEnded, RunView, RunWarned, TaskLogged, TaskProgressed
from parproc.run_events import (
    FinishedEvent,
    HeaderEvent,
    LoggedEvent,
    ProcResult,
    ProgressedEvent,
    ReopenedEvent,
    ResultEvent,
    ResumedEvent,
    RetryingEvent,
    RunEvent,
    StartedEvent,
    StoppingEvent,
    WaitingEvent,
    WantedEvent,
    WarnedEvent,
)

STATES = tuple(sorted((state for state in ProcState if state.is_over), key=lambda state: state.value))


class AttemptEnd(TypedDict):
    """What events say of how an attempt ended."""

    state: ProcState
    error: ErrorKind | None
    reason: str
    location: Location | None
    usage: Usage | None
    leaked: tuple[str, ...]
    log: str | None


class EventStream:
    """Makes events of messages.

    Args:
        log_path: proc name -> its log, None where there is none.
        version: of parproc, for the header.
        clock: gives seconds since the epoch.
    """

    def __init__(
        self, log_path: Callable[[str], str | None], *, version: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._log_path = log_path
        self._version = version
        self._clock = clock
        self._began: float | None = None
        self._now = 0.0
        self._early: list[Announcement | Message] = []
        self._procs: dict[str, ProcResult] = {}

    def events(self, message: Announcement | Message, view: RunView) -> Iterator[RunEvent]:
        """Yield the event for a message: none before the header, which comes first whatever is warned of before."""
        if isinstance(message, RunBegan):
            self._began = self._now = message.time
            early, self._early = self._early, []
            for one in (message, *early):
                yield self._event(one, view)
        elif self._began is None:
            self._early.append(message)
        else:
            if not isinstance(message, RunWarned):
                self._now = message.time
            yield self._event(message, view)

    def _header(self, message: RunBegan) -> HeaderEvent:
        return HeaderEvent(
            parproc=self._version,
            run_id=message.run_id,
            targets=message.targets,
            log_folder=message.log_folder,
            parallel=message.parallel,
            total=message.total,
            started_at=datetime.fromtimestamp(self._clock(), timezone.utc).isoformat(timespec='milliseconds'),
        )

    def _event(self, message: Announcement | Message, view: RunView) -> RunEvent:
        now = self._since(self._now)
        if isinstance(message, TaskFinished):
            return self._finished(message, view)
        if isinstance(message, TaskStarted):
            return StartedEvent(now, message.name, message.attempt)
        if isinstance(message, TaskWanted):
            return WantedEvent(now, message.name, message.expected, message.deps, message.locks, message.wave)
        if isinstance(message, TaskProgressed):
            return ProgressedEvent(now, message.name, message.fraction, message.message)
        if isinstance(message, TaskLogged):
            return LoggedEvent(now, message.name, message.message)
        if isinstance(message, TaskRetrying):
            again_at = self._since(message.again_at)
            return RetryingEvent(now, message.name, message.attempt, again_at, **self._ending(message))
        if isinstance(message, TaskWaiting):
            return WaitingEvent(now, message.name, message.awaited)
        if isinstance(message, TaskResumed):
            return ResumedEvent(now, message.name)
        if isinstance(message, TaskReopened):
            self._procs.pop(message.name, None)
            return ReopenedEvent(now, message.name)
        if isinstance(message, RunStopping):
            return StoppingEvent(now, message.reason, message.step)
        if isinstance(message, RunWarned):
            return WarnedEvent(now, message.message)
        if isinstance(message, RunBegan):
            return self._header(message)
        if isinstance(message, RunEnded):
            return self._result(message)
        return assert_never(message)

    def _finished(self, message: TaskFinished, view: RunView) -> FinishedEvent:
        ended = view.latest
        seconds = None if ended is None or ended.seconds is None else round(ended.seconds, 6)
        ending = self._ending(message)
        if seconds is None:
            ending['log'] = None
        self._procs[message.name] = ProcResult(
            ending['state'], ending['error'], ending['reason'], seconds, message.attempt
        )
        return FinishedEvent(
            self._since(message.time), message.name, **ending, seconds=seconds, attempts=message.attempt
        )

    def _ending(self, message: TaskFinished | TaskRetrying) -> AttemptEnd:
        outcome: Outcome = message.outcome
        return {
            'state': outcome.state,
            'error': outcome.error,
            'reason': outcome.reason,
            'location': outcome.location,
            'usage': outcome.usage,
            'leaked': outcome.leaked,
            'log': self._log_path(message.name),
        }

    def _result(self, message: RunEnded) -> ResultEvent:
        counts = dict.fromkeys(STATES, 0)
        for proc in self._procs.values():
            counts[proc.state] += 1
        procs: Mapping[str, ProcResult] = dict(self._procs)
        return ResultEvent(message.exit_code, counts, self._since(message.time), procs)

    def _since(self, moment: float) -> float:
        """Return seconds since the run began."""
        return round(moment - (self._began or 0.0), 6)
