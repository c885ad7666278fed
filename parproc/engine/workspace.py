"""All that a session knows: what was declared and set, and the run that goes on. Programs see none of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from parproc.catalog.catalog import Catalog
from parproc.core.model import Outcome, ProcState
from parproc.declare.declaration import ROOT, Declaration
from parproc.declare.options import Options, ignored_lines
from parproc.engine import at_exit
from parproc.errors import ProcessError, UserError
from parproc.host.descriptors import let_go_of_inherited

if TYPE_CHECKING:
    import re

    # what runs procs is imported when procs are run: a list needs none of it
    from parproc.core.events import Wanted
    from parproc.core.machine import Machine
    from parproc.core.plan import Plan
    from parproc.engine.listener import Listener
    from parproc.engine.run import Run
    from parproc.engine.task_source import WorkspaceTaskSource
    from parproc.run_events import RunEvent
    from parproc.store.history import History
    from parproc.store.run_folder import RunFolder
    from parproc.values.encoding import EncodedResult


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run of the command line ended.

    Args:
        exit_code: 0 all good, 1 a proc failed, 3 a deadlock, 124 out of time.
        signal: the signal that stopped the run, None when none did.
        output_closed: nobody read the output any more.
        results: what the procs returned that were asked for, as far as they ended well.
    """

    exit_code: int
    signal: int | None = None
    output_closed: bool = False
    results: Mapping[str, object] = field(default_factory=dict)


