"""One life of what a session runs: the engine, the folder of logs and results, and what shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from parproc.core.machine import Machine
from parproc.core.model import NEVER_RAN, ErrorKind, Outcome
from parproc.core.view import RunBegan, RunEnded, RunWarned
from parproc.declare.options import Options
from parproc.engine.listener import Listener
from parproc.engine.loop import Engine
from parproc.engine.tasks import TaskSource
from parproc.engine.told import Told
from parproc.errors import UserError
from parproc.exec.protocol import Asked, Executor, FunctionResolver, Report
from parproc.values.encoding import EncodedResult, decode_result

if TYPE_CHECKING:
    import re
    import selectors
    import threading

    from parproc.report.program.display import ProgramDisplay
    from parproc.run_events import RunEvent
    from parproc.store.run_folder import RunFolder

LINES_OF_MATTER = 16
MOST_NAMED = 5
SHOWN_BY = ('output', 'dynamic', 'full_log_on_failure', 'log_ignore')
"""The options that decide how a run is shown."""


class Settings(Protocol):
    """What a run is told by the session whose run it is."""

    options: Options
    lock: threading.RLock
    task_environment: dict[str, str]
    terminal_reset: bytes
    exclusive: bool
    usual: dict[str, float]
    listener: Listener | None
    on_event: Callable[[RunEvent], object] | None

    @property
    def catalog(self) -> FunctionResolver:
        """Where the functions of tasks are found."""

    def ignored(self, name: str, succeeded: bool) -> re.Pattern[str] | None:
        """Return what is found in lines of a proc's log that are not shown; None when all are."""


