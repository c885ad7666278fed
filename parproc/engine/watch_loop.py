"""Keeping tasks up to date with the files they read: the file watcher, in step with the tasks there are."""

from __future__ import annotations

from collections.abc import Callable

from parproc.catalog.inputs import Inputs
from parproc.engine.loop import Engine
from parproc.watching.watcher import Watcher


class WatchLoop:
    """Lets an engine run tasks again when files that they read change.

    Args:
        engine: runs the tasks.
        inputs: task -> the files it reads, None for none.
    """

    def __init__(self, engine: Engine, inputs: Callable[[str], Inputs | None]) -> None:
        self._engine = engine
        self._inputs = inputs
        self._seen: set[str] = set()
        self._items: list[tuple[str, Inputs]] = []
        self._watcher: Watcher | None = None

    @property
    def is_idle(self) -> bool:
        """True when no task there is reads files, so that nothing could ever happen."""
        return not self._items

    def look_around(self) -> None:
        """Watch for the tasks that have come since, too.

        A watcher that is started anew misses nothing: it begins by telling when each file was changed, and the machine
        knows when each task was started.

        Raises:
            UserError: when the inputs of a task cannot be worked out, or files cannot be watched.
        """
        added = [
            (name, inputs)
            for name in self._engine.machine.tasks
            if name not in self._seen and (inputs := self._inputs(name)) is not None
        ]
        self._seen.update(self._engine.machine.tasks)
        if added:
            self.close()
            self._items += added
            self._watcher = watcher = Watcher(self._items, self._engine.change)
            self._engine.add_reader(watcher.descriptor, watcher.read)

    def close(self) -> None:
        """Watch no longer."""
        if self._watcher is not None:
            self._engine.remove_reader(self._watcher.descriptor)
            self._watcher.close()
            self._watcher = None
