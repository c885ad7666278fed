"""The registry of one session: what was declared, what was created from it, and what a name means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from parproc.catalog.functions import FunctionNames
from parproc.catalog.glob_index import GlobIndex
from parproc.catalog.proto import ArgumentCaster, ProtoFamily
from parproc.catalog.resolve import Resolution, gather
from parproc.catalog.suggestions import nearest_name
from parproc.core.model import ProcState
from parproc.core.names import PLACEHOLDER, Pattern, PatternIndex, check_name, is_glob, is_spelled_by
from parproc.core.plain_data import has_text, same_value, shown
from parproc.core.reverse_deps import InjectionRules, Rule
from parproc.declare import checks
from parproc.declare.declaration import (
    Declaration,
    Dependency,
    DepProcContext,
    NoFailures,
    ReverseDependency,
    WhenScheduled,
    WhenTargetScheduled,
    target_of,
)
from parproc.declare.signature import answered, ask, bind
from parproc.errors import InternalError, UserError

_NOTHING: Mapping[str, object] = MappingProxyType({})
_CREATED_PER_PROTO = 1 << 24


@dataclass(slots=True, eq=False)
class BoundProc:
    """A proc that exists: declared as one, or created from a proto.

    Args:
        name: its full name.
        declaration: what it was declared with.
        args: its arguments, cast.
        order: its place among all procs: by declaration, then by creation.
        given: the arguments that its name does not spell, as they were given; None where there are none.
        deps: what it depends on with callables answered; None while that is what the declaration says, or unasked.
    """

    name: str
    declaration: Declaration
    args: Mapping[str, object]
    order: int
    given: Mapping[str, object] | None = None
    deps: tuple[str | NoFailures, ...] | None = None


class Catalog:
    """All procs and protos of one session.

    Args:
        separator: what stands between the segments of names that are declared from now on.

    Example:
        >>> from parproc.declare.declaration import make_declaration
        >>> catalog = Catalog()
        >>> choices = {'env': ['dev', 'prod']}
        >>> catalog.declare(make_declaration(lambda c, env: env, 'build::[env]', is_proto=True, arg_choices=choices))
        []
        >>> catalog.create('build::*')
        ['build::dev', 'build::prod']
    """

    def __init__(self, separator: str = '::') -> None:
        self.separator = separator
        self.procs: dict[str, BoundProc] = {}
        self.protos: dict[str, Declaration] = {}
        self.rules = InjectionRules()
        self.late: set[str] = set()
        self._families: dict[str, ProtoFamily] = {}
        self._index: PatternIndex[ProtoFamily] = PatternIndex()
        self._glob_index = GlobIndex()
        self._renamed: set[str] = set()
        self._created = 0
        self._functions = FunctionNames()
        self._requested = False
        self._targets: dict[int, Sequence[Pattern]] = {}
        self._unlinked: list[tuple[str | Pattern, Declaration]] = []
        self._patterns: dict[tuple[str, str], Pattern] = {}
        self._now: dict[str, None] = {}

    @property
    def separators(self) -> Sequence[str]:
        """What stands between the segments of names: of those to come, then of those that are declared."""
        return tuple(dict.fromkeys((self.separator, *self._glob_index.separators)))

    # --- declaring ---------------------------------------------------------------------------------------------

    def declare(self, declaration: Declaration, *, replace: bool = False) -> list[str]:
        """Add a proc or proto.

        Args:
            declaration: the proc's or proto's.
            replace: let it take the place of what has its name; of a proto, all procs created from it go too.

        Returns:
            The names of the procs that are no more.

        Raises:
            UserError: when its name is taken and not to be replaced; the message names the place of the first. Nothing
                has changed then.
        """
        declaration = self._settled(declaration)
        name = declaration.name
        rules = [] if declaration.scope else self._rules_of(declaration)
        if declaration.is_proto:
            family = ProtoFamily(declaration)
            dropped = self._vacate((name, family.pattern.text), declaration, replace=replace)
            declarer: str | Pattern = family.pattern
            self._add_family(family)
        else:
            proc = self._declared_task(declaration)
            dropped = self._vacate((name,), declaration, replace=replace)
            declarer = name
            self.procs[name] = proc
            self._glob_index.add(declaration.order, declaration.separator, name)
            self._functions.add(declaration.function, name)
        self._add_rules(declarer, declaration, rules)
        if declaration.scope and declaration.rdeps:
            self._unlinked.append((declarer, declaration))
        if rules and self._requested:
            self.late.add(name)
        if declaration.now and (isinstance(declarer, str) or not declarer.placeholders):
            self._now[name] = None
        return dropped

    def set_separator(self, separator: str) -> None:
        """Let ``separator`` stand between the segments of names that are declared from now on."""
        self.separator = separator

    def take_now(self) -> list[str]:
        """Return the names of the ``now=True`` procs that were declared or created since this was last asked."""
        names = list(self._now)
        self._now.clear()
        return names

    def name_of(self, function: Callable[..., object]) -> str:
        """Return the name of the proc, or the pattern of the proto, that a function is declared as.

        Raises:
            UserError: when it is declared as none, or as several.
        """
        return self._functions.name_of(function)

    def _settled(self, declaration: Declaration) -> Declaration:
        """Return a declaration with the separator that holds by now, and with names in place of declared functions."""
        changed: dict[str, Any] = {}
        if declaration.separator != self.separator:
            changed['separator'] = self.separator
        if any(not isinstance(dep, (str, NoFailures)) for dep in declaration.deps):
            changed['deps'] = tuple(map(self._named, declaration.deps))
        if any(not isinstance(rdep, str) for rdep in declaration.rdeps):
            changed['rdeps'] = tuple(map(self._named_target, declaration.rdeps))
        return replace(declaration, **changed) if changed else declaration

    def _named(self, dep: Dependency) -> Dependency:
        if isinstance(dep, (str, NoFailures)):
            return dep
        return self._functions.find(dep) or dep

    def _named_target(self, rdep: ReverseDependency) -> ReverseDependency:
        if isinstance(rdep, (WhenScheduled, WhenTargetScheduled)):
            return rdep if isinstance(rdep.pattern, str) else type(rdep)(self.name_of(rdep.pattern))
        return rdep if isinstance(rdep, str) else self.name_of(rdep)

    def _declared_task(self, declaration: Declaration) -> BoundProc:
        args: Mapping[str, object] = declaration.args
        if args:
            caster = ArgumentCaster(declaration)
            args = {key: caster.cast(key, value, declaration.name) for key, value in args.items()}
        proc = BoundProc(declaration.name, declaration, args, declaration.order * _CREATED_PER_PROTO)
        self._check_deps(proc)
        return proc

    def _add_family(self, family: ProtoFamily) -> None:
        declaration, pattern = family.declaration, family.pattern
        self._families[declaration.name] = self._families[pattern.text] = family
        self.protos[pattern.text] = declaration
        self._index.add(pattern, family)
        self._glob_index.add(declaration.order, pattern.separator, family)
        self._functions.add(declaration.function, pattern.text)

    def _rules_of(self, declaration: Declaration) -> list[Pattern]:
        texts = [target_of(rdep) for rdep in declaration.rdeps if not isinstance(rdep, WhenScheduled)]
        return [self.pattern(self.resolved(text, declaration), declaration.separator) for text in texts]

    def _link(self) -> None:
        """Let what included files declare go before what they name, which may have been declared after them."""
        for declarer, declaration in self._unlinked:
            self._add_rules(declarer, declaration, self._rules_of(declaration))
        self._unlinked = []

    def _add_rules(self, declarer: str | Pattern, declaration: Declaration, targets: Sequence[Pattern]) -> None:
        for pattern in targets:
            self.rules.add(pattern, Rule(declarer, declaration.order))
        if targets:
            self._targets[declaration.order] = targets

    # --- taking back -------------------------------------------------------------------------------------------

    def _vacate(self, names: Iterable[str], newcomer: Declaration, *, replace: bool) -> list[str]:
        """Make room for a declaration under ``names``, and return the names of the procs that are no more."""
        taken = [name for name in dict.fromkeys(names) if name in self.procs or name in self._families]
        if taken and not replace:
            raise self._taken(taken[0], newcomer)
        dropped: dict[str, None] = {}
        for name in taken:
            family = self._families.get(name)
            if family is not None:
                made = [proc.name for proc in self.procs.values() if proc.declaration is family.declaration]
                dropped.update(dict.fromkeys(made))
                self._drop_family(family)
            elif name in self.procs:
                dropped[name] = None
            for each in dropped:
                if each in self.procs:
                    self._drop(self.procs[each])
        return list(dropped)

    def _taken(self, name: str, newcomer: Declaration | None = None) -> UserError:
        proc = self.procs.get(name)
        first = self._families[name].declaration if proc is None else proc.declaration
        hints = [] if first.location is None else [f'first at {first.location.file}:{first.location.line}']
        if newcomer is not None and newcomer.function is not None:
            hints.append('replace=True puts this one in its place')
        created = proc is not None and first.is_proto
        return UserError(
            f'"{name}" was created from a Proto already' if created else f'"{name}" is declared twice',
            hint='; '.join(hints) or None,
        )

    def _drop(self, proc: BoundProc) -> None:
        name, declaration = proc.name, proc.declaration
        del self.procs[name]
        self._now.pop(name, None)
        if not declaration.is_proto:
            self._glob_index.remove(declaration.separator, name)
            self._unrule(name, declaration)
            self._functions.remove(declaration.function, name)
        elif name in self._renamed:
            self._renamed.discard(name)
            self._glob_index.remove(declaration.separator, name)

    def _drop_family(self, family: ProtoFamily) -> None:
        declaration, pattern = family.declaration, family.pattern
        for name in {declaration.name, pattern.text}:
            del self._families[name]
        del self.protos[pattern.text]
        self._now.pop(declaration.name, None)
        self._index.remove(pattern, family)
        self._glob_index.remove(pattern.separator, family)
        self._unrule(pattern, declaration)
        self._functions.remove(declaration.function, pattern.text)

    def _unrule(self, declarer: str | Pattern, declaration: Declaration) -> None:
        for pattern in self._targets.pop(declaration.order, ()):
            self.rules.remove(pattern, Rule(declarer, declaration.order))
        self._unlinked = [entry for entry in self._unlinked if entry[1] is not declaration]
        self.late.discard(declaration.name)

    # --- creating ----------------------------------------------------------------------------------------------

    def create(
        self,
        name: str | Callable[..., object],
        proc_name: str | None = None,
        args: Mapping[str, object] = _NOTHING,
        params: Mapping[str, object] = _NOTHING,
    ) -> list[str]:
        """Create what ``name`` means and return the full names; what exists already is named again.

        Args:
            name: a proc, a filled-out proto name, a glob, or a proto's own name or pattern with ``args``; a declared
                function stands for its proc or proto.
            proc_name: what to call the created proc instead of its filled-out name.
            args: values for placeholders, and for further parameters of the function.
            params: the run's parameters, for callables in the declaration.

        Raises:
            UserError: for a name that nothing declares, and for values that are not allowed or do not cast. Nothing
                was created then.
        """
        if not isinstance(name, str):
            if not callable(name):
                raise checks.wrong('the name of a proc', 'text or a declared function', name)
            name = self.name_of(name)
        proc = self.procs.get(name)
        if proc is not None:
            self._check_same(proc, proc_name, args)
            return [name]
        family = self._families.get(name)
        given = args
        if family is not None:
            given = {**family.declaration.args, **args}
            self._check_complete(family, given)
            given = {key: value for key, value in given.items() if key in family.pattern.placeholders or key in args}
            if proc_name is not None and not any(isinstance(text, str) and is_glob(text) for text in given.values()):
                self._check_taken(family, given)
                return [self._make(family, proc_name, given, params, {}).name]
            name = self._fill_out(family, given)
        if not is_glob(name):
            return [self._create_one(name, family, proc_name, given, params).name]
        placeholders = family.pattern.placeholders if family is not None else ()
        further = {key: value for key, value in given.items() if key not in placeholders}
        return self._create_all(name, proc_name, further, params)

    def _create_all(
        self, glob: str, proc_name: str | None, args: Mapping[str, object], params: Mapping[str, object]
    ) -> list[str]:
        found = self.glob(glob, params)
        if proc_name is not None and len(found) > 1:
            raise UserError(f'"{glob}" stands for {len(found)} procs, which cannot all be "{proc_name}"')
        fresh = [name for name in found if name not in self.procs]
        try:
            return [self._create_one(each, None, proc_name, args, params).name for each in found]
        except UserError:
            for each in fresh:
                if each in self.procs:
                    self._drop(self.procs[each])
            raise

    def _check_complete(self, family: ProtoFamily, given: Mapping[str, object]) -> None:
        pattern = family.pattern
        unfilled = pattern.unfilled(given)
        if unfilled:
            hint = f'write {", ".join(f"{name}=..." for name in unfilled)}'
            if family.is_closed(unfilled):
                every = pattern.fill({**dict.fromkeys(unfilled, '*'), **self._known_texts(family, given)})
                hint = f'"{every}" stands for all of them'
            raise UserError(f'"{pattern.text}" needs a value for {", ".join(unfilled)}', hint=hint)

    @staticmethod
    def _known_texts(family: ProtoFamily, given: Mapping[str, object]) -> Mapping[str, str]:
        what = f'"{family.pattern.text}"'
        return {name: family.text_of(name, given[name], what) for name in family.pattern.placeholders if name in given}

    def _fill_out(self, family: ProtoFamily, given: Mapping[str, object]) -> str:
        return family.pattern.fill(self._known_texts(family, given))

    def _check_taken(self, family: ProtoFamily, args: Mapping[str, object]) -> None:
        for key in args:
            if not family.takes(key):
                raise UserError(f'"{family.pattern.text}" has no argument "{key}"', hint=_arguments_hint(family))

    def _check_same(self, proc: BoundProc, proc_name: str | None, args: Mapping[str, object]) -> None:
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
        return same_value(self.texts_of(proc).get(key, value), value) or same_value(proc.args[key], value)

    def _create_one(
        self,
        name: str,
        family: ProtoFamily | None,
        proc_name: str | None,
        args: Mapping[str, object],
        params: Mapping[str, object],
    ) -> BoundProc:
        proc = self.procs.get(name)
        if proc is not None and proc_name is None and (family is None or not proc.declaration.is_proto):
            placeholders = family.pattern.placeholders if family is not None else ()
            self._check_same(proc, None, {key: value for key, value in args.items() if key not in placeholders})
            return proc
        if family is not None:
            values = family.pattern.match(name) or {}
        else:
            match = self._match(name)
            if match is None:
                raise self.unknown(name)
            family, values = match
            for key, value in args.items():
                if not same_value(values.get(key, value), value):
                    raise UserError(f'"{name}" says {key}={values[key]!r}, not {shown(value)}')
        self._check_taken(family, args)
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
        declaration = family.declaration
        args = family.bind(given, params, check_name(name), texts)
        existing = self.procs.get(name)
        if existing is not None:
            same = existing.declaration is declaration
            if not same or not all(self._has_argument(existing, key, value) for key, value in given.items()):
                raise UserError(f'"{name}" exists already, with other arguments')
            return existing
        spelled = family.pattern.match(name) == texts if texts or family.pattern.is_concrete else False
        if not spelled and name in self._families:
            raise self._taken(name)
        self._created += 1
        order = declaration.order * _CREATED_PER_PROTO + self._created
        beside = {key: value for key, value in given.items() if not spelled or key not in texts}
        proc = BoundProc(name, declaration, args, order, beside or None)
        if not spelled:
            self._renamed.add(name)
        try:
            self._check_deps(proc)
            if any(not isinstance(dep, (str, NoFailures)) for dep in declaration.deps):
                proc.deps = self._answered(proc, params)
        except UserError:
            self._renamed.discard(name)
            raise
        self.procs[name] = proc
        if not spelled:
            self._glob_index.add(declaration.order, declaration.separator, name)
        if declaration.rdeps:
            family.made.append(name)
        if declaration.now and family.pattern.placeholders:
            self._now[name] = None
        return proc

    # --- looking up --------------------------------------------------------------------------------------------

    def lookup(self, name: str, params: Mapping[str, object] = _NOTHING) -> BoundProc | None:
        """Return the proc of a full name, created from a proto where one matches; None when nothing does.

        Raises:
            UserError: when two protos match, or a value in the name is not allowed or does not cast.
        """
        proc = self.procs.get(name)
        if proc is not None:
            return proc
        match = self._match(name)
        return None if match is None else self._make(match[0], name, match[1], params, match[1])

    def _match(self, name: str) -> tuple[ProtoFamily, dict[str, str]] | None:
        found = [(family, values) for _, family, values in self._index.matches(name)]
        if len(found) > 1:
            first, second = found[0][0].pattern.text, found[1][0].pattern.text
            raise UserError(f'"{name}" matches both "{first}" and "{second}"', hint='declare it under its exact name')
        return found[0] if found else None

    def glob(self, glob: str, params: Mapping[str, object] = _NOTHING) -> tuple[str, ...]:
        """Return the names that a glob matches among declared procs and what protos can make of their choices.

        Raises:
            UserError: when it matches nothing, or meets an argument without choices.
        """
        return self._glob_index.glob(glob, params, self.nearest)

    def unknown(self, name: str) -> UserError:
        """Return the error for a name that nothing declares."""
        return UserError(f'unknown proc "{name}"', hint=self.nearest(name))

    def nearest(self, name: str) -> str | None:
        """Return a hint with the name that was probably meant instead of ``name``, None when none comes close."""
        return nearest_name(name, list(self.procs), [self._families[text] for text in self.protos])

    def family(self, pattern: str) -> ProtoFamily:
        """Return the proto of a key of :attr:`protos`, with what its placeholders may be."""
        return self._families[pattern]

    def pattern(self, text: str, separator: str) -> Pattern:
        """Return ``text`` as a pattern with that separator, parsed once."""
        pattern = self._patterns.get((text, separator))
        if pattern is None:
            pattern = self._patterns[text, separator] = Pattern(text, separator)
        return pattern

    def resolved(self, text: str, declaration: Declaration) -> str:
        """Return what a name or pattern written in an included file means: its own first, then those around it.

        Args:
            text: as written.
            declaration: whose it is; it knows the folders that its file's names begin with.
        """
        scope = declaration.scope
        for depth in range(len(scope), 0, -1):
            inner = declaration.separator.join((*scope[:depth], text))
            if self._knows(inner):
                return inner
        return text

    def _knows(self, text: str) -> bool:
        """Return whether something is declared that a name, glob or pattern means."""
        if text in self.procs or text in self._families:
            return True
        glob = PLACEHOLDER.sub('*', text)
        if not is_glob(glob):
            return any(True for _ in self._index.matches(text))
        declared = {name: proc.declaration for name, proc in self.procs.items()}
        return any(
            is_spelled_by(name, glob, declaration.separator)
            for name, declaration in {**declared, **self.protos}.items()
        )

    # --- what procs need ---------------------------------------------------------------------------------------

    def texts_of(self, proc: BoundProc) -> Mapping[str, object]:
        """Return a proc's arguments as they fill patterns: as its name spells them, else those that have a text."""
        if not proc.args:
            return proc.args
        args = {key: value for key, value in proc.args.items() if has_text(value)}
        if not proc.declaration.is_proto or proc.name in self._renamed:
            return args
        spelled = self._families[proc.declaration.name].pattern.match(proc.name)
        return {**args, **spelled} if spelled else args

    def made_of(self, pattern: str, values: Mapping[str, str]) -> list[str]:
        """Return the names of the procs created from a proto with reverse dependencies that have these arguments."""
        made = [name for name in self._families[pattern].made if name in self.procs]
        texts = {name: self.texts_of(self.procs[name]) for name in made} if values else {}
        return [
            name for name in made if all(same_value(texts[name].get(key, text), text) for key, text in values.items())
        ]

    def locks_of(self, proc: BoundProc) -> tuple[str, ...]:
        """Return the names of the locks that a proc holds while it runs."""
        locks = proc.declaration.locks
        if not any('[' in lock for lock in locks):
            return locks
        args = self.texts_of(proc)
        return tuple(self.pattern(lock, proc.declaration.separator).fill(args) for lock in locks)

    def dependencies(self, proc: BoundProc, params: Mapping[str, object]) -> tuple[str | NoFailures, ...]:
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

    def filled(self, text: str, proc: BoundProc) -> str:
        """Return a dependency, as written, with a proc's arguments filled in.

        Raises:
            UserError: when nothing fills one of its placeholders.
        """
        pattern = self.pattern(text, proc.declaration.separator)
        args = self.texts_of(proc)
        unfilled = pattern.unfilled(args)
        if unfilled:
            known = ', '.join(args)
            raise UserError(
                f'dependency "{text}" of "{proc.name}": nothing fills [{unfilled[0]}]',
                hint=f'its arguments: {known}' if known else 'it has no arguments',
            )
        return pattern.fill(args)

    def _check_deps(self, proc: BoundProc) -> None:
        """Refuse a dependency that can never be filled, when its proc comes to be."""
        for dep in proc.declaration.deps:
            if isinstance(dep, str) and '[' in dep and dep not in self.procs:
                self.filled(dep, proc)

    def _answered(self, proc: BoundProc, params: Mapping[str, object]) -> tuple[str | NoFailures, ...]:
        what = f'deps of "{proc.name}"'
        found: list[str | NoFailures] = []
        for dep in map(self._named, proc.declaration.deps):
            if isinstance(dep, (str, NoFailures)):
                found.append(dep)
                continue
            answer = ask(dep, what, DepProcContext(proc.name, params, proc.args), proc.args)
            names = answered(answer, (str, NoFailures), what, 'return a name, or a list of names')
            found += (check_name(item) if isinstance(item, str) else item for item in names)
        return tuple(found)

    def call(self, name: str) -> Callable[[object], object]:
        """Return a callable that takes the context and runs the function of ``name`` with its arguments."""
        proc = self.procs[name]
        function = proc.declaration.function
        if function is None:
            raise InternalError(f'"{name}" has no function to call')
        return bind(function, proc.args, proc.declaration.signature)

    def commands(
        self, name: str, params: Mapping[str, object], extra_args: Sequence[str]
    ) -> tuple[tuple[str, ...], ...]:
        """Return the commands of ``name``, each a program and its arguments, with every ``{value}`` filled in.

        Raises:
            UserError: for a value that is missing, or that its place in the command cannot take.
        """
        proc = self.procs[name]
        values = {**params, **self.texts_of(proc)}
        try:
            return tuple(command.filled(values, extra_args) for command in proc.declaration.commands)
        except KeyError as error:
            raise UserError(f'nothing supplies {{{error.args[0]}}} in the command of "{name}"') from None

    def resolve(
        self,
        names: Iterable[str],
        *,
        params: Mapping[str, object] = _NOTHING,
        state_of: Callable[[str], ProcState | None],
        only: bool = False,
    ) -> Resolution:
        """Return all that has to be scheduled for ``names``; see :func:`parproc.catalog.resolve.gather`.

        Raises:
            UserError: when that cannot be done; nothing but created procs is left of the attempt.
        """
        self._link()
        resolution = gather(self, names, params=params, state_of=state_of, only=only)
        self._requested = True
        return resolution


def _arguments_hint(family: ProtoFamily) -> str | None:
    names: dict[str, object] = dict.fromkeys(family.pattern.placeholders)
    names.update(dict.fromkeys(parameter.name for parameter in family.declaration.signature.named(names)))
    return f'it has {", ".join(names)}' if names else None
