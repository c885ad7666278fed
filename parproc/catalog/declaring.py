"""Adding a declaration to what is declared, and taking back what it replaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from parproc.catalog.argument_caster import ArgumentCaster
from parproc.catalog.bound_proc import MOST_CREATED_PER_PROTO, BoundProc
from parproc.catalog.dependencies import Dependencies
from parproc.catalog.injections import Injections
from parproc.catalog.proto import ProtoFamily
from parproc.catalog.registry import Registry
from parproc.core.names import Pattern
from parproc.declare.declaration import Declaration
from parproc.declare.dependency_kinds import NoFailures, ReverseDependency, WhenScheduled, WhenTargetScheduled


class Declarer:
    """Declares procs and protos.

    Args:
        registry: knows all names.
        dependencies: what procs depend on.
        injections: who goes before whom.
    """

    def __init__(self, registry: Registry, dependencies: Dependencies, injections: Injections) -> None:
        self._registry = registry
        self._dependencies = dependencies
        self._injections = injections

    def declare(self, declaration: Declaration, *, replace: bool) -> list[str]:
        """Add a proc or proto; see :meth:`parproc.catalog.catalog.Catalog.declare`."""
        registry = self._registry
        declaration = self._settled(declaration)
        name = declaration.name
        targets = self._injections.targets_of(declaration)
        declarer: str | Pattern
        if declaration.is_proto:
            family = ProtoFamily(declaration)
            declarer = family.pattern
            dropped = self._vacate((name, declarer.text), declaration, replace=replace)
            registry.add_family(family)
        else:
            proc = self._declared_proc(declaration)
            declarer = name
            dropped = self._vacate((name,), declaration, replace=replace)
            registry.add_declared(proc)
        self._injections.add(declarer, declaration, targets)
        if declaration.now and (isinstance(declarer, str) or not declarer.placeholders):
            registry.due[name] = None
        return dropped

    def _settled(self, declaration: Declaration) -> Declaration:
        """Return a declaration with the separator that holds by now, and with names in place of declared functions."""
        changed: dict[str, Any] = {}
        if declaration.separator != self._registry.separator:
            changed['separator'] = self._registry.separator
        if any(not isinstance(dep, (str, NoFailures)) for dep in declaration.deps):
            changed['deps'] = tuple(map(self._dependencies.named, declaration.deps))
        if any(not isinstance(rdep, str) for rdep in declaration.rdeps):
            changed['rdeps'] = tuple(map(self._named_target, declaration.rdeps))
        return replace(declaration, **changed) if changed else declaration

    def _named_target(self, rdep: ReverseDependency) -> ReverseDependency:
        if isinstance(rdep, (WhenScheduled, WhenTargetScheduled)):
            return rdep if isinstance(rdep.pattern, str) else type(rdep)(self._registry.name_of(rdep.pattern))
        return rdep if isinstance(rdep, str) else self._registry.name_of(rdep)

    def _declared_proc(self, declaration: Declaration) -> BoundProc:
        args: Mapping[str, object] = declaration.args
        if args:
            caster = ArgumentCaster(declaration)
            args = {key: caster.cast(key, value, declaration.name) for key, value in args.items()}
        proc = BoundProc(declaration.name, declaration, args, declaration.order * MOST_CREATED_PER_PROTO)
        self._dependencies.check(proc)
        return proc

    def _vacate(self, names: Iterable[str], newcomer: Declaration, *, replace: bool) -> list[str]:
        """Make room for a declaration under ``names``, and return the names of the procs that are no more."""
        registry = self._registry
        taken = [name for name in dict.fromkeys(names) if name in registry.procs or registry.family(name) is not None]
        if taken and not replace:
            raise registry.taken(taken[0], newcomer)
        dropped: dict[str, None] = {}
        for name in taken:
            family = registry.family(name)
            if family is not None:
                created = [proc.name for proc in registry.procs.values() if proc.declaration is family.declaration]
                dropped.update(dict.fromkeys(created))
                registry.remove_family(family)
                self._injections.remove(family.pattern, family.declaration)
            elif name in registry.procs:
                dropped[name] = None
            for each in dropped:
                if each in registry.procs:
                    self._drop(registry.procs[each])
        return list(dropped)

    def _drop(self, proc: BoundProc) -> None:
        self._registry.remove_proc(proc)
        if not proc.declaration.is_proto:
            self._injections.remove(proc.name, proc.declaration)
