"""What the engine asks while tasks run, answered from what was declared and set, and from what has run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from parproc.catalog.inputs import Inputs, inputs_of
from parproc.core.events import Wanted
from parproc.core.machine import Machine
from parproc.core.model import ProcState
from parproc.declare.declaration import Declaration
from parproc.engine.definitions import Definitions
from parproc.engine.given import GivenValues
from parproc.engine.result_store import ResultStore
from parproc.engine.scheduling import Progress, Scheduling
from parproc.exec.child.fresh_interpreter import place_of
from parproc.exec.protocol import Job, TaskRef
from parproc.store.run_folder import RunFolder
from parproc.values.results import Results


class RunTaskSource:
    """Knows the tasks of one run; unlike a session's methods, none of these starts to work by itself.

    Args:
        definitions: what was declared and set.
        machine: decides what runs when.
        results: keeps what tasks returned.
        folder: takes logs and large results.
        environment: variables that tell procs where their output goes; those that the user has set stay.
    """

    def __init__(
        self,
        definitions: Definitions,
        machine: Machine,
        results: ResultStore,
        folder: RunFolder,
        environment: Mapping[str, str],
    ) -> None:
        self._definitions = definitions
        self._machine = machine
        self._results = results
        self._folder = folder
        self._variables = {'PYTHONUNBUFFERED': '1', **environment}
        self._unset_variables: dict[str, str] | None = None
        self._given = GivenValues()
        self._scheduling = Scheduling(definitions, Progress(machine, self._given, results.params_read))

    def job(self, name: str, attempt: int) -> Job:
        """Return all that is needed to run an attempt of a proc; raises UserError."""
        definitions, folder = self._definitions, self._folder
        catalog, params = definitions.catalog, definitions.params
        task = catalog.procs[name]
        declaration = task.declaration
        in_process = definitions.runs_in_process(name)
        commands = catalog.commands(name, params, definitions.extra_args)
        results = self._results.results
        self._given.note(name, params, commands)
        return Job(
            name=name,
            attempt=attempt,
            attempts=declaration.retries + 1,
            function=self._function(declaration, name),
            commands=commands,
            args=task.args,
            params=params,
            extra_args=definitions.extra_args,
            results=Results(
                dict(results) if in_process else results,
                brief=not in_process,
                explain=partial(self._explain_missing, name),
            ),
            log_path=folder.log_path(name) if definitions.options.run_mode.has_logs else None,
            result_paths=() if declaration.function is None else folder.result_paths(name),
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
        state = self._machine.state_of(name)
        if name not in self._definitions.catalog.procs:
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
        definitions = self._definitions
        return definitions.catalog.create(self._meant(asker, name), proc_name, args, definitions.params)

    def due(self) -> list[str]:
        """Return what is to be scheduled by itself: what was created with ``now=True``."""
        return self._definitions.catalog.take_now()

    def forget(self, name: str) -> None:
        """Remove the log and the large result of an earlier life, which others may still read."""
        self._folder.forget(name)

    def inputs(self, name: str) -> Inputs | None:
        """Return the files that a proc reads, None when it declares none; raises UserError."""
        catalog = self._definitions.catalog
        task = catalog.procs[name]
        return inputs_of(task, catalog.texts_of(task), self._definitions.params) if task.declaration.inputs else None

    def known(self, asker: str, names: Iterable[str]) -> list[str]:
        """Return the full names of what a running task names, creating procs; raises UserError."""
        return self._definitions.known(self._meant(asker, name) for name in names)

    def wanted(
        self, names: Sequence[str], *, only: bool = False, start: bool = False, again: bool = False, full: bool = False
    ) -> Wanted:
        """Return what scheduling ``names`` means; takes and raises what :meth:`Scheduling.wanted` does."""
        self._unset_variables = None
        return self._scheduling.wanted(names, only=only, start=start, again=again, full=full)

    def _meant(self, asker: str, name: str) -> str:
        """Return what a name means in the task file of who uses it."""
        catalog = self._definitions.catalog
        return catalog.resolved(name, catalog.procs[asker].declaration)

    def _environment(self, name: str, attempt: int, own: Mapping[str, str]) -> dict[str, str]:
        """Return what a proc's environment has on top of ours."""
        if self._unset_variables is None:
            self._unset_variables = {key: value for key, value in self._variables.items() if key not in os.environ}
        return {
            **self._unset_variables,
            'PARPROC_NAME': name,
            'PARPROC_RUN_ID': self._folder.run_id,
            'PARPROC_ATTEMPT': str(attempt),
            **own,
        }
