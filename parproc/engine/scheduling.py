"""What scheduling procs takes: the procs that are wanted with them, in order, and what has to run once more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from parproc.core import plan as planning
from parproc.core.events import Wanted
from parproc.core.machine import Machine
from parproc.core.names import is_glob
from parproc.core.plan import Plan
from parproc.engine.definitions import Definitions
from parproc.engine.given import GivenValues
from parproc.engine.joined_plan import check_joined
from parproc.errors import UserError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, as far as scheduling has to know; by default, one that has not begun.

    Args:
        machine: decides what runs when, and knows what was scheduled.
        given: what procs were given when they last started.
        params_read: name -> the params that a proc's function looked for when it last ran; None for all.
    """

    machine: Machine = field(default_factory=Machine)
    given: GivenValues = field(default_factory=GivenValues)
    params_read: Mapping[str, frozenset[str] | None] = field(default_factory=dict)


class Scheduling:
    """Works out what scheduling means; nothing is scheduled by it.

    Args:
        definitions: what was declared and set.
        progress: of the run; by default none has begun.
    """

    def __init__(self, definitions: Definitions, progress: Progress | None = None) -> None:
        self._definitions = definitions
        self._progress = progress or Progress()

    def plan(self, names: Sequence[str], *, only: bool = False) -> Plan:
        """Return what running ``names`` would run, in order, where nothing has run yet; raises UserError."""
        return planning.build(self.wanted(names, only=only).specs)

    def wanted(
        self, names: Sequence[str], *, only: bool = False, start: bool = False, again: bool = False, full: bool = False
    ) -> Wanted:
        """Return what scheduling ``names`` means. What was missing and is declared by now is scheduled with it.

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
        definitions, machine = self._definitions, self._progress.machine
        repeated = tuple(self._repeated(names, again=again, full=full)) if start else ()
        resolved = () if only else tuple(self._resolved())
        further = [name for _, found in resolved for name in found]
        further += [dep for name in repeated for dep in machine.tasks[name].deps if self._is_declared_anew(dep)]
        if not only:
            further += [name for name in machine.missing if self._is_declared_anew(name)]
        needed = definitions.catalog.resolve(
            (*names, *further), params=definitions.params, state_of=machine.state_of, only=only
        )
        if needed.missing and not definitions.options.allow_missing_deps:
            raise self._missing_error(*needed.missing[0])
        specs = tuple(
            replace(spec, timeout=None) if spec.timeout is not None and definitions.runs_in_process(spec.name) else spec
            for spec in needed.specs
        )
        tasks = machine.tasks
        plan = planning.build(specs, lambda name: tasks[name].spec.wave if name in tasks else None)
        if tasks:
            edges = [
                (task.spec.name, name) for glob, found in resolved for task in machine.missing[glob] for name in found
            ]
            check_joined(machine, plan, (*needed.injected, *edges), repeated)
        return Wanted(plan.order, needed.injected, time.monotonic(), repeated, resolved)

    def _missing_error(self, missing: str, needed_by: str) -> UserError:
        catalog = self._definitions.catalog
        if not is_glob(missing):
            return UserError(f'dependency "{missing}" of "{needed_by}" is not declared', hint=catalog.nearest(missing))
        try:
            catalog.glob(missing, self._definitions.params)
        except UserError as error:
            return UserError(f'dependency of "{needed_by}": {error.message}', hint=error.hint)
        return UserError(f'dependency of "{needed_by}": "{missing}" matches nothing')

    def _is_declared_anew(self, name: str) -> bool:
        """Return whether the machine does not know a task that is declared."""
        if name in self._progress.machine.tasks or is_glob(name):
            return False
        return self._definitions.catalog.lookup(name, self._definitions.params) is not None

    def _resolved(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the globs among missing dependencies that stand for something by now."""
        for name in self._progress.machine.missing:
            if is_glob(name):
                with contextlib.suppress(UserError):
                    yield name, self._definitions.catalog.glob(name, self._definitions.params)

    # --- running again -----------------------------------------------------------------------------------------

    def _repeated(self, names: Sequence[str], *, again: bool, full: bool) -> Iterator[str]:
        """Yield those of ``names``, and of what they depend on, that are over and have to run once more."""
        tasks = self._progress.machine.tasks
        changed = self._changed(names)
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

    def _changed(self, names: Sequence[str]) -> set[str]:
        """Return the tasks that would be given other params than the last time, or depend on such."""
        tasks = self._progress.machine.tasks
        changed: dict[str, bool] = {}
        stack = [(name, False) for name in names]
        while stack:
            name, is_left = stack.pop()
            task = tasks.get(name)
            if task is None or not task.is_over:
                changed.setdefault(name, False)
            elif is_left:
                changed[name] = self._is_given_other(name) or any(changed.get(dep, False) for dep in task.deps)
            elif name not in changed:
                changed[name] = False
                stack.append((name, True))
                stack += [(dep, False) for dep in task.deps]
        return {name for name, is_changed in changed.items() if is_changed}

    def _is_given_other(self, name: str) -> bool:
        read = self._progress.params_read.get(name, frozenset())
        return self._progress.given.differs(name, self._definitions, read)
