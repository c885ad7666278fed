"""What the engine asks while tasks run, and what scheduling takes, answered from what a session knows."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from parproc.catalog.catalog import Catalog
from parproc.catalog.inputs import Inputs, inputs_of
from parproc.core import plan as planning
from parproc.core.events import Wanted
from parproc.core.machine import Machine
from parproc.core.model import ProcState
from parproc.core.names import is_glob
from parproc.core.plan import Plan
from parproc.declare.declaration import Declaration
from parproc.declare.options import Options
from parproc.errors import UserError
from parproc.exec.child.fresh_interpreter import place_of
from parproc.exec.protocol import Job, TaskRef
from parproc.store.run_folder import RunFolder
from parproc.values.encoding import EncodedResult, Results

_ABSENT = object()


class Session(Protocol):
    """The session behind it."""

    options: Options
    catalog: Catalog
    params: Mapping[str, object]
    extra_args: tuple[str, ...]
    task_environment: dict[str, str]

    @property
    def folder(self) -> RunFolder:
        """Where logs and results are kept."""

    @property
    def machine(self) -> Machine | None:
        """The scheduler of what was scheduled so far."""

    @property
    def encoded(self) -> Mapping[str, EncodedResult]:
        """Name -> result of the procs that have ended well."""

    @property
    def params_read(self) -> Mapping[str, frozenset[str] | None]:
        """Name -> the params that a proc's function looked for when it last ran; None for all."""

    def state_of(self, name: str) -> ProcState | None:
        """Return a proc's state, None when it was never scheduled."""


