"""What a proc depends on, and the locks it holds: as declared, with its arguments filled in and callables asked."""

from __future__ import annotations

from collections.abc import Mapping

from parproc.catalog.bound_proc import BoundProc
from parproc.catalog.registry import Registry
from parproc.core.names import check_name
from parproc.declare.calling import answered, ask
from parproc.declare.dependency_kinds import Dependency, DepProcContext, NoFailures
from parproc.errors import UserError


class Dependencies:
    """What the procs of a session depend on.

    Args:
        registry: knows all names.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(self, proc: BoundProc, params: Mapping[str, object]) -> tuple[str | NoFailures, ...]:
        """Return what a proc depends on, as written; callables are asked once.

        Raises:
            UserError: when a callable fails, or returns no names.
        """
        if proc.deps is not None:
            return proc.deps
        fixed = tuple(dep for dep in proc.declaration.deps if isinstance(dep, (str, NoFailures)))
        if len(fixed) == len(proc.declaration.deps):
            return fixed
        proc.deps = self._answered(proc, params)
        return proc.deps

    def check(self, proc: BoundProc) -> None:
        """Raise a UserError for a dependency that can never be filled, before its proc is filed."""
        for dep in proc.declaration.deps:
            if isinstance(dep, str) and '[' in dep and dep not in self._registry.procs:
                self.filled(dep, proc)

    def filled(self, text: str, proc: BoundProc) -> str:
        """Return a dependency, as written, with a proc's arguments filled in.

        Raises:
            UserError: when nothing fills one of its placeholders.
        """
        pattern = self._registry.pattern(text, proc.declaration.separator)
        args = self._registry.texts_of(proc)
        unfilled = pattern.unfilled(args)
        if unfilled:
            known = ', '.join(args)
            raise UserError(
                f'dependency "{text}" of "{proc.name}": nothing fills [{unfilled[0]}]',
                hint=f'its arguments: {known}' if known else 'it has no arguments',
            )
        return pattern.fill(args)

    def named(self, dep: Dependency) -> Dependency:
        """Return the name of the proc that a declared function stands for; any other dependency as it is."""
        if isinstance(dep, (str, NoFailures)):
            return dep
        return self._registry.find_function(dep) or dep

    def locks_of(self, proc: BoundProc) -> tuple[str, ...]:
        """Return the names of the locks that a proc holds while it runs."""
        locks = proc.declaration.locks
        if not any('[' in lock for lock in locks):
            return locks
        args = self._registry.texts_of(proc)
        return tuple(self._registry.pattern(lock, proc.declaration.separator).fill(args) for lock in locks)

    def _answered(self, proc: BoundProc, params: Mapping[str, object]) -> tuple[str | NoFailures, ...]:
        what = f'deps of "{proc.name}"'
        found: list[str | NoFailures] = []
        for dep in map(self.named, proc.declaration.deps):
            if isinstance(dep, (str, NoFailures)):
                found.append(dep)
                continue
            answer = ask(dep, what, DepProcContext(proc.name, params, proc.args), proc.args)
            names = answered(answer, (str, NoFailures), what, 'return a name, or a list of names')
            found += (check_name(item) if isinstance(item, str) else item for item in names)
        return tuple(found)
