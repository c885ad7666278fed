"""What a session, the command line and the engine share: definitions, and the run that goes on. Programs see none of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from parproc.core.model import ProcState
from parproc.declare.declaration import Declaration
from parproc.declare.options import Options
from parproc.engine.definitions import Definitions
from parproc.engine.exit_status import note_exit_status
from parproc.engine.settings import Settings
from parproc.errors import UserError
from parproc.host.descriptors import let_go_of_inherited

if TYPE_CHECKING:
    # what runs procs is imported when procs are run: a list needs none of it
    from parproc.catalog.catalog import Catalog
    from parproc.core.events import Wanted
    from parproc.core.plan import Plan
    from parproc.engine.display import Display
    from parproc.engine.listener import Listener
    from parproc.engine.run import Run
    from parproc.run_events import RunEvent
    from parproc.store.history import History
    from parproc.store.run_folder import RunFolder


class Workspace:
    """Definitions, and the run that they are used in, where there is one.

    Args:
        options: to begin with.
        listener: takes every announcement; None for what shows it as the options say.
        on_event: called with each event of :mod:`parproc.run_events`.

    Attributes:
        process: id of the process that this is used in.
        lock: guards all of it.
        definitions: what was declared and set.
    """

    def __init__(
        self,
        options: Options,
        listener: Listener | None = None,
        on_event: Callable[[RunEvent], object] | None = None,
    ) -> None:
        self.process = os.getpid()
        self.lock = threading.RLock()
        self.definitions = Definitions(options)
        self._listener = listener
        self._on_event = on_event
        self._run: Run | None = None
        self._history: History | None = None

    @property
    def run(self) -> Run | None:
        """The run that goes on; None before anything was scheduled."""
        return self._run

    @property
    def catalog(self) -> Catalog:
        """The procs and protos that were declared, by name."""
        return self.definitions.catalog

    @property
    def options(self) -> Options:
        """The options that hold by now."""
        return self.definitions.options

    @property
    def params(self) -> Mapping[str, object]:
        """The params that hold by now."""
        return self.definitions.params

    @property
    def extra_args(self) -> tuple[str, ...]:
        """What followed ``--`` on the command line."""
        return self.definitions.extra_args

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

    # --- declaring and setting ---------------------------------------------------------------------------------

    def configure(self, settings: Settings) -> None:
        """Let other settings hold, before anything is scheduled."""
        with self.lock:
            self.definitions.set(settings)

    def declare(self, declaration: Declaration, *, replacing: bool) -> None:
        """Add a declaration, and schedule what becomes possible or due with it.

        Args:
            declaration: a proc's or proto's.
            replacing: it may take the place of another one; what runs under its name is ended first.

        Raises:
            UserError: when its name is taken.
        """
        with self.lock:
            run = self._run
            dropped = self.definitions.declare(declaration, replacing=replacing)
            states = {ProcState.WANTED, ProcState.RUNNING}
            open_ones = [name for name in dropped if run is not None and run.state_of(name) in states]
        if dropped and run is not None:
            run.engine.drop(dropped)
            self._pass_on_stop(run, run.engine.stop.signal)
        self.take_up([name for name in open_ones if name in self.catalog.procs])

    def take_up(self, names: Sequence[str] = ()) -> None:
        """Schedule ``names``, what was declared or created with ``now=True``, and what others have waited for to appear.

        While a task file is loaded, what is to run now is only remembered.
        """
        with self.lock:
            due = self.definitions.take_due()
            is_missed = self._run is not None and self._run.has_missing
        if not self.definitions.is_loading and (due or names or is_missed):
            self.schedule((*names, *due))

    def create(self, name: str | Callable[..., object], proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        """Create procs, schedule what becomes possible or due with them, and return their names; raises UserError."""
        with self.lock:
            created = self.catalog.create(name, proc_name, args, self.params)
        self.take_up()
        return created

    def set_params(self, params: Mapping[str, object]) -> None:
        """Set parameters; those that are fixed stay. What procs were given before is not touched."""
        with self.lock:
            self.definitions.set(self.definitions.settings.with_params(params))

    def add_default_params(self, params: Mapping[str, object]) -> None:
        """Set those of these parameters for which nothing was set yet."""
        with self.lock:
            self.definitions.set(self.definitions.settings.with_default_params(params))

    def set_options(self, options: Mapping[str, object]) -> None:
        """Change options; those that are fixed stay.

        Raises:
            UserError: for an unknown option or a bad value; nothing was changed.
        """
        with self.lock:
            self._change_options(self.definitions.settings.with_options(options))

    def fix_options(self, options: Mapping[str, object]) -> None:
        """Change options as :meth:`set_options` does, which from then on leaves them as they are."""
        with self.lock:
            self._change_options(self.definitions.settings.with_options(options).with_options_fixed(options))

    def _change_options(self, settings: Settings) -> None:
        """Let other options hold, in the run as well; raises UserError for those that a run cannot change."""
        before, after, run = self.options, settings.options, self._run
        if run is not None:
            if after.name_param_separator != before.name_param_separator and run.open_count:
                raise UserError(
                    'name_param_separator cannot change while procs are scheduled', hint='wait for them first'
                )
            if after.mode != before.mode:
                raise UserError('mode cannot change once procs have been started', hint='set it first')
            run.set_options(after)
        self.definitions.set(settings)

    # --- scheduling and waiting --------------------------------------------------------------------------------

    def known(self, names: Iterable[str | Callable[..., object]]) -> list[str]:
        """Return the full names of what is named, creating procs from protos; raises UserError."""
        with self.lock:
            return self.definitions.known(names)

    def wanted(
        self, names: Sequence[str], *, only: bool = False, start: bool = False, again: bool = False, full: bool = False
    ) -> Wanted:
        """Return what scheduling procs means by now; takes and raises what :meth:`Scheduling.wanted` does."""
        if self._run is not None:
            return self._run.tasks.wanted(names, only=only, start=start, again=again, full=full)
        from parproc.engine.scheduling import Scheduling

        return Scheduling(self.definitions).wanted(names, only=only, start=start, again=again, full=full)

    def plan(self, targets: Sequence[str], *, only: bool = False) -> Plan:
        """Return what running ``targets`` would run, in order, without running it; raises UserError."""
        from parproc.engine.scheduling import Scheduling

        return Scheduling(self.definitions).plan(targets, only=only)

    def schedule(self, names: Sequence[str], *, start: bool = False, again: bool = False, full: bool = False) -> None:
        """Schedule procs and start what can be started; takes and raises what :meth:`wanted` does."""
        run, event = self._scheduled(names, start=start, again=again, full=full)
        if run is not None:
            self._pass_on_stop(run, run.engine.pump() if event is None else run.engine.want(event))

    def _scheduled(
        self, names: Sequence[str], *, start: bool = False, again: bool = False, full: bool = False
    ) -> tuple[Run | None, Wanted | None]:
        """Return the run, begun where this needs one, and what is new to it about procs that are to be scheduled."""
        with self.lock:
            event = self.wanted(names, start=start, again=again, full=full)
            if not (event.specs or event.injected or event.again or event.resolved):
                return self._run, None
            if self._run is not None and self._run.told.failed() and not self._run.told.untold():
                event = replace(event, forgiven=True)
            return self.running(), event

    def pump(self) -> None:
        """Take in whatever has happened in the run, without waiting."""
        if self._run is not None:
            self._pass_on_stop(self._run, self._run.engine.pump())

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
        run, event = (self._run, None) if names is None else self._scheduled(names)
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
            from parproc.control.signals import end_as_by

            run.engine.stop.take_signal()
            run.told.note(run.told.failed())
            end_as_by(number)

    def cancel(self, names: Sequence[str]) -> None:
        """End procs and what depends on them; does not wait for that."""
        if self._run is not None:
            self._pass_on_stop(self._run, self._run.engine.cancel(tuple(names)))

    def results_of(self, names: Sequence[str]) -> dict[str, object]:
        """Return name -> what the proc returned, None when it has not."""
        run = self._run
        return {name: None if run is None else run.result_of(name) for name in names}

    # --- telling of failures -----------------------------------------------------------------------------------

    def untold(self) -> list[str]:
        """Return the procs that failed and of which no exception has told yet."""
        return [] if self._run is None else self._run.told.untold()

    def note_told(self, names: Collection[str]) -> None:
        """Note that the program has been told of these failures."""
        if self._run is not None:
            self._run.told.note(names)

    def raised_for(self, names: Collection[str]) -> Collection[str]:
        """Return those of which :meth:`raise_for` would tell that they failed; none while ``names`` are not all over."""
        run = self._run
        if run is None or any(run.outcome_of(name) is None for name in names):
            return ()
        return run.told.told_with(names)

    def raise_for(self, names: Collection[str]) -> None:
        """Raise a ProcessError for those of ``names`` that failed; what it tells of is not told again by itself."""
        if self._run is None:
            return
        from parproc.engine.failure_error import failure_error

        with self.lock:
            self._run.told.note(names)
            error = failure_error(self._run, names)
        if error is not None:
            raise error

    # --- the run -----------------------------------------------------------------------------------------------

    def new_folder(self) -> RunFolder:
        """Return a folder for a run that is to begin; nothing is made on disk yet."""
        from parproc.store.run_folder import RunFolder

        return RunFolder(self.options.state_dir, self.options.name_param_separator)

    def running(self) -> Run:
        """Return the run that goes on, begun as a program's when there is none."""
        if self._run is None:
            let_go_of_inherited()
            self._run = self._new_run()
            note_exit_status()
        return self._run

    def _new_run(self) -> Run:
        if self._listener is not None:
            from parproc.engine.display import Display
            from parproc.engine.run import Run

            return Run(self.definitions, self.new_folder(), Display(self._listener), lock=self.lock)
        from parproc.engine.program_run import ProgramRun

        return ProgramRun(self.definitions, self.new_folder(), lock=self.lock, on_event=self._on_event)

    def begin(self, folder: RunFolder, display: Display, *, deadline: float | None) -> Run:
        """Begin a run of the command line, to which all children of this process belong; takes what :class:`Run` does."""
        from parproc.engine.run import Run

        let_go_of_inherited()
        self._run = run = Run(self.definitions, folder, display, lock=self.lock, deadline=deadline, exclusive=True)
        return run

    def shut(self, *, keep_logs: bool | None = None) -> None:
        """End the run, if there is one, and whatever runs in it; takes what :meth:`Run.close` does."""
        with self.lock:
            run, self._run = self._run, None
        if run is not None:
            run.close(keep_logs=keep_logs)

    def clear(self) -> None:
        """Forget what was declared, set and run. Options are what they were at first, but for those that are fixed."""
        self.shut()
        with self.lock:
            self.definitions.clear()

    def abandon_run(self) -> None:
        """Let go of the run, in a process that was forked from the one whose run it is; declarations stay."""
        self.process = os.getpid()
        self.lock = threading.RLock()
        run, self._run = self._run, None
        self._history = None
        if run is not None:
            run.abandon()
        let_go_of_inherited()