class Workspace:
    """What a session, the command line and the engine share.

    Args:
        options: to begin with.
        listener: takes every announcement; None for what shows it as the options say.
        on_event: called with each event of :mod:`parproc.run_events`.
    """

    def __init__(
        self,
        options: Options,
        listener: Listener | None = None,
        on_event: Callable[[RunEvent], object] | None = None,
    ) -> None:
        self.process = os.getpid()
        self.lock = threading.RLock()
        self.options = self.defaults = options
        self.params: Mapping[str, object] = {}
        self.fixed_params: frozenset[str] = frozenset()
        self.fixed_options: frozenset[str] = frozenset()
        self.extra_args: tuple[str, ...] = ()
        self.task_environment: dict[str, str] = {}
        self.terminal_reset = b''
        self.exclusive = False
        self.loading = False
        self.origin = ROOT
        self.now: list[str] = []
        self.listener = listener
        self.on_event = on_event
        self.catalog = Catalog(options.name_param_separator)
        self.usual: dict[str, float] = {}
        self.run: Run | None = None
        self._folder: RunFolder | None = None
        self._history: History | None = None
        self._task_source: WorkspaceTaskSource | None = None

    # --- declaring ---------------------------------------------------------------------------------------------

    def declare(self, declaration: Declaration, *, replacing: bool) -> None:
        """Add a declaration, and schedule what becomes possible or due with it.

        Args:
            declaration: a proc's or proto's.
            replacing: it may take the place of another one; what runs under its name is ended first.

        Raises:
            UserError: when its name is taken.
        """
        with self.lock:
            dropped = self.catalog.declare(declaration, replace=replacing)
            self.now = [name for name in self.now if name not in dropped]
            state_of = self.state_of
            open_ones = [name for name in dropped if state_of(name) in {ProcState.WANTED, ProcState.RUNNING}]
        if dropped and self.run is not None:
            self.run.engine.drop(dropped)
            self._pass_on_stop(self.run, self.run.engine.stop.signal)
        self.take_up([name for name in open_ones if name in self.catalog.procs])

    def take_up(self, names: Sequence[str] = ()) -> None:
        """Schedule ``names``, what was declared or created with ``now=True``, and what others have waited for to appear.

        While a task file is loaded, what is to run now is only remembered.
        """
        with self.lock:
            due = self.catalog.take_now()
            self.now += due
            is_missed = self.run is not None and bool(self.run.engine.machine.missing)
        if not self.loading and (due or names or is_missed):
            self.schedule((*names, *due))

    def set_params(self, params: Mapping[str, object]) -> None:
        """Set parameters; those that are fixed stay. What procs were given before is not touched."""
        with self.lock:
            changed = {name: value for name, value in params.items() if name not in self.fixed_params}
            self.params = {**self.params, **changed}

    def set_options(self, options: Mapping[str, object]) -> None:
        """Change options; those that are fixed stay.

        Raises:
            UserError: for an unknown option or a bad value; nothing was changed.
        """
        with self.lock:
            updated = self.options.updated(**options)
            kept = {name: getattr(self.options, name) for name in options if name in self.fixed_options}
            updated = updated.updated(**kept)
            if updated.name_param_separator != self.options.name_param_separator and self._is_busy():
                raise UserError(
                    'name_param_separator cannot change while procs are scheduled', hint='wait for them first'
                )
            if self.run is not None:
                if updated.mode != self.options.mode:
                    raise UserError('mode cannot change once procs have been started', hint='set it first')
                self.run.set_options(updated)
            self.options = updated
            self.catalog.separator = updated.name_param_separator

    def _is_busy(self) -> bool:
        return self.run is not None and self.run.engine.machine.open_count > 0

    def ignored(self, name: str, succeeded: bool) -> re.Pattern[str] | None:
        """Return what is found in lines of a proc's log that are not shown; None when all are."""
        task = self.catalog.procs.get(name)
        own = () if task is None else task.declaration.log_ignore
        return ignored_lines((*self.options.log_ignore, *own), succeeded=succeeded)

    # --- scheduling and waiting --------------------------------------------------------------------------------

    def known(self, names: Iterable[str | Callable[..., object]]) -> list[str]:
        """Return the full names of what is named, creating procs from protos; raises UserError."""
        known: dict[str, None] = {}
        with self.lock:
            for name in names:
                known.update(dict.fromkeys(self.catalog.create(name, None, {}, self.params)))
        return list(known)

    def schedule(self, names: Sequence[str], *, start: bool = False, again: bool = False, full: bool = False) -> None:
        """Schedule procs and start what can be started; arguments as for :meth:`WorkspaceTaskSource.wanted`."""
        run, event = self._wanted(names, start=start, again=again, full=full)
        if run is not None:
            self._pass_on_stop(run, run.engine.pump() if event is None else run.engine.want(event))

    def _wanted(
        self, names: Sequence[str], *, start: bool = False, again: bool = False, full: bool = False
    ) -> tuple[Run | None, Wanted | None]:
        """Return the run, begun where this needs one, and what is new to it about procs that are to be scheduled."""
        with self.lock:
            event = self.task_source.wanted(names, start=start, again=again, full=full)
            if not (event.specs or event.injected or event.again or event.resolved):
                return self.run, None
            if self.run is not None and self.run.told.failed() and not self.untold():
                event = replace(event, forgiven=True)
            return self.wired(), event

    def pump(self) -> None:
        """Take in whatever has happened in the run, without waiting."""
        if self.run is not None:
            self._pass_on_stop(self.run, self.run.engine.pump())

    def wait(
        self,
        names: list[str] | None,
        *,
        timeout: float | None = None,
        raised: Callable[[], Collection[str]] | None = None,
    ) -> None:
        """Block until procs are over, scheduling them; takes what :meth:`Run.wait` does.

        Raises:
            TimeoutError: when they are not over in time.
            KeyboardInterrupt: when the run was stopped by Ctrl-C; another signal ends this process.
            UserError: when the session was cleared meanwhile.
        """
        run, event = (self.run, None) if names is None else self._wanted(names)
        if run is None:
            return
        try:
            with run.engine.attentive():  # Ctrl-C stops the run from here on
                if event is not None:
                    run.engine.take(event)
                run.wait(names, timeout=timeout, raised=raised)
        finally:
            self._pass_on_stop(run, run.engine.stop.signal)
        if not run.is_alive:
            raise UserError('the session was cleared while it was waited for')

    def _pass_on_stop(self, run: Run, number: int | None) -> None:
        """Let the program know, as it would without us, of the signal that stopped its run; None when none did."""
        if number is not None and run.engine.signals.is_for_us():
            run.engine.stop.take_signal()
            run.told.note(run.told.failed())
            stopped_by(number)

    def untold(self) -> list[str]:
        """Return the procs that failed and of which no exception has told yet."""
        return [] if self.run is None else self.run.told.untold()

    def note_told(self, names: Collection[str]) -> None:
        """Note that the program has been told of these failures."""
        if self.run is not None:
            self.run.told.note(names)

    def raised_for(self, names: Collection[str]) -> Collection[str]:
        """Return those of which :meth:`raise_for` would tell that they failed; none while ``names`` are not all over."""
        if self.run is None or any(self.run.outcome_of(name) is None for name in names):
            return ()
        return self.run.told.told_with(names)

    def raise_for(self, names: Collection[str]) -> None:
        """Raise a ProcessError for those of ``names`` that failed; what it tells of is not told again by itself."""
        run = self.run
        if run is None:
            return
        failures: dict[str, str] = {}
        lines: list[str] = []
        notes: list[str] = []
        with self.lock:
            run.told.note(names)
            for name in names:
                for root in run.told.roots_of(name):
                    if root not in failures:
                        failures[root], line, note = _telling(run, name, root)
                        lines.append(line)
                        notes += note
        if lines:
            raise process_error('; '.join(lines), failures, notes)

    def cancel(self, names: Sequence[str]) -> None:
        """End procs and what depends on them; does not wait for that."""
        if self.run is not None:
            self._pass_on_stop(self.run, self.run.engine.cancel(tuple(names)))

    # --- the run -----------------------------------------------------------------------------------------------

    @property
    def task_source(self) -> WorkspaceTaskSource:
        """What the engine asks of this."""
        if self._task_source is None:
            from parproc.engine.task_source import WorkspaceTaskSource

            self._task_source = WorkspaceTaskSource(self)
        return self._task_source

    @property
    def folder(self) -> RunFolder:
        """Where logs and large results are kept; made when first needed."""
        if self._folder is None:
            from parproc.store.run_folder import RunFolder

            self._folder = RunFolder(self.options.state_dir, self.options.name_param_separator)
        return self._folder

    @property
    def history(self) -> History | None:
        """What is remembered of earlier runs; None where nothing is kept."""
        path = self.options.task_db_path
        if path is None and self.options.state_dir is not None:
            path = os.path.join(self.options.state_dir, 'parproc.db')
        if path is not None and self._history is None:
            from parproc.store.history import History

            self._history = History(path, self.options.state_dir if self.options.task_db_path is None else None)
        return self._history

    def wired(self) -> Run:
        """Return the run that goes on, begun when there is none."""
        if self.run is None:
            from parproc.engine.run import Run

            let_go_of_inherited()
            self.run = Run(self, self.task_source, self.folder)
            if not self.exclusive:
                at_exit.note_exit_codes()
        return self.run

    def shut(self, *, keep_logs: bool | None = None) -> None:
        """End the run, if there is one, and whatever runs in it; takes what :meth:`Run.close` does."""
        with self.lock:
            run, self.run = self.run, None
            self._folder = None
        if run is not None:
            run.close(keep_logs=keep_logs)

    def clear(self) -> None:
        """Forget what was declared, set and run. Options are what they were at first, but for those that are fixed."""
        self.shut()
        with self.lock:
            fixed = {name: getattr(self.options, name) for name in self.fixed_options}
            self.options = replace(self.defaults, **fixed)
            self.catalog = Catalog(self.options.name_param_separator)
            self.params = {}
            self.now = []
            self._task_source = None

    def abandon_run(self) -> None:
        """Let go of the run, in a process that was forked from the one whose run it is; declarations stay."""
        self.process = os.getpid()
        self.lock = threading.RLock()
        run, self.run = self.run, None
        self._folder = self._history = self._task_source = None
        if run is not None:
            run.abandon()
        at_exit.watch_over(self)
        let_go_of_inherited()

    # --- what programs and the engine ask ----------------------------------------------------------------------

    @property
    def machine(self) -> Machine | None:
        """The scheduler of what was scheduled so far; None before anything was."""
        return None if self.run is None else self.run.engine.machine

    @property
    def encoded(self) -> Mapping[str, EncodedResult]:
        """Name -> result, as it travels, of the procs that have ended well."""
        return {} if self.run is None else self.run.results

    @property
    def params_read(self) -> Mapping[str, frozenset[str] | None]:
        """Name -> the params that a proc's function looked for when it last ran; None for all."""
        return {} if self.run is None else self.run.engine.params_read

    def state_of(self, name: str) -> ProcState | None:
        """Return a proc's state, None when it was never scheduled."""
        return None if self.run is None else self.run.engine.machine.state_of(name)

    def outcome_of(self, name: str) -> Outcome | None:
        """Return how a proc ended, None while it has not."""
        return None if self.run is None else self.run.outcome_of(name)

    def result_of(self, name: str) -> object:
        """Return what a proc returned, None when it has not."""
        return None if self.run is None else self.run.result_of(name)

    def log_of(self, name: str) -> str | None:
        """Return the path of a proc's log, None when it never ran, or its output went to the terminal."""
        return None if self.run is None else self.run.log_of(name)

    def times_of(self, name: str) -> tuple[float | None, float | None]:
        """Return when a proc's last attempt started and when it ended, in seconds since the epoch."""
        return (None, None) if self.run is None else self.run.times_of(name)

    def deps_of(self, name: str) -> tuple[str, ...]:
        """Return what a scheduled proc depends on."""
        task = None if self.run is None else self.run.engine.machine.tasks.get(name)
        return () if task is None else task.deps

    def process_of(self, name: str) -> int | None:
        """Return the process that runs a proc, None where there is none."""
        return None if self.run is None else self.run.engine.process_of(name)

    # --- for the command line ----------------------------------------------------------------------------------

    def plan(self, targets: Sequence[str], *, only: bool = False) -> Plan:
        """Return what running ``targets`` would run, in order, without running it; raises UserError."""
        return self.task_source.prepare(list(targets), only=only)[0]

    def execute(
        self,
        targets: Sequence[str],
        *,
        listener: Callable[[int], Listener],
        only: bool = False,
        timeout: float | None = None,
        wanted: Sequence[str] = (),
        rerun: Sequence[str] = ('parproc',),
    ) -> RunOutcome:
        """Run ``targets`` to the end, whatever happens, and say how it went.

        Args:
            targets: full names.
            listener: makes what takes every announcement, given how many tasks are planned.
            only: without their dependencies.
            timeout: seconds the whole run may take.
            wanted: names of the procs whose results are asked for.
            rerun: how a command that runs some of it again begins.

        Raises:
            UserError: before anything ran, when the request is wrong.
        """
        from parproc.core.view import RunBegan, RunEnded, RunWarned

        event = self.task_source.wanted(list(targets), only=only)
        history = self.history
        if history is not None:
            self.usual = history.expected(spec.name for spec in event.specs)
        order = tuple(
            replace(spec, expected=self.usual[spec.name]) if spec.name in self.usual else spec for spec in event.specs
        )
        self.listener = listener(len(order))
        self.exclusive = True
        run = self.wired()
        engine, folder = run.engine, run.folder
        if timeout is not None:
            engine.stop.limit(time.monotonic() + timeout)
        planned = tuple(spec.name for spec in order)
        engine.tell(
            RunBegan(
                folder.run_id,
                tuple(targets),
                folder.logs,
                self.options.parallel,
                len(order),
                time.monotonic(),
                planned,
                tuple(rerun),
                self.extra_args,
            )
        )
        if folder.warning is not None:
            engine.tell(RunWarned(folder.warning))
        try:
            with engine.signals:
                engine.want(replace(event, specs=order))
                engine.run()
        except BaseException:
            self.listener.step_aside(True)  # whatever is said now is said on a clean terminal
            raise
        code = run.exit_code()
        engine.tell(RunEnded(code, time.monotonic()))
        if history is not None:
            history.close()
            if history.warning is not None and (folder.warning is None or self.options.task_db_path is not None):
                engine.tell(RunWarned(history.warning))
        engine.deliver()
        code = run.exit_code()
        outcomes = {name: self.outcome_of(name) for name in wanted}
        results = {name: self.result_of(name) for name, outcome in outcomes.items() if outcome and not outcome.error}
        self.listener.close()
        self.shut(keep_logs=bool(code))
        return RunOutcome(code, engine.stop.signal, engine.output_closed, results)


