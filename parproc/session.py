"""The composition root: options and declarations in, a wired engine out. The only place that picks classes."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from parproc import checks, registry
from parproc.catalog import Catalog
from parproc.context import inside_child
from parproc.core.model import GOOD, NEVER_RAN, ErrorKind, ProcState
from parproc.errors import ProcessError, UserError
from parproc.info import ProcInfo, ProtoInfo
from parproc.options import Options

if TYPE_CHECKING:  # what runs procs is imported when procs are run: a list needs none of it
    import selectors

    from typing_extensions import Unpack

    from parproc.core.events import Announcement
    from parproc.core.machine import Machine
    from parproc.core.plan import Plan
    from parproc.core.view import Message
    from parproc.engine.loop import Engine, Listener
    from parproc.engine.task_source import TaskSource
    from parproc.exec.protocol import Executor, Report
    from parproc.keywords import OptionKeywords, ProcKeywords, ProtoKeywords
    from parproc.store.history import History
    from parproc.store.runs import RunFolder
    from parproc.values import EncodedResult

Function = TypeVar('Function', bound=Callable[..., object])
Names = str | Iterable[str]


INPUTS_HINT = 'declare some: inputs=["src/**/*.c"]'


class Silent:
    """A listener for programs that look at nothing while they run."""

    def handle(self, message: Announcement | Message) -> None:
        """Take no notice."""

    def tick(self, now: float) -> None:
        """Take no notice."""

    def next_tick(self, now: float) -> float | None:
        """Return None: nothing is due."""

    def step_aside(self, away: bool) -> None:
        """Take no notice."""

    def wants_keys(self) -> bool:
        """Return False: nobody looks."""
        return False

    def press(self, key: str) -> None:
        """Take no notice."""

    def show_state(self, now: float) -> None:
        """Take no notice."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run of the command line ended.

    Args:
        exit_code: 0 all good, 1 a proc failed, 3 a knot, 124 out of time.
        signal: the signal that stopped the run, None when none did.
        output_closed: nobody read the output any more.
        results: what the procs returned that were asked for, as far as they ended well.
    """

    exit_code: int
    signal: int | None = None
    output_closed: bool = False
    results: Mapping[str, object] = field(default_factory=dict)


class Session:
    """A registry of procs and the engine that runs them. Two sessions do not meet.

    Args:
        listener: takes every announcement; None for a silent one.
        options: values as for :meth:`set_options`.

    Example:
        >>> session = Session(parallel=2)
        >>> @session.Proc('answer')
        ... def answer(context):
        ...     return 42
        >>> session.run('answer')
        ['answer']
        >>> session.wait('answer')
        >>> session.results()
        {'answer': 42}
    """

    def __init__(self, listener: Listener | None = None, **options: Unpack[OptionKeywords]) -> None:
        self.options = self.defaults = Options().updated(**options)
        self.params: dict[str, object] = {}
        self.fixed_params: frozenset[str] = frozenset()
        self.fixed_options: frozenset[str] = frozenset()
        self.extra_args: tuple[str, ...] = ()
        self.task_environment: dict[str, str] = {}
        self.terminal_reset = b''
        self.loading = False
        self.origin = registry.ROOT
        self.now: list[str] = []
        self.listener: Listener = listener or Silent()
        self.catalog = Catalog(self.options.name_param_separator)
        self._folder: RunFolder | None = None
        self._history: History | None = None
        self.usual: dict[str, float] = {}
        self._engine: Engine | None = None
        self._exclusive = False
        self._asked: TaskSource | None = None
        self._wall_offset = time.time() - time.monotonic()
        self._process = os.getpid()

    # --- declaring ---------------------------------------------------------------------------------------------

    @overload
    def Proc(self, name: Function, /) -> Function: ...
    @overload
    def Proc(self, name: str | None, f: Function, **fields: Unpack[ProcKeywords]) -> Function: ...
    @overload
    def Proc(self, name: str | None = None, *, f: Function, **fields: Unpack[ProcKeywords]) -> Function: ...
    @overload
    def Proc(self, name: str | None = None, **fields: Unpack[ProcKeywords]) -> Callable[[Function], Function]: ...
    def Proc(self, name: Any = None, f: Any = None, **fields: Any) -> Any:  # noqa: N802
        """Declare a proc: one named unit of work. Use as a decorator or with the function as second argument.

        Args:
            name: the proc's name; the function's own when left out.
            f: called with a :class:`ProcContext` and the proc's arguments, in a child process.
            fields: see :class:`parproc.keywords.ProcKeywords`.

        Returns:
            The function, unchanged.

        Raises:
            UserError: for a name declared before, unless it is to be replaced, a field that is unknown or of the wrong
                type, or a dependency with a placeholder that nothing fills.

        Example:
            >>> session = Session()
            >>> @session.Proc('test', deps=['build'], timeout='5m')
            ... def test(context):
            ...     return context.results['build']
        """
        return self._declarer(name, f, fields, is_proto=False)

    @overload
    def Proto(self, name: Function, /) -> Function: ...
    @overload
    def Proto(self, name: str | None, f: Function, **fields: Unpack[ProtoKeywords]) -> Function: ...
    @overload
    def Proto(self, name: str | None = None, *, f: Function, **fields: Unpack[ProtoKeywords]) -> Function: ...
    @overload
    def Proto(self, name: str | None = None, **fields: Unpack[ProtoKeywords]) -> Callable[[Function], Function]: ...
    def Proto(self, name: Any = None, f: Any = None, **fields: Any) -> Any:  # noqa: N802
        """Declare a family of procs, ``build::[env]``; each filled-out name is a proc.

        Args:
            name: pattern with ``[placeholder]`` segments, each a parameter of the function.
            f: called with a :class:`ProcContext` and the arguments read from the filled-out name.
            fields: see :class:`parproc.keywords.ProtoKeywords`.

        Returns:
            The function, unchanged.

        Raises:
            UserError: as for :meth:`Proc`.
        """
        return self._declarer(name, f, fields, is_proto=True)

    def _declarer(self, name: Any, function: Any, fields: dict[str, Any], *, is_proto: bool) -> Any:
        self._refuse_in_child('Proto' if is_proto else 'Proc')
        if callable(name) and function is None:
            name, function = None, name

        def declare(target: Function) -> Function:
            declaration = registry.declare(target, name, is_proto=is_proto, origin=self._origin(), **fields)
            dropped = self.catalog.declare(declaration, replace=replacing)
            self.now = [due for due in self.now if due not in dropped]
            self._on_now()
            return target

        replacing = checks.flag(fields.pop('replace', None) or False, 'replace')
        return declare if function is None else declare(function)

    def _origin(self) -> registry.Origin:
        """Return the task file that is being loaded, with the separator that holds by now."""
        origin = self.origin
        return replace(origin, separator=self.options.name_param_separator) if origin.scope else origin

    def _on_now(self) -> None:
        """Schedule what was declared or created with ``now=True``; while a task file is loaded, only remember it."""
        names = self.catalog.take_now()
        self.now += names
        if names and not self.loading:
            self._schedule(names)

    # --- making and starting -----------------------------------------------------------------------------------

    def create(self, name: str, proc_name: str | None = None, /, **args: object) -> list[str]:
        """Create procs and return their names, without starting them.

        Args:
            name: a proc's name, a filled-out proto name, a glob over choices, or a proto's pattern with ``args``.
            proc_name: what to call the created proc, instead of the filled-out name.
            args: values for the proto's placeholders.

        Returns:
            The names, several for a glob. Creating what exists already gives the same names again.

        Raises:
            UserError: for an unknown name or a value that is not allowed or does not cast.

        Example:
            >>> session = Session()
            >>> session.Proto('build::[env]', lambda context, env: env, arg_choices={'env': ['dev', 'prod']})
            <function <lambda> at ...>
            >>> session.create('build::*')
            ['build::dev', 'build::prod']
        """
        self._refuse_in_child('create')
        created = self.catalog.create(name, proc_name, args, self.params)
        self._on_now()
        return created

    def start(self, *names: Names) -> list[str]:
        """Schedule procs, with all they depend on, and start what can be started; does not block.

        Args:
            names: what :meth:`create` takes, or lists of it.

        Returns:
            The full names.

        Raises:
            UserError: for an unknown name, a cycle, or a dependency in a higher wave; nothing was started.
        """
        self._refuse_in_child('start')
        self._refuse_while_loading('start')
        created = self._known(flatten(names))
        self._schedule(created)
        return created

    def run(self, name: str, proc_name: str | None = None, /, **args: object) -> list[str]:
        """Create and start: :meth:`create` followed by :meth:`start`."""
        self._refuse_in_child('run')
        self._refuse_while_loading('run')
        created = self.create(name, proc_name, **args)
        self._schedule(created)
        return created

    def wait(self, *names: Names) -> None:
        """Block until these procs are over, starting those that are idle.

        Args:
            names: what :meth:`create` takes, or lists of it.

        Raises:
            ProcessError: when one of them failed; names each, its reason and its log.
            UserError: for an unknown name.
            KeyboardInterrupt: when the run was stopped by Ctrl-C.
        """
        self._refuse_in_child('wait')
        self._refuse_while_loading('wait')
        created = self._known(flatten(names))
        self._schedule(created)
        self._block(created)
        self._raise_for(created)

    def wait_for_all(self, exception_on_failure: bool = True) -> bool:
        """Block until everything that was scheduled is over.

        Args:
            exception_on_failure: raise when a proc failed, rather than return False.

        Returns:
            True when no proc failed.

        Raises:
            ProcessError: when a proc failed; names each, its reason and its log.
            KeyboardInterrupt: when the run was stopped by Ctrl-C.
        """
        self._refuse_in_child('wait_for_all')
        self._refuse_while_loading('wait_for_all')
        self._block(None)
        if exception_on_failure:
            self._raise_for(None)
        return not self.failed()

    def watch(self, *names: Names, on_settled: Callable[[], object] | None = None) -> None:
        """Run procs, and run again whatever is affected when files change, until told to stop.

        A proc is affected when a file that it declares in ``inputs`` has changed since it was started, or when a proc
        that it depends on, or has waited for, is. A proc that is running then runs again when it has ended, and its
        dependents wait for that. A change of many files at once counts as one.

        Args:
            names: what :meth:`create` takes, or lists of it. All that was scheduled before is watched as well.
            on_settled: called each time everything is over; the watching ends when it returns False.

        Raises:
            UserError: for an unknown name, or when no proc there is has ``inputs``.
            KeyboardInterrupt: when it was stopped by Ctrl-C.

        Example:
            >>> session = Session()
            >>> session.Proc('count', lambda context: len(open('README.md').read()), inputs=['README.md'])
            <function <lambda> at ...>
            >>> session.watch('count', on_settled=lambda: print(session.results()) or False)
            {'count': ...}
        """
        self._refuse_in_child('watch')
        self._refuse_while_loading('watch')
        created = self._known(flatten(names))
        declared = (*self.catalog.protos.values(), *(task.declaration for task in self.catalog.procs.values()))
        if not any(declaration.inputs for declaration in declared):
            raise UserError('no proc has inputs, so there is nothing to watch', hint=INPUTS_HINT)
        self._schedule(created)
        engine = self._wired()
        from parproc.engine.watch_loop import WatchLoop

        watching = WatchLoop(engine, self._tasks.inputs)
        try:
            watching.look_around()
            while True:
                self._block(None)
                if (on_settled is not None and on_settled() is False) or engine is not self._engine:
                    return
                watching.look_around()
                if watching.is_idle:
                    raise UserError('none of these procs has inputs, so nothing can change', hint=INPUTS_HINT)
                engine.idle()
        finally:
            watching.close()

    def results(self) -> dict[str, object]:
        """Return name -> value of every proc that ran: None for one that failed, absent for one that never did."""
        self._refuse_in_child('results')
        if self._engine is None:
            return {}
        self._engine.pump()
        return {
            name: self.result_of(name)
            for name, task in self._engine.machine.tasks.items()
            if task.outcome is not None and task.outcome.error not in NEVER_RAN
        }

    def set_params(self, **params: object) -> None:
        """Set parameters of the run, seen as ``context.params``; those given on the command line stay."""
        self._refuse_in_child('set_params')
        self.params.update({name: value for name, value in params.items() if name not in self.fixed_params})

    def set_options(self, **options: Unpack[OptionKeywords]) -> None:
        """Change options; see :class:`parproc.keywords.OptionKeywords` for what there is.

        Raises:
            UserError: for an unknown option or a bad value; nothing was changed.
        """
        self._refuse_in_child('set_options')
        updated = self.options.updated(**options)
        kept = {name: getattr(self.options, name) for name in options if name in self.fixed_options}
        updated = updated.updated(**kept)
        separator = updated.name_param_separator
        if separator != self.options.name_param_separator and self._is_busy():
            raise UserError('name_param_separator cannot change while procs are scheduled', hint='wait for them first')
        if self._engine is not None:
            if updated.mode != self.options.mode:
                raise UserError('mode cannot change once procs have been started', hint='set it first')
            machine = self._engine.machine
            machine.resize(updated.parallel)
            machine.fail_fast = updated.fail_fast
            machine.grace = updated.grace
            machine.stop_grace = updated.stop_grace
        self.options = updated
        self.catalog.separator = separator

    def _is_busy(self) -> bool:
        tasks = () if self._engine is None else self._engine.machine.tasks.values()
        return any(task.outcome is None for task in tasks)

    def get_procs(self) -> dict[str, ProcInfo]:
        """Return name -> what is known of the proc, for every proc declared or created."""
        self._refuse_in_child('get_procs')
        if self._engine is not None:
            self._engine.pump()
        return {name: ProcInfo(self, task) for name, task in self.catalog.procs.items()}

    def get_protos(self) -> dict[str, ProtoInfo]:
        """Return pattern -> what is known of the proto, for every proto."""
        self._refuse_in_child('get_protos')
        return {pattern: ProtoInfo(self.catalog.family(pattern), self.params) for pattern in self.catalog.protos}

    def clear(self) -> None:
        """Forget every proc, proto, param and result; what still runs is stopped. Options are what they were at first.

        Those that the command line or a TOML file set stay.
        """
        self._refuse_in_child('clear')
        self._shut()
        self.options = replace(self.defaults, **{name: getattr(self.options, name) for name in self.fixed_options})
        self.catalog = Catalog(self.options.name_param_separator)
        self.params = {}
        self.now = []

    def wait_clear(self, exception_on_failure: bool = False) -> bool:
        """Wait for everything, then :meth:`clear`; returns, and raises if told to, what :meth:`wait_for_all` does."""
        try:
            return self.wait_for_all(exception_on_failure)
        finally:
            self.clear()

    # --- for the command line ----------------------------------------------------------------------------------

    def plan(self, targets: Sequence[str], *, only: bool = False) -> Plan:
        """Return what running ``targets`` would run, in order, without running it; raises as :meth:`start`."""
        return self._tasks.prepare(list(targets), only=only)[0]

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
        from parproc.core.view import RunBegan, RunEnded, Warned

        plan, injected = self._tasks.prepare(list(targets), only=only)
        history = self.history
        if history is not None:
            self.usual = history.expected(spec.name for spec in plan.order)
        order = tuple(
            replace(spec, expected=self.usual[spec.name]) if spec.name in self.usual else spec for spec in plan.order
        )
        self.listener = listener(len(order))
        self._exclusive = True
        engine = self._wired()
        if timeout is not None:
            engine.deadline = time.monotonic() + timeout
        folder = self.folder
        logs = folder.logs
        parallel, total = self.options.parallel, len(plan.order)
        now, again = time.monotonic(), tuple(rerun)
        planned = tuple(spec.name for spec in order)
        asked = tuple(targets)
        engine.tell(RunBegan(folder.run_id, asked, logs, parallel, total, now, planned, again, self.extra_args))
        if folder.warning is not None:
            engine.tell(Warned(folder.warning))
        try:
            with engine.signals:
                engine.want(order, injected)
                engine.run()
        except BaseException:
            self.listener.step_aside(True)  # whatever is said now is said on a clean terminal
            raise
        code = self._exit_code(engine)
        engine.tell(RunEnded(code, time.monotonic()))
        if history is not None:
            history.close()
            if history.warning is not None:
                engine.tell(Warned(history.warning))
        outcomes = {name: self.outcome_of(name) for name in wanted}
        results = {name: self.result_of(name) for name, outcome in outcomes.items() if outcome and not outcome.error}
        self._shut(keep_logs=bool(code))
        return RunOutcome(code, engine.stop_signal, engine.output_closed, results)

    def failed(self) -> list[str]:
        """Return the names of the procs that failed, in the order in which they were scheduled."""
        if self._engine is None:
            return []
        tasks = self._engine.machine.tasks
        return [name for name, task in tasks.items() if task.outcome and task.outcome.state is ProcState.FAILED]

    def _exit_code(self, engine: Engine) -> int:
        if engine.timed_out:
            return 124
        errors = {task.outcome.error for task in engine.machine.tasks.values() if task.outcome is not None}
        if ErrorKind.KNOT in errors:
            return 3
        return 1 if errors - {None} else 0

    # --- what ProcInfo reads -----------------------------------------------------------------------------------

    def state_of(self, name: str) -> ProcState | None:
        """Return a proc's state, None when it was never scheduled."""
        return None if self._engine is None else self._engine.machine.state_of(name)

    def outcome_of(self, name: str) -> Any:
        """Return how a proc ended, None while it has not."""
        task = None if self._engine is None else self._engine.machine.tasks.get(name)
        return None if task is None else task.outcome

    def result_of(self, name: str) -> object:
        """Return what a proc returned, None when it has not."""
        encoded = None if self._engine is None else self._engine.results.get(name)
        if encoded is None:
            return None
        from parproc.values import decode

        return decode(encoded)

    def log_of(self, name: str) -> str | None:
        """Return the path of a proc's log, None when it never ran, or its output went to the terminal."""
        task = None if self._engine is None or self._engine.machine.inline else self._engine.machine.tasks.get(name)
        return self.folder.log_path(name) if task is not None and task.attempt else None

    def times_of(self, name: str) -> tuple[float | None, float | None]:
        """Return when a proc's last attempt started and when it ended, in seconds since the epoch."""
        task = None if self._engine is None else self._engine.machine.tasks.get(name)
        if self._engine is None or task is None or task.started is None:
            return None, None
        end = self._engine.ends.get(name)
        return task.started + self._wall_offset, None if end is None else end + self._wall_offset

    def deps_of(self, name: str) -> tuple[str, ...]:
        """Return what a scheduled proc depends on."""
        task = None if self._engine is None else self._engine.machine.tasks.get(name)
        return () if task is None else task.deps

    def process_of(self, name: str) -> int | None:
        """Return the process that runs a proc, None where there is none."""
        return None

    # --- inside ------------------------------------------------------------------------------------------------

    @property
    def _tasks(self) -> TaskSource:
        if self._asked is None:
            from parproc.engine.task_source import TaskSource

            self._asked = TaskSource(self)
        return self._asked

    @property
    def folder(self) -> RunFolder:
        """Where this session keeps logs and large results; made when first needed."""
        if self._folder is None:
            from parproc.store.runs import RunFolder

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

            self._history = History(path)
        return self._history

    @property
    def machine(self) -> Machine | None:
        """The scheduler of what was scheduled so far; None before anything was."""
        return None if self._engine is None else self._engine.machine

    @property
    def encoded(self) -> Mapping[str, EncodedResult]:
        """Name -> result, as it travels, of the procs that have ended well."""
        return {} if self._engine is None else self._engine.results

    def _known(self, names: Iterable[str]) -> list[str]:
        known: dict[str, None] = {}
        for name in names:
            known.update(dict.fromkeys(self.catalog.create(name, None, {}, self.params)))
        return list(known)

    def _schedule(self, names: Sequence[str]) -> None:
        plan, injected = self._tasks.prepare(names)
        if plan.order or injected:
            self._wired().want(plan.order, injected)
        elif self._engine is not None:
            self._engine.pump()

    def _wired(self) -> Engine:
        if self._engine is None:
            from parproc.core.machine import Machine
            from parproc.engine.loop import Engine

            options = self.options
            machine = Machine(
                parallel=1 if options.mode == 'single' else options.parallel,
                grace=options.grace,
                stop_grace=options.stop_grace,
                fail_fast=options.fail_fast,
                inline=options.mode == 'single',
            )
            self._engine = Engine(machine, self._tasks, self._executor, self.listener)
            atexit.register(self._at_exit)
        return self._engine

    def _executor(self, selector: selectors.BaseSelector, post: Callable[[Report], None]) -> Executor:
        def processes() -> Executor:
            from parproc.exec.processes import ProcessExecutor

            return ProcessExecutor(
                selector, post, run_id=self.folder.run_id, exclusive=self._exclusive, reset=self.terminal_reset
            )

        if self.options.mode != 'single':
            return processes()
        from parproc.exec.inprocess import InProcessExecutor, SingleExecutor

        return SingleExecutor(InProcessExecutor(post, lambda *asked: self._wired().ask_inline(*asked)), processes)

    def _block(self, names: list[str] | None) -> None:
        if self._engine is None:
            return
        engine = self._engine
        engine.run(names)
        if engine.stop_signal is not None:
            number, engine.stop_signal = engine.stop_signal, None
            stopped_by(number)

    def _raise_for(self, names: list[str] | None) -> None:
        chosen = self.failed() if names is None else names
        failures: dict[str, str] = {}
        lines = []
        for name in chosen:
            outcome = self.outcome_of(name)
            if outcome is not None and outcome.state not in GOOD:
                failures[name] = outcome.reason
                log = self.log_of(name)
                lines.append(f'"{name}" failed: {outcome.reason}' + (f' (log: {log})' if log else ''))
        if failures:
            raise ProcessError('; '.join(lines), failures=failures)

    def _shut(self, *, keep_logs: bool | None = None) -> None:
        if self._engine is not None:
            atexit.unregister(self._at_exit)
            keep = bool(self.failed()) if keep_logs is None else keep_logs
            self._engine.close()
            self._engine = None
            if self._folder is not None:
                self._folder.close(failed=keep)
                self._folder = None

    def _at_exit(self) -> None:
        if os.getpid() == self._process:
            self._shut()

    def _refuse_in_child(self, what: str) -> None:
        if inside_child():
            raise UserError(
                f'parproc.{what} was called inside a running proc', hint=f'use context.{what}, if there is one'
            )

    def _refuse_while_loading(self, what: str) -> None:
        if self.loading:
            raise UserError(
                f'parproc.{what} was called while the task file is loaded',
                hint="guard it with: if __name__ == '__main__':",
            )


def flatten(names: Iterable[Names]) -> Iterator[str]:
    """Yield every name of names and lists of names."""
    for name in names:
        if isinstance(name, str):
            yield name
        elif isinstance(name, Iterable):
            yield from flatten(name)
        else:
            raise UserError(f'a proc name is text, not {name!r}')


def stopped_by(number: int) -> None:
    """Let a program end as the signal that stopped its run would have ended it."""
    import signal

    from parproc.control.signals import die_by

    if number == signal.SIGINT:
        raise KeyboardInterrupt
    die_by(number)
