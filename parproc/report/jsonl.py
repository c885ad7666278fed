"""One JSON object a line for programs that watch a run; ``events.schema.json`` beside this file describes each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import cast

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
from parproc.core.model import GOOD, Outcome, ProcState
from parproc.core.view import Message, RunBegan, RunEnded, RunView, TaskLogged, TaskProgressed, Warned
from parproc.report.sink import PATIENCE, Sink

VERSION = 1
INTERVAL = 0.05
MOST_PENDING = 1 << 20
STATES = sorted(state.value for state in {*GOOD, ProcState.FAILED})


class JsonReporter:
    """Writes events as JSON, in ASCII, each line as soon as it is known.

    Up to a megabyte waits for a slow reader; after that, the run does.

    Args:
        out: descriptor that receives the lines.
        log_path: proc name -> its log.
        version: of parproc, for the header.
        clock: gives seconds since the epoch.
    """

    def __init__(
        self, out: int, log_path: Callable[[str], str], *, version: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._sink = Sink(out)
        self._version = version
        self._log_path = log_path
        self._clock = clock
        self._began: float | None = None
        self._now = 0.0
        self._early: list[Announcement | Message] = []
        self._procs: dict[str, dict[str, object]] = {}

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Write the line for ``message``."""
        if isinstance(message, RunBegan):
            self._began = message.time
            self._write(self._header(message))
            for early in self._early:
                self.handle(early, view)
            return
        if self._began is None:  # the header is the first line, whatever is warned of before
            self._early.append(message)
            return
        self._now = getattr(message, 'time', self._now)
        self._write(self._line(message, view))
        patience = None if isinstance(message, RunEnded) or self._sink.pending > MOST_PENDING else 0
        self._sink.flush(patience)

    def next_tick(self, view: RunView) -> float | None:
        """Return when to offer a slow reader more."""
        return self._now + INTERVAL if self._sink.pending else None

    def tick(self, now: float, view: RunView) -> None:
        """Write what a slow reader did not take before."""
        self._now = now
        self._sink.flush(PATIENCE)

    def _write(self, line: Mapping[str, object]) -> None:
        self._sink.put(f'{json.dumps(_valid(line), separators=(",", ":"))}\n'.encode('ascii'))

    def _header(self, message: RunBegan) -> dict[str, object]:
        return {
            'event': 'header',
            'version': VERSION,
            'parproc': self._version,
            'run_id': message.run_id,
            'targets': message.targets,
            'log_folder': message.log_folder,
            'parallel': message.parallel,
            'total': message.total,
            'started_at': datetime.fromtimestamp(self._clock(), timezone.utc).isoformat(timespec='milliseconds'),
        }

    def _line(self, message: Announcement | Message, view: RunView) -> dict[str, object]:
        if isinstance(message, RunEnded):
            return self._result(message, view)
        line: dict[str, object] = {'event': EVENTS[type(message)], 'time': self._since(self._now)}
        if isinstance(message, TaskFinished):
            return {**line, 'name': message.name, **self._finished(message, view)}
        if isinstance(message, TaskReopened):
            return {**line, 'name': message.name}
        if isinstance(message, TaskRetrying):
            return {
                **line,
                'name': message.name,
                'attempt': message.attempt,
                'again_at': self._since(message.again_at),
                **self._outcome(message.name, message.outcome),
            }
        return {**line, **{key: value for key, value in asdict(message).items() if key != 'time'}}

    def _finished(self, message: TaskFinished, view: RunView) -> dict[str, object]:
        ended = view.latest
        seconds = None if ended is None or ended.seconds is None else round(ended.seconds, 6)
        whole = self._outcome(message.name, message.outcome) | {'seconds': seconds, 'attempts': message.attempt}
        if seconds is None:
            whole['log'] = None
        self._procs[message.name] = {key: whole[key] for key in ('state', 'error', 'reason', 'seconds', 'attempts')}
        return whole

    def _outcome(self, name: str, outcome: Outcome) -> dict[str, object]:
        return {
            'state': outcome.state.value,
            'error': None if outcome.error is None else outcome.error.value,
            'reason': outcome.reason,
            'location': None if outcome.location is None else asdict(outcome.location),
            'usage': None if outcome.usage is None else asdict(outcome.usage),
            'leaked': outcome.leaked,
            'log': self._log_path(name),
        }

    def _result(self, message: RunEnded, view: RunView) -> dict[str, object]:
        counts = dict.fromkeys(STATES, 0) | {state.value: count for state, count in view.counts.items()}
        return {
            'event': 'result',
            'exit_code': message.exit_code,
            'counts': counts,
            'seconds': self._since(message.time),
            'procs': self._procs,
        }

    def _since(self, moment: float) -> float:
        """Return seconds since the run began."""
        return round(moment - (self._began or 0.0), 6)


EVENTS: dict[type, str] = {
    TaskWanted: 'wanted',
    TaskStarted: 'started',
    TaskRetrying: 'retrying',
    TaskWaiting: 'waiting',
    TaskResumed: 'resumed',
    TaskFinished: 'finished',
    TaskReopened: 'reopened',
    RunStopping: 'stopping',
    TaskLogged: 'logged',
    TaskProgressed: 'progressed',
    Warned: 'warned',
}


def _valid(value: object) -> object:
    """Return ``value`` with no half of a surrogate pair in its texts: half of the world's parsers refuse them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode('utf-8', 'backslashreplace').decode('utf-8')
    if isinstance(value, Mapping):
        return {cast('str', _valid(key)): _valid(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_valid(inner) for inner in value]
    return value