def _telling(run: Run, name: str, root: str) -> tuple[str, str, list[str]]:
    """Return the reason of a proc's own failure, a line about what it did to ``name``, and notes with its log's end."""
    outcome = run.outcome_of(root)
    reason = '' if outcome is None else outcome.reason
    log = run.log_of(root)
    where = f' (log: {log})' if log else ''
    indirect = '' if root == name else f'"{name}" did not run: '
    matter = run.matter_of(root)
    notes = ['\n'.join((f'the log of "{root}" ends with:', *(f'  {line}' for line in matter)))] if matter else []
    return reason, f'{indirect}"{root}" failed: {reason}{where}', notes


def process_error(message: str, failures: Mapping[str, str], notes: Sequence[str]) -> ProcessError:
    """Return the error about failures, with notes: under the traceback from Python 3.11 on, before that in its text."""
    add_note = getattr(BaseException, 'add_note', None)
    if add_note is None:
        return ProcessError('\n'.join((message, *notes)), failures=failures)
    error = ProcessError(message, failures=failures)
    for note in notes:
        add_note(error, note)
    return error


def stopped_by(number: int) -> None:
    """Let a program end as the signal that stopped its run would have ended it."""
    import signal

    from parproc.control.signals import die_by

    if number == signal.SIGINT:
        raise KeyboardInterrupt
    die_by(number)
