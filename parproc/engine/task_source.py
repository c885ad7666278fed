"""What the engine asks while tasks run, and what scheduling takes, answered from what a session knows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from parproc.catalog import Catalog
from parproc.core import plan as planning
from parproc.core.machine import Machine
from parproc.core.model import TERMINAL, ProcState
from parproc.core.plan import Plan
from parproc.errors import UserError
from parproc.exec.protocol import Job
from parproc.inputs import Inputs, inputs_of
from parproc.options import Options
from parproc.store.runs import RunFolder
from parproc.values import EncodedResult, Results


class Session(Protocol):
    """The session behind it."""

    options: Options
    catalog: Catalog
    params: dict[str, object]
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

    def state_of(self, name: str) -> ProcState | None:
        """Return a proc's state, None when it was never scheduled."""


class TaskSource:
    """What the engine asks a session while tasks run; unlike the public methods, it never starts to work by itself.

    Args:
        session: whose tasks they are.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wished: dict[str, str] | None = None

    def job(self, name: str, attempt: int) -> Job:
        """Return all that is needed to run an attempt of a proc."""
        session = self._session
        task = session.catalog.procs[name]
        declaration = task.declaration
        single = session.options.mode == 'single'
        in_process = self._in_process(name)
        return Job(
            name=name,
            attempt=attempt,
            attempts=declaration.retries + 1,
            call=None if declaration.function is None else session.catalog.call(name),
            commands=session.catalog.commands(name, session.params, session.extra_args),
            args=task.args,
            params=session.params,
            extra_args=session.extra_args,
            results=Results(dict(session.encoded)) if in_process else Results(session.encoded, brief=True),
            log_path=None if single else session.folder.log_path(name),
            result_path=session.folder.result_path(name),
            directory=declaration.cwd,
            interactive=declaration.interactive,
            environment=self._environment(name, attempt, declaration.env),
            in_process=in_process,
            untimed=in_process and declaration.timeout is not None,
        )

    def create(self, asker: str, name: str, proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        """Create procs for a running task; raises UserError."""
        return self._session.catalog.create(self._meant(asker, name), proc_name, args, self._session.params)

    def forget(self, name: str) -> None:
        """Remove the log and the large result of an earlier life, which others may still read."""
        folder = self._session.folder
        for path in (folder.log_path(name), folder.result_path(name)):
            with contextlib.suppress(OSError):
                os.unlink(path)

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
        """Work out what scheduling ``names`` means; nothing is scheduled yet."""
        session = self._session
        self._wished = None
        request = session.catalog.request(names, params=session.params, state_of=session.state_of, only=only)
        if request.missing and not session.options.allow_missing_deps:
            missing, needed_by = request.missing[0]
            raise UserError(
                f'dependency "{missing}" of "{needed_by}" is not declared', hint=session.catalog.nearest(missing)
            )
        machine = session.machine
        tasks = machine.tasks if machine is not None else {}
        specs = tuple(
            replace(spec, timeout=None) if spec.timeout is not None and self._in_process(spec.name) else spec
            for spec in request.specs
        )
        plan = planning.build(specs, lambda name: tasks[name].spec.wave if name in tasks else None)
        if machine is not None:
            _check_joined(machine, plan, request.injected)
        return plan, request.injected

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


def _check_joined(machine: Machine, plan: Plan, injected: tuple[tuple[str, str], ...]) -> None:
    """Refuse edges from tasks scheduled earlier to new ones that close a ring or skip waves."""
    tasks = machine.tasks
    specs = {spec.name: spec for spec in plan.order}
    added: dict[str, list[str]] = {}
    for target, dep in injected:
        added.setdefault(target, []).append(dep)
        wave = specs[dep].wave if dep in specs else tasks[dep].spec.wave
        if wave > tasks[target].spec.wave:
            raise planning.wave_error(target, tasks[target].spec.wave, dep, wave)

    def onward(name: str) -> Iterator[str]:
        if name in specs:
            yield from specs[name].deps
        elif name in tasks and tasks[name].state not in TERMINAL:
            yield from tasks[name].deps
            yield from added.get(name, ())

    joints = [name for name in machine.missing if name in specs] + [dep for _, dep in injected]
    for name in machine.missing:
        for task in machine.missing[name] if name in specs else ():
            if specs[name].wave > task.spec.wave:
                raise planning.wave_error(task.spec.name, task.spec.wave, name, specs[name].wave)
    for name in dict.fromkeys(joints):
        ring = planning.find_ring(name, onward)
        if ring is not None:
            raise planning.cycle_error(ring)
