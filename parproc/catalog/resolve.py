"""What scheduling some procs means: everything they depend on, whatever puts itself before any of it, and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from parproc.catalog.bound_proc import BoundProc
from parproc.catalog.creating import Creator
from parproc.catalog.dependencies import Dependencies
from parproc.catalog.glob_index import NoMatchError
from parproc.catalog.injections import Injections
from parproc.catalog.registry import Registry
from parproc.core.model import ProcState, TaskSpec
from parproc.core.names import is_glob
from parproc.core.reverse_deps import reach
from parproc.declare.dependency_kinds import WhenScheduled, target_of
from parproc.errors import UserError

TERMINAL_LOCK = 'the terminal'


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is to be scheduled.

    Args:
        specs: the procs that are not scheduled yet, in no special order.
        injected: (target, dependency) edges that go into procs which are scheduled already.
        missing: (name or glob, needed by) of dependencies that nothing declares; they stand in ``deps`` nevertheless.
    """

    specs: tuple[TaskSpec, ...]
    injected: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Draft:
    proc: BoundProc
    deps: dict[str, None]
    no_failures: bool


class Resolver:
    """One resolution while it is worked out.

    Args:
        registry: knows all names.
        dependencies: what procs depend on.
        injections: who goes before whom.
        creator: makes the procs that are depended on.
        params: the run's parameters.
        state_of: tells what was scheduled before: None or IDLE for what was not.
        within: leave out all dependencies but these; None for none left out.
    """

    def __init__(
        self,
        registry: Registry,
        dependencies: Dependencies,
        injections: Injections,
        creator: Creator,
        *,
        params: Mapping[str, object],
        state_of: Callable[[str], ProcState | None],
        within: frozenset[str] | None,
    ) -> None:
        self._registry = registry
        self._dependencies = dependencies
        self._injections = injections
        self._creator = creator
        self._params = params
        self._state_of = state_of
        self._within = within
        self._seen: set[str] = set()
        self._queue: list[BoundProc] = []
        self._drafts: dict[str, _Draft] = {}
        self._pushed: list[tuple[str, str]] = []
        self._injected: dict[tuple[str, str], None] = {}
        self._missing: dict[tuple[str, str], None] = {}
        self._absent: set[str] = set()

    def want(self, name: str) -> None:
        """Add a proc that exists, unless it is scheduled already."""
        if name not in self._seen:
            self._seen.add(name)
            if not self._is_scheduled(name):
                self._queue.append(self._registry.procs[name])

    def finish(self) -> Resolution:
        """Follow everything from the wanted procs on."""
        for proc in self._queue:  # grows while it is gone through
            self._visit(proc)
        for target, dep in self._pushed:
            self._drafts[target].deps[dep] = None
        specs = tuple(self._spec(draft) for draft in self._drafts.values())
        return Resolution(specs, tuple(self._injected), tuple(self._missing))

    def _is_scheduled(self, name: str) -> bool:
        state = self._state_of(name)
        return state is not None and state is not ProcState.IDLE

    def _visit(self, proc: BoundProc) -> None:
        name = proc.name
        deps: dict[str, None] = {}
        no_failures = False
        for dep in self._dependencies.of(proc, self._params):
            if not isinstance(dep, str):
                no_failures = True
            elif dep in self._registry.procs and not proc.declaration.scope:
                deps[dep] = None
            else:
                deps.update(dict.fromkeys(self._meant(dep, proc)))
        if self._within is not None:
            deps = {dep: None for dep in deps if dep in self._within}
        self._drafts[name] = _Draft(proc, deps, no_failures)
        for dep in deps:
            if dep not in self._seen:
                self._follow(dep, name)
            elif dep in self._absent:
                self._missing[dep, name] = None
        for before in self._injections.before(proc):
            if self._within is None or before in self._within:
                deps[before] = None
                self._follow(before, name)
        if proc.declaration.rdeps:
            self._push(proc)

    def _follow(self, dep: str, dependent: str) -> None:
        try:
            is_open = is_glob(dep) and dep not in self._registry.procs
            found = None if is_open else self._creator.lookup(dep, self._params)
        except UserError as error:
            raise UserError(f'dependency of "{dependent}": {error.message}', hint=error.hint) from error
        if found is None:
            self._seen.add(dep)
            self._absent.add(dep)
            self._missing[dep, dependent] = None
        else:
            self.want(dep)

    def _meant(self, text: str, proc: BoundProc) -> Iterable[str]:
        """Return the names that a dependency, as written, means for ``proc``."""
        filled = self._dependencies.filled(text, proc) if '[' in text else text
        filled = self._registry.resolved(filled, proc.declaration)
        if not is_glob(filled) or filled in self._registry.procs:
            return (filled,)
        try:
            return [name for name in self._registry.glob(filled, self._params) if name != proc.name]
        except NoMatchError:
            return (filled,)
        except UserError as error:
            raise UserError(f'dependency of "{proc.name}": {error.message}', hint=error.hint) from error

    # --- going before others -----------------------------------------------------------------------------------

    def _push(self, proc: BoundProc) -> None:
        """Let ``proc`` go before what its reverse dependencies name, as far as that is up to it."""
        late = proc.declaration.name in self._injections.late
        for rdep in proc.declaration.rdeps:
            pattern = self._registry.resolved(target_of(rdep), proc.declaration)
            if isinstance(rdep, WhenScheduled):
                self._push_targets(proc, pattern)
            elif late:
                self._join_scheduled(proc, pattern)

    def _push_targets(self, proc: BoundProc, text: str) -> None:
        registry = self._registry
        separator = proc.declaration.separator
        reached = text
        if text not in registry.procs:
            reached = reach(registry.pattern(text, separator), registry.texts_of(proc))
        try:
            if is_glob(reached) and reached not in registry.procs:
                targets = [name for name in registry.glob(reached, self._params) if name != proc.name]
            else:
                targets = [reached]
            found = {name: self._creator.lookup(name, self._params) for name in targets}
        except UserError as error:
            raise UserError(f'"{proc.name}" goes before "{text}": {error.message}', hint=error.hint) from error
        for target, known in found.items():
            if self._within is not None and target not in self._within:
                continue
            if known is None:
                self._missing[target, proc.name] = None
            elif self._is_scheduled(target):
                self._join(target, proc.name)
            else:
                self._pushed.append((target, proc.name))
                self.want(target)

    def _join_scheduled(self, proc: BoundProc, text: str) -> None:
        """Put ``proc``, which was declared after others were scheduled, before those of them that it names."""
        registry = self._registry
        separator = proc.declaration.separator
        pattern = registry.pattern(reach(registry.pattern(text, separator), registry.texts_of(proc)), separator)
        for name in [pattern.text] if pattern.is_concrete else list(registry.procs):
            if name != proc.name and pattern.match(name) is not None and self._is_scheduled(name):
                self._join(name, proc.name)

    def _join(self, target: str, dep: str) -> None:
        state = self._state_of(target)
        if state is not ProcState.WANTED:
            said = 'is running already' if state is ProcState.RUNNING else 'is done already'
            raise UserError(f'"{dep}" must go before "{target}", which {said}', hint=f'schedule "{dep}" first')
        self._injected[target, dep] = None

    def _spec(self, draft: _Draft) -> TaskSpec:
        proc = draft.proc
        declaration = proc.declaration
        locks = self._dependencies.locks_of(proc)
        if declaration.interactive:
            locks = (*locks, TERMINAL_LOCK)
        return TaskSpec(
            proc.name,
            tuple(draft.deps),
            locks,
            declaration.wave,
            draft.no_failures,
            declaration.timeout,
            declaration.retries,
            declaration.retry_delay,
            1.0,
            proc.order,
        )
