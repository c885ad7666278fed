"""What a program may know of a proc, read from its session whenever it is looked at, and of a proto."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from parproc.catalog.bound_proc import BoundProc
from parproc.catalog.proto import ProtoFamily
from parproc.core.model import ErrorKind, Outcome, ProcState
from parproc.declare.dependency_kinds import WhenScheduled, WhenTargetScheduled
from parproc.declare.log_filters import IgnoredLines

if TYPE_CHECKING:
    from parproc.engine.run import Run
    from parproc.engine.workspace import Workspace


class ProcInfo:
    """What is known of one proc.

    Its state is read from the session whenever it is asked; after :func:`parproc.clear`, or once another proc has
    taken its name, nothing is known of that any more. What it was declared with stays.
    """

    __slots__ = ('_locks', '_proc', '_workspace')

    def __init__(self, workspace: Workspace, proc: BoundProc) -> None:
        self._workspace = workspace
        self._proc = proc
        self._locks = workspace.catalog.locks_of(proc)

    @property
    def _run(self) -> Run | None:
        """The run that may know of the proc; None before there is one, or when the session does not know it any more."""
        workspace = self._workspace
        return workspace.run if workspace.catalog.procs.get(self.name) is self._proc else None

    @property
    def name(self) -> str:
        """Its full name."""
        return self._proc.name

    @property
    def proto(self) -> str | None:
        """The name of the Proto that it was created from, None for a Proc."""
        declaration = self._proc.declaration
        return declaration.name if declaration.is_proto else None

    @property
    def state(self) -> ProcState:
        """Where the proc is in its life."""
        run = self._run
        return (None if run is None else run.state_of(self.name)) or ProcState.IDLE

    def is_running(self) -> bool:
        """Return whether it is running now."""
        return self.state is ProcState.RUNNING

    def is_complete(self) -> bool:
        """Return whether it is over, however it ended."""
        return self.state.is_over

    def is_failed(self) -> bool:
        """Return whether it is over and failed."""
        return self.state is ProcState.FAILED

    @property
    def process(self) -> int | None:
        """The id of the process that runs it, None while none does."""
        run = self._run
        return None if run is None else run.process_of(self.name)

    @property
    def _outcome(self) -> Outcome | None:
        """How it ended, None while it has not."""
        run = self._run
        return None if run is None else run.outcome_of(self.name)

    @property
    def error(self) -> ErrorKind | None:
        """Why it failed, None when it did not."""
        outcome = self._outcome
        return None if outcome is None else outcome.error

    @property
    def more_info(self) -> str:
        """One line on how it ended: ``ValueError: …``, ``killed by SIGKILL``; empty on success."""
        outcome = self._outcome
        return '' if outcome is None else outcome.reason

    @property
    def result(self) -> Any:
        """What it returned, None when it has not."""
        run = self._run
        return None if run is None else run.result_of(self.name)

    @property
    def log_filename(self) -> str | None:
        """The file with its output, None when it never ran, or its output went to the terminal."""
        run = self._run
        return None if run is None else run.log_of(self.name)

    @property
    def start_time(self) -> float | None:
        """When its last attempt started, in seconds since the epoch."""
        run = self._run
        return None if run is None else run.times_of(self.name)[0]

    @property
    def end_time(self) -> float | None:
        """When it ended, in seconds since the epoch."""
        run = self._run
        return None if run is None else run.times_of(self.name)[1]

    @property
    def deps(self) -> tuple[str, ...]:
        """The names it depends on, with injected ones; empty before it is scheduled."""
        run = self._run
        return () if run is None else run.deps_of(self.name)

    @property
    def args(self) -> Mapping[str, Any]:
        """Its arguments, cast."""
        return MappingProxyType(dict(self._proc.args))

    @property
    def rdeps(self) -> tuple[str | WhenScheduled | WhenTargetScheduled, ...]:
        """What it goes before, as declared; a declared function as the name of its proc."""
        return self._proc.declaration.goes_before()

    @property
    def locks(self) -> tuple[str, ...]:
        """The names of the locks it holds while it runs."""
        return self._locks

    @property
    def timeout(self) -> float | None:
        """Seconds that one attempt may take, None for any."""
        return self._proc.declaration.timeout

    @property
    def wave(self) -> int:
        """It starts only when no proc of a lower wave is wanted or running."""
        return self._proc.declaration.wave

    @property
    def log_ignore(self) -> IgnoredLines:
        """Lines of its log that are not shown, beside those of the option."""
        return self._proc.declaration.log_ignore

    def __repr__(self) -> str:
        return f'<ProcInfo {self.name!r} {self.state.value}>'


class ProtoInfo:
    """What a Proto was declared with.

    Example:
        >>> import parproc
        >>> session = parproc.Session()
        >>> session.Proto('build::[env]', lambda context, env: env, arg_choices={'env': ['dev', 'prod']})
        <function <lambda> at ...>
        >>> session.get_protos()
        {'build::[env]': <ProtoInfo 'build::[env]'>}
        >>> session.get_protos()['build::[env]'].choices
        {'env': ['dev', 'prod']}
    """

    __slots__ = ('_family', '_params')

    def __init__(self, family: ProtoFamily, params: Mapping[str, object]) -> None:
        self._family = family
        self._params = params

    @property
    def name(self) -> str:
        """Its name, as declared."""
        return self._family.declaration.name

    @property
    def pattern(self) -> str:
        """What its procs are called, with a ``[placeholder]`` for each argument that its name takes."""
        return self._family.pattern.text

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The arguments that stand in the names of its procs, in their order there."""
        return self._family.pattern.placeholders

    @property
    def choices(self) -> dict[str, list[str] | None]:
        """Placeholder -> the texts it may have, None for any; raises UserError when a callable among them fails."""
        return self._family.choices(self._params)

    @property
    def args(self) -> Mapping[str, Any]:
        """The values it declares for parameters of its function, as written."""
        return MappingProxyType(dict(self._family.declaration.args))

    @property
    def deps(self) -> tuple[Any, ...]:
        """What its procs depend on, as declared: names, patterns, globs, callables, ``NO_FAILURES``."""
        return self._family.declaration.deps

    @property
    def rdeps(self) -> tuple[str | WhenScheduled | WhenTargetScheduled, ...]:
        """What its procs go before, as declared; a declared function as the name of its proc."""
        return self._family.declaration.goes_before()

    @property
    def locks(self) -> tuple[str, ...]:
        """The names of the locks that its procs hold, with placeholders."""
        return self._family.declaration.locks

    @property
    def now(self) -> bool:
        """Whether its procs are scheduled as soon as they are created."""
        return self._family.declaration.now

    @property
    def timeout(self) -> float | None:
        """Seconds that one attempt may take, None for any."""
        return self._family.declaration.timeout

    @property
    def wave(self) -> int:
        """Its procs start only when no proc of a lower wave is wanted or running."""
        return self._family.declaration.wave

    @property
    def log_ignore(self) -> IgnoredLines:
        """Lines of the logs of its procs that are not shown, beside those of the option."""
        return self._family.declaration.log_ignore

    @property
    def doc(self) -> str:
        """What it does, in a sentence; empty where nothing says so."""
        return self._family.declaration.doc

    @property
    def file(self) -> str | None:
        """The file that declares it, None where that is not known."""
        location = self._family.declaration.location
        return None if location is None else location.file

    @property
    def line(self) -> int | None:
        """The line of :attr:`file` where it is declared, counted from 1."""
        location = self._family.declaration.location
        return None if location is None else location.line

    def __repr__(self) -> str:
        return f'<ProtoInfo {self.pattern!r}>'
