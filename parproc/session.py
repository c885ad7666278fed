"""The public object: declaring procs and asking for them. All it knows stands in its workspace."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from parproc.context import Name, Names, flatten, inside_child, is_one_name
from parproc.declare import checks
from parproc.declare.declaration import make_declaration
from parproc.declare.fields import check_field
from parproc.declare.options import Options
from parproc.declare.origin import Origin
from parproc.engine import at_exit
from parproc.engine.workspace import Workspace
from parproc.errors import UserError
from parproc.host.interactive import is_interactive
from parproc.info import ProcInfo, ProtoInfo

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from parproc.declare.keywords import OptionKeywords, ProcKeywords, ProtoKeywords
    from parproc.engine.listener import Listener
    from parproc.run_events import RunEvent

Function = TypeVar('Function', bound=Callable[..., object])

INPUTS_HINT = 'declare some: inputs=["src/**/*.c"]'


class Session:
    """A registry of procs and what runs them. Two sessions do not meet.

    One session may be used by several threads. As a context manager it is closed at the end; one that is dropped is
    closed as well. In a process that is forked from the program it keeps its declarations, not its run.

    Args:
        listener: takes every announcement; None for what shows it as the options say.
        on_event: called with each event of :mod:`parproc.run_events`.
        options: values as for :meth:`set_options`: ``parallel``, ``mode``, ``dynamic``, ``output``,
            ``name_param_separator``, ``allow_missing_deps``, ``fail_fast``, ``task_db_path``, ``grace``, ``stop_grace``,
            ``state_dir``, ``full_log_on_failure``, ``log_ignore``.

    Raises:
        UserError: for an unknown option or a bad value, and for an ``on_event`` that is no function.

    Example:
        >>> with Session(parallel=2) as session:
        ...     @session.Proc('answer')
        ...     def answer(context):
        ...         return 42
        ...     session.wait('answer')
        42
    """

    def __init__(
        self,
        listener: Listener | None = None,
        *,
        on_event: Callable[[RunEvent], object] | None = None,
        **options: Unpack[OptionKeywords],
    ) -> None:
        if on_event is not None and not callable(on_event):
            raise checks.wrong('on_event', 'a function', on_event)
        self._workspace = Workspace(Options().updated(**options), listener, on_event)
        self._made_inside = inside_child()
        at_exit.watch_over(self._workspace)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self, getpid: Callable[[], int] = os.getpid) -> None:
        workspace = getattr(self, '_workspace', None)
        if workspace is not None and workspace.run is not None and workspace.process == getpid():
            workspace.shut()

    def close(self) -> None:
        """End what still runs and release everything: processes, descriptors, the folder of the logs.

        What was declared stays, and may be started again.
        """
        self._enter('close')
        self._workspace.shut()

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
            deps: what has to end well first: names, patterns, globs, functions, callables, ``NO_FAILURES``.
            rdeps: what it goes before: names, patterns, functions, ``WhenScheduled(…)``, ``WhenTargetScheduled(…)``.
            locks: names of locks that it holds while it runs, one holder each.
            now: schedule it as soon as it is declared; what a Proto makes, as soon as it is created.
            args: values for parameters of the function.
            timeout: seconds that one attempt may take, or text such as ``'5m'``; no limit by default.
            wave: a number; it starts only when no proc of a lower wave is wanted or running; 0 by default.
            retries: how many more attempts follow a failed one; 0 by default.
            retry_delay: seconds, or ``'30s'``, before the second attempt, doubled for each further one; 0 by default.
            inputs: files it reads, for :meth:`watch`: paths, globs, folders, callables that return paths.
            inputs_ignore: globs of files that are no inputs.
            log_ignore: regular expressions: lines of its log that are not shown.
            interactive: it has the terminal; only one such proc runs at a time.
            isolated: True: a process of its own in every mode; ``'fresh'``: a new interpreter.
            env: environment variables on top of the surrounding ones.
            cwd: the folder it runs in; the run's own by default.
            doc: what it does, in a sentence; the first paragraph of the function's docstring by default.
            replace: take the place of what was declared under this name, which else is an error.
            fields: those above, each described in full in :class:`parproc.declare.keywords.ProcKeywords`.

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
            arg_choices: argument -> the values it may have, or a callable that returns them.
            deps: what has to end well first: names, patterns, globs, functions, callables, ``NO_FAILURES``.
            rdeps: what it goes before: names, patterns, functions, ``WhenScheduled(…)``, ``WhenTargetScheduled(…)``.
            locks: names of locks that it holds while it runs, one holder each.
            now: schedule it as soon as it is declared; what a Proto makes, as soon as it is created.
            args: values for parameters of the function.
            timeout: seconds that one attempt may take, or text such as ``'5m'``; no limit by default.
            wave: a number; it starts only when no proc of a lower wave is wanted or running; 0 by default.
            retries: how many more attempts follow a failed one; 0 by default.
            retry_delay: seconds, or ``'30s'``, before the second attempt, doubled for each further one; 0 by default.
            inputs: files it reads, for :meth:`watch`: paths, globs, folders, callables that return paths.
            inputs_ignore: globs of files that are no inputs.
            log_ignore: regular expressions: lines of its log that are not shown.
            interactive: it has the terminal; only one such proc runs at a time.
            isolated: True: a process of its own in every mode; ``'fresh'``: a new interpreter.
            env: environment variables on top of the surrounding ones.
            cwd: the folder it runs in; the run's own by default.
            doc: what it does, in a sentence; the first paragraph of the function's docstring by default.
            replace: take the place of what was declared under this name, which else is an error.
            fields: those above, each described in full in :class:`parproc.declare.keywords.ProtoKeywords`.

        Returns:
            The function, unchanged.

        Raises:
            UserError: as for :meth:`Proc`, and for choices of what is none of its arguments.

        Example:
            >>> session = Session()
            >>> @session.Proto('build::[env]', arg_choices={'env': ['dev', 'prod']})
            ... def build(context, env: str):
            ...     return f'built {env}'
            >>> session.wait('build::prod')
            'built prod'
        """
        return self._declarer(name, f, fields, is_proto=True)

    def _declarer(self, name: Any, function: Any, fields: dict[str, Any], *, is_proto: bool) -> Any:
        self._enter('Proto' if is_proto else 'Proc')
        if callable(name) and function is None:
            name, function = None, name

        def declare(target: Function) -> Function:
            declaration = make_declaration(target, name, is_proto=is_proto, origin=self._origin(), **fields)
            self._workspace.declare(declaration, replacing=replacing or is_interactive())
            return target

        replacing = checks.flag(fields.pop('replace', None) or False, 'replace')
        if function is not None:
            return declare(function)
        if isinstance(name, str):
            for key, value in fields.items():  # now already: a decorator that is never applied says nothing later
                check_field(key, value, 'Proto' if is_proto else 'Proc', name)
        return declare

    def _origin(self) -> Origin:
        """Return the task file that is being loaded, with the separator that holds by now."""
        definitions = self._workspace.definitions
        origin = definitions.origin
        return replace(origin, separator=definitions.options.name_param_separator) if origin.scope else origin

    # --- making and starting -----------------------------------------------------------------------------------

    def create(self, name: Name, proc_name: str | None = None, /, **args: object) -> list[str]:
        """Create procs and return their names, without starting them.

        Args:
            name: a declared function, a proc's name, a filled-out proto name, a glob over choices, or a proto's pattern with ``args``.
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
        self._enter('create')
        return self._workspace.create(name, proc_name, args)

    def start(self, *names: Names, again: bool = False, full: bool = False) -> list[str]:
        """Schedule procs, with all they depend on, and start what can be started; does not block.

        One that failed runs again, with the failed procs among those it depends on. One that ended well runs again only
        if a param that it has read has another value now.

        Args:
            names: what :meth:`create` takes, or lists of it.
            again: run them even if they ended well.
            full: and all that they depend on as well.

        Returns:
            The full names.

        Raises:
            UserError: for an unknown name, a cycle, or a dependency in a higher wave; nothing was started.
        """
        self._enter('start', 'loading')
        created = self._workspace.known(flatten(names))
        self._start(created, again, full)
        return created

    def run(
        self, name: Name, proc_name: str | None = None, /, *, again: bool = False, full: bool = False, **args: object
    ) -> list[str]:
        """Create and start: :meth:`create` followed by :meth:`start`; takes and returns what these do."""
        self._enter('run', 'loading')
        created = self.create(name, proc_name, **args)
        self._start(created, again, full)
        return created

    def _start(self, names: list[str], again: bool, full: bool) -> None:
        again, full = checks.flag(again, 'again'), checks.flag(full, 'full')
        self._workspace.schedule(names, start=True, again=again or full, full=full)

    def wait(self, *names: Names, timeout: float | None = None) -> Any:
        """Block until these procs are over, starting those that are idle, and return their values.

        Args:
            names: what :meth:`create` takes, or lists of it.
            timeout: seconds to wait at most; None for any time.

        Returns:
            What the proc returned, where one argument was given and it is a function or a name without glob; else name
            -> value.

        Raises:
            ProcessError: when one of them failed; names each that failed by itself, its reason and its log.
            TimeoutError: when they are not over in time; they go on.
            UserError: for an unknown name.
            KeyboardInterrupt: when the run was stopped by Ctrl-C.
        """
        self._enter('wait', 'loading')
        limit = None if timeout is None else checks.seconds(timeout, 'timeout of wait')
        workspace = self._workspace
        created = workspace.known(flatten(names))
        workspace.wait(created, timeout=limit, raised=lambda: workspace.raised_for(created))
        workspace.raise_for(created)
        results = workspace.results_of(created)
        return results[created[0]] if is_one_name(names) else results

    def wait_for_all(self, exception_on_failure: bool = True) -> bool:
        """Block until everything that was scheduled is over.

        Args:
            exception_on_failure: raise when a proc failed, rather than return False.

        Returns:
            True when no proc failed, but for those of which :meth:`wait` or this has told already.

        Raises:
            ProcessError: when a proc failed; names each that failed by itself, its reason and its log.
            KeyboardInterrupt: when the run was stopped by Ctrl-C.
        """
        self._enter('wait_for_all', 'loading')
        workspace = self._workspace
        workspace.wait(None, raised=workspace.untold if exception_on_failure else None)
        failed = workspace.untold()
        if exception_on_failure:
            workspace.raise_for(failed)
        workspace.note_told(failed)
        return not failed

    def cancel(self, *names: Names) -> None:
        """End procs, and what depends on them: they are FAILED, with the reason ``cancelled``. Does not wait for that.

        Args:
            names: what :meth:`create` takes, or lists of it; what is not scheduled, or is over, stays as it is.

        Raises:
            UserError: for an unknown name.
        """
        self._enter('cancel')
        self._workspace.cancel(self._workspace.known(flatten(names)))

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
        self._enter('watch', 'loading')
        workspace = self._workspace
        created = workspace.known(flatten(names))
        catalog = workspace.catalog
        declared = (*catalog.protos.values(), *(task.declaration for task in catalog.procs.values()))
        if not any(declaration.inputs for declaration in declared):
            raise UserError('no proc has inputs, so there is nothing to watch', hint=INPUTS_HINT)
        workspace.schedule(created)
        run = workspace.running()
        from parproc.engine.watch_loop import WatchLoop

        watching = WatchLoop(run.engine, run.tasks.inputs)
        try:
            watching.look_around()
            while True:
                workspace.wait(None)
                if (on_settled is not None and on_settled() is False) or not run.is_alive:
                    return
                watching.look_around()
                if watching.is_idle:
                    raise UserError('none of these procs has inputs, so nothing can change', hint=INPUTS_HINT)
                run.engine.idle()
        finally:
            watching.close()

    def results(self) -> dict[str, Any]:
        """Return name -> value of every proc that ran: None for one that failed, absent for one that never did.

        A value that cannot be read in this process is None too, and one line says so.
        """
        self._enter('results')
        run = self._workspace.run
        if run is None:
            return {}
        self._workspace.pump()
        return {name: run.readable_result_of(name) for name in run.ran()}

    def set_params(self, **params: object) -> None:
        """Set parameters of the run, seen as ``context.params``; those given on the command line stay."""
        self._enter('set_params')
        self._workspace.set_params(params)

    def set_options(self, **options: Unpack[OptionKeywords]) -> None:
        """Change options; ``None`` leaves one as it is, but where it is the default.

        Args:
            parallel: how many procs run at once; 100 by default.
            mode: ``'mp'`` for child processes, the default; ``'single'`` for functions in this one, for a debugger.
            dynamic: the board: True on any terminal, False never; None, the default, decides by the terminal.
            output: how a run is shown, as ``--output``: ``'auto'``, ``'plain'``, ``'quiet'`` and others.
            name_param_separator: what stands between the segments of a name; ``'::'`` by default.
            allow_missing_deps: wait for a dependency that is not declared yet; True by default.
            fail_fast: start nothing new after a failure; False by default.
            task_db_path: the file with the history; None, the default, for that of the state folder.
            grace: seconds, or ``'2s'``, from SIGTERM to SIGKILL for a proc out of time; 5 by default.
            stop_grace: the same for a run that is stopped; 10 by default.
            state_dir: the folder for logs and large results; None, the default, for a temporary one.
            full_log_on_failure: show a failed proc's whole log; False by default.
            log_ignore: regular expressions: lines of logs that are not shown.
            options: those above, each described in full in :class:`parproc.declare.keywords.OptionKeywords`.

        Raises:
            UserError: for an unknown option or a bad value, and for a mode or separator that cannot change any more;
                nothing was changed.

        Example:
            >>> Session().set_options(parallel=8, fail_fast=True, grace='2s')
        """
        self._enter('set_options')
        self._workspace.set_options(options)

    def get_procs(self) -> dict[str, ProcInfo]:
        """Return name -> what is known of the proc, for every proc declared or created."""
        self._enter('get_procs')
        workspace = self._workspace
        workspace.pump()
        with workspace.lock:
            return {name: ProcInfo(workspace, task) for name, task in workspace.catalog.procs.items()}

    def get_protos(self) -> dict[str, ProtoInfo]:
        """Return pattern -> what is known of the proto, for every proto."""
        self._enter('get_protos')
        workspace = self._workspace
        with workspace.lock:
            catalog = workspace.catalog
            return {pattern: ProtoInfo(catalog.family(pattern), workspace.params) for pattern in catalog.protos}

    def clear(self) -> None:
        """Forget every proc, proto, param and result; what still runs is ended. Options are what they were at first.

        Those that the command line or a TOML file set stay.
        """
        self._enter('clear')
        self._workspace.clear()

    def wait_clear(self, exception_on_failure: bool = False) -> bool:
        """Wait for everything, then :meth:`clear`; returns, and raises if told to, what :meth:`wait_for_all` does."""
        try:
            return self.wait_for_all(exception_on_failure)
        finally:
            self.clear()

    # --- inside ------------------------------------------------------------------------------------------------

    def _enter(self, what: str, *but_while: str) -> None:
        """See to it that this may be asked here: not of a running proc, nor, for some, while a task file is loaded."""
        forked = self._workspace.process != os.getpid()
        if inside_child() and (forked or not self._works_inside()):
            raise UserError(
                f'parproc.{what} was called inside a running proc', hint=f'use context.{what}, if there is one'
            )
        if forked:
            self._workspace.abandon_run()
            at_exit.watch_over(self._workspace)
        if but_while and self._workspace.definitions.is_loading:
            raise UserError(
                f'parproc.{what} was called while the task file is loaded',
                hint="guard it with: if __name__ == '__main__':",
            )

    def _works_inside(self) -> bool:
        """Return whether this may be used in a running proc: that one has made it for itself."""
        return self._made_inside


def workspace_of(session: Session) -> Workspace:
    """Return what a session knows, for the rooms of parproc above it."""
    return session._workspace
