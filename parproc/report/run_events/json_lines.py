"""One JSON object a line for programs that watch a run; ``parproc/report/events.schema.json`` describes each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import Enum

from parproc.core.events import Announcement
from parproc.core.model import Location, Usage
from parproc.core.view import Message, RunView, RunWarned, TaskLogged, TaskProgressed
from parproc.report.reporter import Reporter
from parproc.report.run_events.event_stream import EventStream
from parproc.report.streams.sink import PATIENCE_MILLISECONDS, RETRY_SECONDS, Sink
from parproc.report.wait_over import WaitOver
from parproc.run_events import ProcResult, RunEvent

MOST_PENDING_BYTES = 1 << 20
LAST_PATIENCE_SECONDS = 1.0


class JsonReporter(Reporter):
    """Writes events as JSON, in ASCII, each line as soon as it is known.

    What waits for a slow reader is held; above a megabyte, what tasks log and how far they are is left out and counted.

    Args:
        out: receives the lines.
        log_path: proc name -> its log, None where there is none.
        version: of parproc, for the header.
        clock: gives seconds since the epoch.
    """

    def __init__(
        self, out: Sink, log_path: Callable[[str], str | None], *, version: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._sink = out
        self._stream = EventStream(log_path, version=version, clock=clock)
        self._now = 0.0
        self._left_out = 0

    @property
    def unread(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._sink.pending)

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Write the line for ``message``."""
        if not isinstance(message, RunWarned):
            self._now = message.time
        if self._sink.pending > MOST_PENDING_BYTES and isinstance(message, (TaskLogged, TaskProgressed)):
            self._left_out += 1
            return
        if self._left_out:
            missed, self._left_out = self._left_out, 0
            self.handle(RunWarned(f'{missed} events were left out: nobody read them'), view)
        for event in self._stream.events(message, view):
            self._sink.put(f'{json.dumps(as_json(event), separators=(",", ":"))}\n'.encode('ascii'))
        self._sink.flush()

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Write what is still to be written, as far as somebody reads it within a while."""
        self._sink.drain(LAST_PATIENCE_SECONDS)

    def next_tick(self, view: RunView) -> float | None:
        """Return when to offer a slow reader more."""
        return self._now + RETRY_SECONDS if self._sink.pending else None

    def tick(self, now: float, view: RunView) -> None:
        """Write what a slow reader did not take before."""
        self._now = now
        self._sink.flush(PATIENCE_MILLISECONDS)


def as_json(event: RunEvent) -> dict[str, object]:
    """Return an event as what JSON can hold."""
    return {'event': event.event, **{field.name: _plain(getattr(event, field.name)) for field in fields(event)}}


def _plain(value: object) -> object:
    """Return ``value`` with no half of a surrogate pair in its texts: half of the world's parsers refuse them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode('utf-8', 'backslashreplace').decode('utf-8')
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, (Location, Usage, ProcResult)):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    return value