class WorkspaceTaskSource:
    """What the engine asks a session while tasks run; unlike the public methods, it never starts to work by itself.

    Args:
        session: whose tasks they are.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wished: dict[str, str] | None = None
        self._given: dict[str, tuple[Mapping[str, object], tuple[tuple[str, ...], ...]]] = {}

    def job(self, name: str, attempt: int) -> Job:
        """Return all that is needed to run an attempt of a proc."""
        session = self._session
        task = session.catalog.procs[name]
        declaration = task.declaration
        single = session.options.mode == 'single'
        in_process = self._in_process(name)
        commands = session.catalog.commands(name, session.params, session.extra_args)
        self._given[name] = (session.params, commands)
        return Job(
            name=name,
            attempt=attempt,
            attempts=declaration.retries + 1,
            function=self._function(declaration, name),
            commands=commands,
            args=task.args,
            params=session.params,
            extra_args=session.extra_args,
            results=Results(
                dict(session.encoded) if in_process else session.encoded,
                brief=not in_process,
                explain=partial(self._explain_missing, name),
            ),
            log_path=None if single else session.folder.log_path(name),
            result_paths=() if declaration.function is None else session.folder.result_paths(name),
            directory=declaration.cwd,
            interactive=declaration.interactive,
            environment=self._environment(name, attempt, declaration.env),
            in_process=in_process,
            untimed=in_process and declaration.timeout is not None,
        )

    @staticmethod
    def _function(declaration: Declaration, name: str) -> TaskRef | None:
        function = declaration.function
        if function is None:
            return None
        return TaskRef(name, place_of(function, declaration.name) if declaration.isolated == 'fresh' else None)

    def _explain_missing(self, asker: str, name: str) -> str:
        """Return why the running task ``asker`` has no result of ``name``."""
        session = self._session
        state = session.state_of(name)
        if name not in session.catalog.procs:
            why = 'there is no such proc'
        elif state is ProcState.SKIPPED:
            why = 'it was skipped'
        elif state is ProcState.FAILED:
            why = 'it failed'
        else:
            why = 'it does not depend on it'
        return f'"{asker}" has no result "{name}": {why}'

    def create(self, asker: str, name: str, proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        """Create procs for a running task; raises UserError."""
        return self._session.catalog.create(self._meant(asker, name), proc_name, args, self._session.params)

    def due(self) -> list[str]:
        """Return what is to be scheduled by itself: what was created with ``now=True``."""
        return self._session.catalog.take_now()

    def forget(self, name: str) -> None:
        """Remove the log and the large result of an earlier life, which others may still read."""
        self._session.folder.forget(name)

    def inputs(self, name: str) -> Inputs | None:
        """Return the files that a proc reads, None when it declares none; raises UserError."""
        catalog = self._session.catalog
        task = catalog.procs[name]
        return inputs_of(task, catalog.texts_of(task), self._session.params) if task.declaration.inputs else None

    def known(self, asker: str, names: Iterable[str]) -> list[str]:
        """Return the full names of what a running task names, creating procs; raises UserError."""
        catalog, params = self._session.catalog, self._session.params
        known: dict[str, None] = {}
        for name in names:
            known.update(dict.fromkeys(catalog.create(self._meant(asker, name), None, {}, params)))
        return list(known)

    def prepare(self, names: Sequence[str], *, only: bool = False) -> tuple[Plan, tuple[tuple[str, str], ...]]:
        """Work out what scheduling ``names`` means, where nothing has run yet; nothing is scheduled."""
        wanted = self.wanted(names, only=only)
        return planning.build(wanted.specs), wanted.injected

    def wanted(
        self, names: Sequence[str], *, only: bool = False, start: bool = False, again: bool = False, full: bool = False
    ) -> Wanted:
        """Work out what scheduling ``names`` means; nothing is scheduled yet.

        What was missing and is declared by now is scheduled with it.

        Args:
            names: full names.
            only: without their dependencies.
            start: those that failed run again, with the failed dependencies that they need, and so do those that have
                read a param which has another value now.
            again: all of them run again.
            full: and all that they depend on.

        Raises:
            UserError: for a cycle, a dependency in a higher wave, or one that nothing declares where that is not
                allowed.
        """
        session = self._session
        machine = session.machine
        self._wished = None
        repeated = () if machine is None or not start else tuple(self._repeated(machine, names, again=again, full=full))
        resolved = () if machine is None or only else tuple(self._resolved(machine))
        further = [name for _, found in resolved for name in found]
        if machine is not None:
            further += [dep for name in repeated for dep in machine.tasks[name].deps if self._is_declared_anew(dep)]
            further += [name for name in machine.missing if self._is_declared_anew(name)] if not only else []
        request = session.catalog.resolve(
            (*names, *further), params=session.params, state_of=session.state_of, only=only
        )
        if request.missing and not session.options.allow_missing_deps:
            raise self._missing_error(*request.missing[0])
        tasks = machine.tasks if machine is not None else {}
        specs = tuple(
            replace(spec, timeout=None) if spec.timeout is not None and self._in_process(spec.name) else spec
            for spec in request.specs
        )
        plan = planning.build(specs, lambda name: tasks[name].spec.wave if name in tasks else None)
        if machine is not None:
            edges = [
                (task.spec.name, name) for glob, found in resolved for task in machine.missing[glob] for name in found
            ]
            _check_joined(machine, plan, (*request.injected, *edges), repeated)
        return Wanted(plan.order, request.injected, time.monotonic(), repeated, resolved)

    def _missing_error(self, missing: str, needed_by: str) -> UserError:
        catalog = self._session.catalog
        if not is_glob(missing):
            return UserError(f'dependency "{missing}" of "{needed_by}" is not declared', hint=catalog.nearest(missing))
        try:
            catalog.glob(missing, self._session.params)
        except UserError as error:
            return UserError(f'dependency of "{needed_by}": {error.message}', hint=error.hint)
        return UserError(f'dependency of "{needed_by}": "{missing}" matches nothing')

    def _is_declared_anew(self, name: str) -> bool:
        """Return whether the machine does not know a task that is declared."""
        session = self._session
        known = session.machine is not None and name in session.machine.tasks
        return not known and not is_glob(name) and session.catalog.lookup(name, session.params) is not None

    def _resolved(self, machine: Machine) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the globs among missing dependencies that stand for something by now."""
        session = self._session
        for name in machine.missing:
            if is_glob(name):
                with contextlib.suppress(UserError):
                    yield name, session.catalog.glob(name, session.params)

    # --- running again -----------------------------------------------------------------------------------------

    def _repeated(self, machine: Machine, names: Sequence[str], *, again: bool, full: bool) -> Iterator[str]:
        """Yield those of ``names``, and of what they depend on, that are over and have to run once more."""
        tasks = machine.tasks
        changed = self._changed(machine, names)
        asked = set(names)
        queue = [name for name in dict.fromkeys(names) if name in tasks]
        seen = set(queue)
        for name in queue:  # grows while it is gone through
            task = tasks[name]
            if not task.is_over:
                continue
            if not (full or (again and name in asked) or not task.satisfies or name in changed):
                continue
            yield name
            for dep in task.deps:
                if dep in tasks and dep not in seen:
                    seen.add(dep)
                    queue.append(dep)

    def _changed(self, machine: Machine, names: Sequence[str]) -> set[str]:
        """Return the tasks that would be given other params than the last time, or depend on such."""
        tasks = machine.tasks
        changed: dict[str, bool] = {}
        stack = [(name, False) for name in names]
        while stack:
            name, is_left = stack.pop()
            task = tasks.get(name)
            if task is None or not task.is_over:
                changed.setdefault(name, False)
            elif is_left:
                changed[name] = self._reads_otherwise(name) or any(changed.get(dep, False) for dep in task.deps)
            elif name not in changed:
                changed[name] = False
                stack.append((name, True))
                stack += [(dep, False) for dep in task.deps]
        return {name for name, is_changed in changed.items() if is_changed}

    def _reads_otherwise(self, name: str) -> bool:
        session = self._session
        given = self._given.get(name)
        if given is None:
            return False
        params, commands = given
        if commands:
            return commands != session.catalog.commands(name, session.params, session.extra_args)
        if params is session.params:
            return False
        read = session.params_read.get(name, frozenset())
        compared = {*params, *session.params} if read is None else read
        return any(not _is_same(params.get(key, _ABSENT), session.params.get(key, _ABSENT)) for key in compared)

    # --- inside ------------------------------------------------------------------------------------------------

    def _in_process(self, name: str) -> bool:
        """Return whether a proc's function is called in this very process, where nobody can end it."""
        if self._session.options.mode != 'single':
            return False
        declaration = self._session.catalog.procs[name].declaration
        return declaration.function is not None and not declaration.isolated

    def _meant(self, asker: str, name: str) -> str:
        """Return what a name means in the task file of who uses it."""
        catalog = self._session.catalog
        return catalog.resolved(name, catalog.procs[asker].declaration)

    def _environment(self, name: str, attempt: int, own: Mapping[str, str]) -> dict[str, str]:
        """Return what a proc's environment has on top of ours; what the user set stays."""
        if self._wished is None:
            wished = {'PYTHONUNBUFFERED': '1', **self._session.task_environment}
            self._wished = {key: value for key, value in wished.items() if key not in os.environ}
        return {
            **self._wished,
            'PARPROC_NAME': name,
            'PARPROC_RUN_ID': self._session.folder.run_id,
            'PARPROC_ATTEMPT': str(attempt),
            **own,
        }


