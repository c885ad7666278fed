"""What is kept of tasks that are over: what they returned, when they ended, which params they have read."""

from __future__ import annotations

from collections.abc import Mapping

from parproc.core.events import TaskFinished
from parproc.exec.protocol import Ended
from parproc.values.encoding import EncodedResult


class ResultStore:
    """Results by the names of the tasks that returned them, for as long as these are not to run once more."""

    def __init__(self) -> None:
        self._returned: dict[str, EncodedResult] = {}
        self._results: dict[str, EncodedResult] = {}
        self._ends: dict[str, float] = {}
        self._params_read: dict[str, frozenset[str] | None] = {}

    @property
    def results(self) -> Mapping[str, EncodedResult]:
        """Name -> result, as it travels, of the tasks that have ended well."""
        return self._results

    @property
    def ends(self) -> Mapping[str, float]:
        """Name -> when the task ended, in seconds of the engine's clock."""
        return self._ends

    @property
    def params_read(self) -> Mapping[str, frozenset[str] | None]:
        """Name -> the params that a task's function looked for in its last attempt; None for all."""
        return self._params_read

    def note_attempt(self, ended: Ended) -> None:
        """Take what an attempt came to; it counts as the task's result only once the machine has judged it."""
        if ended.result is not None:
            self._returned[ended.name] = ended.result
        self._params_read[ended.name] = ended.params_read

    def note_finished(self, finished: TaskFinished) -> None:
        """Keep what a task returned, if it ended well, and when it ended."""
        result = self._returned.pop(finished.name, None)
        if result is not None and finished.outcome.state.is_good:
            self._results[finished.name] = result
        self._ends[finished.name] = finished.time

    def forget(self, name: str) -> None:
        """Forget how a task ended, which is to run once more."""
        for known in (self._returned, self._results, self._ends):
            known.pop(name, None)