class Run:
    """The engine that runs procs, with all that belongs to it until the session is cleared or closed.

    Args:
        settings: of the session.
        tasks: knows the procs.
        folder: takes logs and large results.
    """

    def __init__(self, settings: Settings, tasks: TaskSource, folder: RunFolder) -> None:
        options = settings.options
        self.folder = folder
        self.is_alive = True
        self._settings = settings
        self._unreadable: set[str] = set()
        self._wall_offset = time.time() - time.monotonic()
        self._display = None if settings.listener is not None else self._shown()
        machine = Machine(
            parallel=1 if options.mode == 'single' else options.parallel,
            grace=options.grace,
            stop_grace=options.stop_grace,
            fail_fast=options.fail_fast,
            inline=options.mode == 'single',
        )
        self.told = Told(machine.tasks)
        listener = settings.listener or self._display
        assert listener is not None, 'there is one where there is no display'
        self.engine = Engine(machine, tasks, self._executor, listener, lock=settings.lock)
        if self._display is not None:
            self.engine.tell(RunBegan(folder.run_id, (), folder.logs, options.parallel, 0, time.monotonic()))
            if folder.warning is not None:
                self.engine.tell(RunWarned(folder.warning))

    def _executor(self, selector: selectors.BaseSelector, post: Callable[[Report], None]) -> Executor:
        def processes() -> Executor:
            from parproc.exec.processes.executor import ProcessExecutor

            return ProcessExecutor(
                selector,
                post,
                self._settings.catalog,
                run_id=self.folder.run_id,
                exclusive=self._settings.exclusive,
                reset=self._settings.terminal_reset,
            )

        if self._settings.options.mode != 'single':
            return processes()
        from parproc.exec.in_process import InProcessExecutor
        from parproc.exec.router import Router

        return Router(InProcessExecutor(post, self._settings.catalog, self._ask), processes)

    def _ask(self, asked: Asked) -> tuple[Mapping[str, object], Mapping[str, EncodedResult]]:
        return self.engine.ask_inline(asked)

    # --- showing it --------------------------------------------------------------------------------------------

    def _shown(self) -> ProgramDisplay:
        """Return what shows this run of a program."""
        from parproc.report.program.display import program_listener

        settings = self._settings
        display = program_listener(
            settings.options,
            log_path=self.folder.log_path,
            usual=settings.usual.get,
            ignored=settings.ignored,
            on_event=settings.on_event,
        )
        if settings.options.mode != 'single':
            from parproc.exec.cpus import usable_cpus
            from parproc.report.program.memory_warning import MemoryWarningReporter, machine_memory

            display.add(
                MemoryWarningReporter(
                    parallel=settings.options.parallel,
                    cpus=usable_cpus(),
                    memory=machine_memory(),
                    warn=lambda text: display.handle(RunWarned(text)),
                )
            )
        settings.terminal_reset = display.reset
        settings.task_environment.update(display.environment)
        return display

    def set_options(self, options: Options) -> None:
        """Go on with other options; what they replace still stands in the settings."""
        machine = self.engine.machine
        machine.configure(
            parallel=1 if machine.inline else options.parallel,
            grace=options.grace,
            stop_grace=options.stop_grace,
            fail_fast=options.fail_fast,
        )
        before = self._settings.options
        if self._display is not None and any(getattr(options, name) != getattr(before, name) for name in SHOWN_BY):
            from parproc.report.program.display import program_reporter

            settings = self._settings
            chosen = program_reporter(
                options, log_path=self.folder.log_path, usual=settings.usual.get, ignored=settings.ignored
            )
            self._display.show_on(chosen)

    # --- waiting -----------------------------------------------------------------------------------------------

    def wait(
        self,
        names: Collection[str] | None,
        *,
        timeout: float | None = None,
        raised: Callable[[], Collection[str]] | None = None,
    ) -> None:
        """Block until procs are over, or the run was stopped.

        Args:
            names: which; None for all.
            timeout: seconds to wait at most, None for any time.
            raised: gives those of which an exception will tell the program that they failed; None where none will.

        Raises:
            TimeoutError: when they are not over in time; they go on.
        """
        engine, display = self.engine, self._display
        until = None if timeout is None else time.monotonic() + timeout
        if display is not None:
            with self._settings.lock:
                display.begin_wait(time.monotonic())
        try:
            is_over = engine.run(names, until)
        finally:
            if display is not None:
                with self._settings.lock:
                    display.end_wait(time.monotonic(), raised=None if raised is None else raised())
        if not is_over and self.is_alive:
            left = [f'"{name}"' for name in names or () if self.outcome_of(name) is None]
            more = f' and {len(left) - MOST_NAMED} more' if len(left) > MOST_NAMED else ''
            raise TimeoutError(f'not over after {timeout:g} s: {", ".join(left[:MOST_NAMED])}{more}')

    def close(self, *, keep_logs: bool | None = None) -> None:
        """End what runs, and give everything up.

        Args:
            keep_logs: whether the logs of a temporary folder stay; None: if a proc failed.
        """
        keep = bool(self.told.failed()) if keep_logs is None else keep_logs
        self.is_alive = False
        if self._display is not None:
            self.engine.tell(RunEnded(self.exit_code(), time.monotonic()))
            self.engine.take_over()
            self.engine.deliver()
        self.engine.close()
        self.folder.close(failed=keep)

    def abandon(self) -> None:
        """Let go of everything in a process that was forked from the one whose run it is, without touching the run."""
        self.is_alive = False
        self.engine.abandon()

    # --- what became of it -------------------------------------------------------------------------------------

    def exit_code(self) -> int:
        """Return what a command that runs just this ends with."""
        if self.engine.stop.timed_out:
            return 124
        errors = {task.outcome.error for task in self.engine.machine.tasks.values() if task.outcome is not None}
        if ErrorKind.DEADLOCK in errors:
            return 3
        return 1 if errors - {None} else 0

    def ran(self) -> Iterable[str]:
        """Yield the names of the procs that ran and are over."""
        for name, task in list(self.engine.machine.tasks.items()):
            outcome = task.outcome
            if outcome is not None and outcome.error not in NEVER_RAN and task.started is not None:
                yield name

    def outcome_of(self, name: str) -> Outcome | None:
        """Return how a proc ended, None while it has not."""
        task = self.engine.machine.tasks.get(name)
        return None if task is None else task.outcome

    def result_of(self, name: str) -> object:
        """Return what a proc returned, None when it has not."""
        encoded = self.engine.results.get(name)
        return None if encoded is None else decode_result(name, encoded)

    def readable_result_of(self, name: str) -> object:
        """Return what a proc returned; None, after a word about it, where that cannot be read here."""
        try:
            return self.result_of(name)
        except UserError as error:
            if name not in self._unreadable:
                self._unreadable.add(name)
                self.engine.tell(RunWarned(error.message))
            return None

    def log_of(self, name: str) -> str | None:
        """Return the path of a proc's log, None when it never ran, or its output went to the terminal."""
        machine = self.engine.machine
        task = None if machine.inline else machine.tasks.get(name)
        return self.folder.log_path(name) if task is not None and task.attempt else None

    def times_of(self, name: str) -> tuple[float | None, float | None]:
        """Return when a proc's last attempt started and when it ended, in seconds since the epoch."""
        task = self.engine.machine.tasks.get(name)
        if task is None or task.started is None:
            return None, None
        end = self.engine.ends.get(name)
        return task.started + self._wall_offset, None if end is None else end + self._wall_offset

    def matter_of(self, name: str) -> list[str]:
        """Return the last lines of what matters in a failed proc's log; none without a log."""
        path = self.log_of(name)
        if path is None:
            return []
        from parproc.report.logs.read_log import failure_lines

        return list(failure_lines(path, colour=False, ignored=self._settings.ignored(name, False)))[-LINES_OF_MATTER:]

    @property
    def results(self) -> Mapping[str, EncodedResult]:
        """Name -> result, as it travels, of the procs that have ended well."""
        return self.engine.results