def _is_same(old: object, new: object) -> bool:
    """Return whether a param has the value it had; what cannot be compared has, if it is the same object."""
    if old is new:
        return True
    try:
        return type(old) is type(new) and bool(old == new)
    except Exception:
        return False


def _check_joined(
    machine: Machine, plan: Plan, injected: tuple[tuple[str, str], ...], repeated: tuple[str, ...]
) -> None:
    """Refuse edges from tasks scheduled earlier to new ones that close a ring or skip waves."""
    tasks = machine.tasks
    specs = {spec.name: spec for spec in plan.order}
    again = frozenset(repeated)
    added: dict[str, list[str]] = {}
    for target, dep in injected:
        added.setdefault(target, []).append(dep)
        wave = specs[dep].wave if dep in specs else tasks[dep].spec.wave
        if wave > tasks[target].spec.wave:
            raise planning.wave_error(target, tasks[target].spec.wave, dep, wave)

    def onward(name: str) -> Iterator[str]:
        if name in specs:
            yield from specs[name].deps
        elif name in tasks and (name in again or not tasks[name].is_over):
            yield from tasks[name].deps
            yield from added.get(name, ())

    joints = [name for name in machine.missing if name in specs] + [dep for _, dep in injected]
    joints += [dep for name in again for dep in tasks[name].deps if dep in specs]
    for name in machine.missing:
        for task in machine.missing[name] if name in specs else ():
            if specs[name].wave > task.spec.wave:
                raise planning.wave_error(task.spec.name, task.spec.wave, name, specs[name].wave)
    for name in dict.fromkeys(joints):
        ring = planning.find_ring(name, onward)
        if ring is not None:
            raise planning.cycle_error(ring)
