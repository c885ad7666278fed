"""Creating procs from protos: from a filled-out name, a glob over choices, or a pattern with arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from parproc.catalog.bound_proc import MOST_CREATED_PER_PROTO, BoundProc
from parproc.catalog.dependencies import Dependencies
from parproc.catalog.proto import ProtoFamily
from parproc.catalog.registry import Registry
from parproc.core.names import check_name, is_glob
from parproc.core.plain_data import same_value, shown
from parproc.declare import checks
from parproc.declare.dependency_kinds import NoFailures
from parproc.errors import UserError

NOTHING: Mapping[str, object] = MappingProxyType({})


class Creator:
    """Creates the procs of a session.

    Args:
        registry: knows all names.
        dependencies: what procs depend on.
    """

    def __init__(self, registry: Registry, dependencies: Dependencies) -> None:
        self._registry = registry
        self._dependencies = dependencies
        self._created = 0

    def create(
        self,
        name: str | Callable[..., object],
        proc_name: str | None,
        args: Mapping[str, object],
        params: Mapping[str, object],
    ) -> list[str]:
        """Create what ``name`` means; see :meth:`parproc.catalog.catalog.Catalog.create`."""
        registry = self._registry
        if not isinstance(name, str):
            if not callable(name):
                raise checks.wrong('the name of a proc', 'text or a declared function', name)
            name = registry.name_of(name)
        proc = registry.procs.get(name)
        if proc is not None:
            self._check_same(proc, proc_name, args)
            return [name]
        family = registry.family(name)
        given = args
        if family is not None:
            given = {**family.declaration.args, **args}
            _check_complete(family, given)
            given = {key: value for key, value in given.items() if key in family.pattern.placeholders or key in args}
            if proc_name is not None and not any(isinstance(text, str) and is_glob(text) for text in given.values()):
                _check_taken(family, given)
                return [self._make(family, proc_name, given, params, {}).name]
            name = family.pattern.fill(_known_texts(family, given))
        if not is_glob(name):
            return [self._create_one(name, family, proc_name, given, params).name]
        placeholders = family.pattern.placeholders if family is not None else ()
        further = {key: value for key, value in given.items() if key not in placeholders}
        return self._create_all(name, proc_name, further, params)

    def lookup(self, name: str, params: Mapping[str, object]) -> BoundProc | None:
        """Return the proc of a full name, created from a proto where one matches; None when nothing does.

        Raises:
            UserError: when two protos match, or a value in the name is not allowed or does not cast.
        """
        proc = self._registry.procs.get(name)
        if proc is not None:
            return proc
        match = self._registry.match(name)
        return None if match is None else self._make(match[0], name, match[1], params, match[1])

    def _create_all(
        self, glob: str, proc_name: str | None, args: Mapping[str, object], params: Mapping[str, object]
    ) -> list[str]:
        registry = self._registry
        found = registry.glob(glob, params)
        if proc_name is not None and len(found) > 1:
            raise UserError(f'"{glob}" stands for {len(found)} procs, which cannot all be "{proc_name}"')
        fresh = [name for name in found if name not in registry.procs]
        try:
            return [self._create_one(each, None, proc_name, args, params).name for each in found]
        except UserError:
            for each in fresh:
                if each in registry.procs:
                    registry.remove_proc(registry.procs[each])
            raise

    def _create_one(
        self,
        name: str,
        family: ProtoFamily | None,
        proc_name: str | None,
        args: Mapping[str, object],
        params: Mapping[str, object],
    ) -> BoundProc:
        proc = self._registry.procs.get(name)
        if proc is not None and proc_name is None and (family is None or not proc.declaration.is_proto):
            placeholders = family.pattern.placeholders if family is not None else ()
            self._check_same(proc, None, {key: value for key, value in args.items() if key not in placeholders})
            return proc
        if family is not None:
            values = family.pattern.match(name) or {}
        else:
            match = self._registry.match(name)
            if match is None:
                raise self._registry.unknown(name)
            family, values = match
            for key, value in args.items():
                if not same_value(values.get(key, value), value):
                    raise UserError(f'"{name}" says {key}={values[key]!r}, not {shown(value)}')
        _check_taken(family, args)
        return self._make(family, name if proc_name is None else proc_name, {**values, **args}, params, values)

    def _make(
        self,
        family: ProtoFamily,
        name: str,
        given: Mapping[str, object],
        params: Mapping[str, object],
        texts: Mapping[str, str],
    ) -> BoundProc:
        """Create a proc, or return it where it exists.

        Args:
            family: whose it is.
            name: what it is called, which may be another name than the pattern's.
            given: its arguments.
            params: the run's parameters.
            texts: its arguments as the pattern's name spells them, as far as there is one.
        """
        registry = self._registry
        declaration = family.declaration
        args = family.bind(given, params, check_name(name), texts)
        existing = registry.procs.get(name)
        if existing is not None:
            same = existing.declaration is declaration
            if not same or not all(self._has_argument(existing, key, value) for key, value in given.items()):
                raise UserError(f'"{name}" exists already, with other arguments')
            return existing
        spelled = family.pattern.match(name) == texts if texts or family.pattern.is_concrete else False
        if not spelled and registry.family(name) is not None:
            raise registry.taken(name)
        self._created += 1
        order = declaration.order * MOST_CREATED_PER_PROTO + self._created
        beside = {key: value for key, value in given.items() if not spelled or key not in texts}
        proc = BoundProc(name, declaration, args, order, beside or None, is_renamed=not spelled)
        self._dependencies.check(proc)
        if any(not isinstance(dep, (str, NoFailures)) for dep in declaration.deps):
            self._dependencies.of(proc, params)
        registry.add_created(proc)
        if declaration.rdeps:
            family.created.append(name)
        if declaration.now and family.pattern.placeholders:
            registry.due[name] = None
        return proc

    def _check_same(self, proc: BoundProc, proc_name: str | None, args: Mapping[str, object]) -> None:
        """Raise a UserError when a proc that exists is not the one that is to be created."""
        if proc_name not in {None, proc.name}:
            raise UserError(f'"{proc.name}" exists already and cannot be created again as "{proc_name}"')
        for key, value in args.items():
            if not self._has_argument(proc, key, value):
                raise UserError(f'"{proc.name}" exists already, without {key}={shown(value)}')

    def _has_argument(self, proc: BoundProc, key: str, value: object) -> bool:
        """Return whether a proc was created with an argument of this value, as far as that can be told."""
        if proc.given is not None and key in proc.given:
            return same_value(proc.given[key], value)
        if key not in proc.args:
            return False
        return same_value(self._registry.texts_of(proc).get(key, value), value) or same_value(proc.args[key], value)


def _check_complete(family: ProtoFamily, given: Mapping[str, object]) -> None:
    """Raise a UserError when a placeholder of a proto has no value."""
    pattern = family.pattern
    unfilled = pattern.unfilled(given)
    if unfilled:
        hint = f'write {", ".join(f"{name}=..." for name in unfilled)}'
        if family.is_closed(unfilled):
            every = pattern.fill({**dict.fromkeys(unfilled, '*'), **_known_texts(family, given)})
            hint = f'"{every}" stands for all of them'
        raise UserError(f'"{pattern.text}" needs a value for {", ".join(unfilled)}', hint=hint)


def _known_texts(family: ProtoFamily, given: Mapping[str, object]) -> Mapping[str, str]:
    """Return the texts of those placeholders that have a value."""
    what = f'"{family.pattern.text}"'
    return {name: family.text_of(name, given[name], what) for name in family.pattern.placeholders if name in given}


def _check_taken(family: ProtoFamily, args: Mapping[str, object]) -> None:
    """Raise a UserError for an argument that procs of a proto do not take."""
    for key in args:
        if not family.takes(key):
            names: dict[str, object] = dict.fromkeys(family.pattern.placeholders)
            names.update(dict.fromkeys(parameter.name for parameter in family.declaration.signature.named(names)))
            hint = f'it has {", ".join(names)}' if names else None
            raise UserError(f'"{family.pattern.text}" has no argument "{key}"', hint=hint)
