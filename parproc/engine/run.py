"""One run: the engine, the folder of logs and results, what shows it, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from parproc.core.machine import Machine
from parproc.core.model import NEVER_RAN, ErrorKind, Outcome, ProcState
from parproc.core.view import RunBegan, RunEnded, RunWarned
from parproc.declare.options import Options
from parproc.engine.definitions import Definitions
from parproc.engine.display import Display
from parproc.engine.loop import Engine
from parproc.engine.result_store import ResultStore
from parproc.engine.task_source import RunTaskSource
from parproc.engine.told import Told
from parproc.errors import UserError
from parproc.exec.protocol import Answer, Asked, Executor, Report
from parproc.values.decoding import decode_result

if TYPE_CHECKING:
    import selectors
    import threading

    from parproc.store.run_folder import RunFolder

LOG_LINES_IN_ERROR = 16
MOST_NAMES_IN_ERROR = 5


class Run:
    """What is scheduled from now on, with all that belongs to it, until the session is cleared or closed.

    Args:
        definitions: what was declared and set.
        folder: takes logs and large results.
        display: shows it.
        lock: guards all of a session.
        deadline: when its time is up, in monotonic seconds; None for never.
        exclusive: this process does nothing else, so that all its children are the run's.

    Attributes:
        folder: takes logs and large results.
        engine: runs the procs.
        tasks: knows them.
        told: which failures the program knows of.
    """

    def __init__(
        self,
        definitions: Definitions,
        folder: RunFolder,
        display: Display,
        *,
        lock: threading.RLock,
        deadline: float | None = None,
        exclusive: bool = False,
    ) -> None:
        options = definitions.options
        self.folder = folder
        self._definitions = definitions
        self._options = options
        self._mode = options.run_mode
        self._terminal_reset = display.terminal_reset
        self._exclusive = exclusive
        self._is_alive = True
        self._unreadable: set[str] = set()
        self._wall_offset = time.time() - time.monotonic()
        self._machine = machine = Machine(
            parallel=self._mode.parallel(options.parallel),
            grace=options.grace,
            stop_grace=options.stop_grace,
            fail_fast=options.fail_fast,
            inline=self._mode.in_process,
        )
        self._results = ResultStore()
        self.told = Told(machine.tasks)
        self.tasks = RunTaskSource(definitions, machine, self._results, folder, display.environment)
        self.engine = Engine(
            machine, self.tasks, self._executor, display.listener, results=self._results, lock=lock, deadline=deadline
        )

    def _executor(self, selector: selectors.BaseSelector, post: Callable[[Report], None]) -> Executor:
        catalog = self._definitions.catalog

        def processes() -> Executor:
            from parproc.exec.processes.executor import ProcessExecutor

            return ProcessExecutor(
                selector,
                post,
                catalog,
                run_id=self.folder.run_id,
                exclusive=self._exclusive,
                reset=self._terminal_reset,
            )

        if not self._mode.in_process:
            return processes()
        from parproc.exec.in_process import InProcessExecutor
        from parproc.exec.router import Router

        return Router(InProcessExecutor(post, catalog, self._ask), processes)

    def _ask(self, asked: Asked) -> Answer:
        return self.engine.ask_inline(asked)

    # --- its life ----------------------------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """True until it is closed."""
        return self._is_alive

    def tell_beginning(
        self, planned: Collection[str] = (), *, targets: Collection[str] = (), rerun: tuple[str, ...] = ('parproc',)
    ) -> None:
        """Let what shows the run know that it begins, before anything is scheduled.

        Args:
            planned: names of what is to run, as far as that is known.
            targets: full names of what was asked for.
            rerun: how a command that runs some of it again begins.
        """
        self.engine.tell(
            RunBegan(
                self.folder.run_id,
                tuple(targets),
                self.folder.logs,
                self._options.parallel,
                len(planned),
                time.monotonic(),
                tuple(planned),
                rerun,
                self._definitions.extra_args,
            )
        )
        if self.folder.warning is not None:
            self.engine.tell(RunWarned(self.folder.warning))

    def tell_end(self) -> None:
        """Let what shows the run know that it is over."""
        self.engine.tell(RunEnded(self.exit_code(), time.monotonic()))

    def set_options(self, options: Options) -> None:
        """Go on with other options."""
        self._options = options
        self._machine.configure(
            parallel=self._mode.parallel(options.parallel),
            grace=options.grace,
            stop_grace=options.stop_grace,
            fail_fast=options.fail_fast,
        )

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
            raised: gives those of which an exception will tell the program that they failed, for the display to leave
                them out; None where none will.

        Raises:
            TimeoutError: when they are not over in time; they go on.
        """
        until = None if timeout is None else time.monotonic() + timeout
        if not self.engine.run(names, until) and self._is_alive:
            left = [f'"{name}"' for name in names or () if self.outcome_of(name) is None]
            more = f' and {len(left) - MOST_NAMES_IN_ERROR} more' if len(left) > MOST_NAMES_IN_ERROR else ''
            raise TimeoutError(f'not over after {timeout:g} s: {", ".join(left[:MOST_NAMES_IN_ERROR])}{more}')

    def close(self, *, keep_logs: bool | None = None) -> None:
        """End what runs, and give everything up.

        Args:
            keep_logs: whether the logs of a temporary folder stay; None: if a proc failed.
        """
        keep = bool(self.told.failed()) if keep_logs is None else keep_logs
        self._is_alive = False
        self._before_close()
        self.engine.close()
        self.folder.close(failed=keep)

    def _before_close(self) -> None:
        """Do what comes before what still runs is ended: nothing, where somebody else's listener shows the run."""

    def abandon(self) -> None:
        """Let go of everything in a process that was forked from the one whose run it is, without touching the run."""
        self._is_alive = False
        self.engine.abandon()

    # --- what became of it -------------------------------------------------------------------------------------

    @property
    def open_count(self) -> int:
        """How many procs are scheduled and not over."""
        return self._machine.open_count

    @property
    def has_missing(self) -> bool:
        """True while procs wait for others that nothing declares yet."""
        return bool(self._machine.missing)

    def exit_code(self) -> int:
        """Return what a command that runs just this ends with."""
        if self.engine.stop.timed_out:
            return 124
        errors = {task.outcome.error for task in self._machine.tasks.values() if task.outcome is not None}
        if ErrorKind.DEADLOCK in errors:
            return 3
        return 1 if errors - {None} else 0

    def ran(self) -> Iterable[str]:
        """Yield the names of the procs that ran and are over."""
        for name, task in list(self._machine.tasks.items()):
            outcome = task.outcome
            if outcome is not None and outcome.error not in NEVER_RAN and task.started is not None:
                yield name

    def state_of(self, name: str) -> ProcState | None:
        """Return a proc's state, None when it was never scheduled."""
        return self._machine.state_of(name)

    def outcome_of(self, name: str) -> Outcome | None:
        """Return how a proc ended, None while it has not."""
        task = self._machine.tasks.get(name)
        return None if task is None else task.outcome

    def deps_of(self, name: str) -> tuple[str, ...]:
        """Return what a scheduled proc depends on, with what was injected; nothing for one that was never scheduled."""
        task = self._machine.tasks.get(name)
        return () if task is None else task.deps

    def process_of(self, name: str) -> int | None:
        """Return the id of the process that runs a proc, None where none does."""
        return self.engine.process_of(name)

    def result_of(self, name: str) -> object:
        """Return what a proc returned, None when it has not."""
        encoded = self._results.results.get(name)
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
        task = self._machine.tasks.get(name) if self._mode.has_logs else None
        return self.folder.log_path(name) if task is not None and task.attempt else None

    def times_of(self, name: str) -> tuple[float | None, float | None]:
        """Return when a proc's last attempt started and when it ended, in seconds since the epoch."""
        task = self._machine.tasks.get(name)
        if task is None or task.started is None:
            return None, None
        end = self._results.ends.get(name)
        return task.started + self._wall_offset, None if end is None else end + self._wall_offset

    def failure_lines_of(self, name: str) -> list[str]:
        """Return the last lines of what matters in a failed proc's log; none without a log."""
        path = self.log_of(name)
        if path is None:
            return []
        from parproc.report.logs.read_log import failure_lines

        ignored = self._definitions.ignored(name, False)
        return list(failure_lines(path, colour=False, ignored=ignored))[-LOG_LINES_IN_ERROR:]
