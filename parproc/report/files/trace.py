"""A run as a trace for Perfetto or chrome://tracing: a row for each slot, a slice for each attempt and each wait."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from parproc.core.events import (
    RunStopping,
    TaskFinished,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import Outcome
from parproc.core.terminal_text import plain_text
from parproc.core.view import RunBegan, RunEnded, RunView
from parproc.report.files.report_file import ReportFile
from parproc.report.reporter import Reporter

PROCESS = 1
FEW = 3


@dataclass(slots=True)
class TraceRow:
    """Where a proc that has started and is not over is drawn.

    Attributes:
        slot: its row, from 1; its own until it is over.
        began: start of its attempt, None between two.
        attempt: which one, from 1.
        waits: what it waits for from inside, or for its next attempt.
        rested: since when.
    """

    slot: int
    began: float | None
    attempt: int = 1
    waits: tuple[str, ...] = ()
    rested: float = 0.0


class TraceReporter(Reporter):
    """Writes the file when the run ends, however it does.

    Args:
        path: the file.

    Raises:
        UserError: when the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._file = ReportFile(path, 'trace')
        self._events: list[dict[str, object]] = []
        self._rows: dict[str, TraceRow] = {}
        self._free: list[int] = []
        self._slots = 0
        self._deps: dict[str, tuple[str, ...]] = {}
        self._wanted: dict[str, float] = {}
        self._ends: dict[str, float] = {}
        self._origin = 0.0

    def on_run_began(self, message: RunBegan, view: RunView) -> None:
        """Note from when on times are counted."""
        self._origin = message.time

    def on_task_wanted(self, message: TaskWanted, view: RunView) -> None:
        """Note when a proc was scheduled, and what it needs."""
        self._wanted[message.name] = message.time
        self._deps[message.name] = message.deps

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Begin an attempt, in a row that is free."""
        row = self._rows.get(message.name)
        if row is not None:
            self._wake(message.name, message.time)
            row.began, row.attempt = message.time, message.attempt
            return
        if self._free:
            slot = heapq.heappop(self._free)
        else:
            self._slots = slot = self._slots + 1
        self._rows[message.name] = TraceRow(slot, message.time)

    def on_task_retrying(self, message: TaskRetrying, view: RunView) -> None:
        """Draw an attempt that failed, and begin the wait for the next one."""
        self._attempt(message.name, message.outcome, message.time)
        self._rest(message.name, (f'attempt {message.attempt + 1}',), message.time)

    def on_task_waiting(self, message: TaskWaiting, view: RunView) -> None:
        """Begin a wait."""
        self._rest(message.name, message.awaited, message.time)

    def on_task_resumed(self, message: TaskResumed, view: RunView) -> None:
        """Draw a wait that is over."""
        self._wake(message.name, message.time)

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Draw the last attempt, and give the row back."""
        self._ends[message.name] = message.time
        if message.name in self._rows:
            self._attempt(message.name, message.outcome, message.time)
            heapq.heappush(self._free, self._rows.pop(message.name).slot)

    def on_run_stopping(self, message: RunStopping, view: RunView) -> None:
        """Draw the moment in which the run was told to stop."""
        self._add('i', message.reason, ts=self._microseconds(message.time), s='g')

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Draw what is not over, and write the file.

        Raises:
            UserError: when the file cannot be written any more.
        """
        began = view.began
        for name in self._rows:
            self._attempt(name, None, message.time)
        targets = () if began is None else began.targets
        self._add('M', 'process_name', args={'name': ' '.join(('parproc', *targets))})
        for slot in range(1, self._slots + 1):
            self._add('M', 'thread_name', tid=slot, args={'name': f'slot {slot}'})
            self._add('M', 'thread_sort_index', tid=slot, args={'sort_index': slot})
        document = {
            'displayTimeUnit': 'ms',
            'otherData': {'exit code': message.exit_code, 'run': '' if began is None else began.run_id},
            'traceEvents': self._events,
        }
        self._file.write(json.dumps(document, separators=(',', ':')).encode('ascii'))

    def _rest(self, name: str, waits: tuple[str, ...], time: float) -> None:
        row = self._rows.get(name)
        if row is not None:
            row.waits, row.rested = waits, time

    def _wake(self, name: str, time: float) -> None:
        """Draw the wait that is over."""
        row = self._rows.get(name)
        if row is None or not row.waits:
            return
        named = list(row.waits[:FEW])
        if len(row.waits) > FEW:
            named.append(f'{len(row.waits) - FEW} more')
        arguments = {'proc': name, 'waits for': row.waits}
        self._slice(f'waits for {", ".join(named)}', 'wait', row.slot, row.rested, time, arguments)
        row.waits = ()

    def _attempt(self, name: str, outcome: Outcome | None, time: float) -> None:
        """Draw the attempt that is over; one that waits then has ended its wait, too."""
        row = self._rows[name]
        self._wake(name, time)
        if row.began is None:
            return
        arguments: dict[str, object] = {'attempt': row.attempt}
        if row.attempt == 1:
            arguments |= self._before(name, row.began)
        if outcome is not None:
            error = {} if outcome.error is None else {'error': outcome.error.value, 'reason': outcome.reason}
            usage = {} if outcome.usage is None else asdict(outcome.usage)
            leaked = {'left behind': outcome.leaked} if outcome.leaked else {}
            arguments |= {'state': outcome.state.value, **error, **usage, **leaked}
        shown = name if row.attempt == 1 else f'{name} (attempt {row.attempt})'
        self._slice(shown, 'proc', row.slot, row.began, time, arguments)
        row.began = None

    def _before(self, name: str, began: float) -> dict[str, object]:
        """Say why a proc did not start earlier: the last dependency to end, then no free slot or lock."""
        ready = wanted = self._wanted.get(name, began)
        last = ''
        for dep in self._deps.get(name, ()):
            if self._ends.get(dep, ready) > ready:
                ready, last = self._ends[dep], dep
        after = {'started after': last} if last else {}
        return {
            **after,
            'seconds until its dependencies were over': round(ready - wanted, 6),
            'seconds until it had a slot': round(began - ready, 6),
        }

    def _slice(
        self, name: str, category: str, slot: int, began: float, ended: float, arguments: Mapping[str, object]
    ) -> None:
        start = self._microseconds(began)
        duration = self._microseconds(ended) - start
        self._add('X', name, cat=category, tid=slot, ts=start, dur=duration, args=arguments)

    def _add(self, phase: str, name: str, **more: object) -> None:
        self._events.append({'ph': phase, 'name': plain_text(name), 'pid': PROCESS, **more})

    def _microseconds(self, moment: float) -> int:
        """Return microseconds since the run began; whole ones, so that a wait never sticks out of its attempt."""
        return round((moment - self._origin) * 1e6)
