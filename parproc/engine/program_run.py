"""A run of a program: shown while the program waits, as its session's options say."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from parproc.core.view import RunWarned
from parproc.declare.options import Options
from parproc.engine.definitions import Definitions
from parproc.engine.display import Display
from parproc.engine.run import Run
from parproc.report.program.display import ProgramDisplay, program_listener, program_reporter

if TYPE_CHECKING:
    import threading

    from parproc.run_events import RunEvent
    from parproc.store.run_folder import RunFolder

SHOWN_BY = ('output', 'dynamic', 'full_log_on_failure', 'log_ignore')
"""The options that decide how a run is shown."""


class ProgramRun(Run):
    """A run that begins when the program schedules something, and whose display it brings along.

    Args:
        definitions: what was declared and set.
        folder: takes logs and large results.
        lock: guards all of a session.
        on_event: called with each event of :mod:`parproc.run_events`; None where the program wants none.
    """

    def __init__(
        self,
        definitions: Definitions,
        folder: RunFolder,
        *,
        lock: threading.RLock,
        on_event: Callable[[RunEvent], object] | None,
    ) -> None:
        options = definitions.options
        self._display = program_listener(
            options, log_path=folder.log_path, usual=_unknown, ignored=definitions.ignored, on_event=on_event
        )
        self._lock = lock
        if not options.run_mode.in_process:
            _warn_of_memory(self._display, options.parallel)
        shown = Display(self._display, self._display.environment, self._display.reset)
        super().__init__(definitions, folder, shown, lock=lock)
        self.tell_beginning()

    def set_options(self, options: Options) -> None:
        """Go on with other options, and show what comes as they say."""
        before = self._options
        super().set_options(options)
        if any(getattr(options, name) != getattr(before, name) for name in SHOWN_BY):
            ignored = self._definitions.ignored
            chosen = program_reporter(options, log_path=self.folder.log_path, usual=_unknown, ignored=ignored)
            self._display.show_on(chosen)

    def wait(
        self,
        names: Collection[str] | None,
        *,
        timeout: float | None = None,
        raised: Callable[[], Collection[str]] | None = None,
    ) -> None:
        """Block until procs are over, or the run was stopped, and show it; takes and raises what :meth:`Run.wait` does."""
        with self._lock:
            self._display.begin_wait(time.monotonic())
        try:
            super().wait(names, timeout=timeout)
        finally:
            with self._lock:
                self._display.end_wait(time.monotonic(), raised=None if raised is None else raised())

    def _before_close(self) -> None:
        """Say that the run is over, and let that be read."""
        self.tell_end()
        self.engine.take_over()
        self.engine.deliver()


def _unknown(_name: str) -> None:
    """Say that nobody knows how long a proc usually takes: a program's runs are not compared with earlier ones."""


def _warn_of_memory(display: ProgramDisplay, parallel: int) -> None:
    """Let a word be said when procs that run at once need more memory than the machine has."""
    from parproc.exec.cpus import usable_cpus
    from parproc.report.program.memory_warning import MemoryWarningReporter, machine_memory

    display.add(
        MemoryWarningReporter(
            parallel=parallel,
            cpus=usable_cpus(),
            memory=machine_memory(),
            warn=lambda text: display.handle(RunWarned(text)),
        )
    )
