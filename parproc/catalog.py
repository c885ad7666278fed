"""The registry of one session: what was declared, what was created from it, and what a name means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from parproc import closure
from parproc.core.model import ProcState
from parproc.core.names import PLACEHOLDER, Pattern, PatternIndex, as_text, check_name, glob_expression, is_glob
from parproc.core.rdeps import InjectionRules, Rule
from parproc.errors import InternalError, UserError
from parproc.family import ArgumentCaster, Family
from parproc.hints import nearest_name
from parproc.registry import Declaration, DepProcContext, NoFailures, WhenScheduled, WhenTargetScheduled
from parproc.shelves import Shelves
from parproc.signature import answered, ask, bind

_NOTHING: Mapping[str, object] = MappingProxyType({})
_CREATED_PER_PROTO = 1 << 24


@dataclass(slots=True, eq=False)
class Task:
    """A proc that exists: declared as one, or created from a proto.

    Args:
        name: its full name.
        declaration: what it was declared with.
        args: its arguments, cast.
        order: its place among all tasks: by declaration, then by creation.
        deps: what it depends on with callables answered; None while that is what the declaration says, or unasked.
    """

    name: str
    declaration: Declaration
    args: Mapping[str, object]
    order: int
    deps: tuple[str | NoFailures, ...] | None = None


class Catalog:
    """All procs and protos of one session.

    Args:
        separator: what stands between the segments of names.

    Example:
        >>> from parproc.registry import declare
        >>> catalog = Catalog()
        >>> choices = {'env': ['dev', 'prod']}
        >>> catalog.declare(declare(lambda c, env: env, 'build::[env]', is_proto=True, arg_choices=choices))
        >>> catalog.create('build::*')
        ['build::dev', 'build::prod']
    """

    def __init__(self, separator: str = '::') -> None:
        self.separator = separator
        self.procs: dict[str, Task] = {}
        self.protos: dict[str, Declaration] = {}
        self.rules = InjectionRules(separator)
        self.late: set[str] = set()
        self._families: dict[str, Family] = {}
        self._index: PatternIndex[Family] = PatternIndex(separator)
        self._shelves = Shelves(separator)
        self._renamed: set[str] = set()
        self._created = 0
        self._named_by: dict[int, str] = {}
        self._requested = False
        self._unlinked: list[tuple[str | Pattern, Declaration]] = []
        self._patterns: dict[str, Pattern] = {}

    # --- declaring ---------------------------------------------------------------------------------------------

    def declare(self, declaration: Declaration) -> None:
        """Add a proc or proto.

        Raises:
            UserError: when its name is taken; the message names the place of the first.
        """
        name = declaration.name
        self._check_free(name)
        rules = [] if declaration.scope else self._rules_of(declaration)
        declarer: str | Pattern
        if declaration.is_proto:
            family = Family(declaration, self.separator)
            declarer = family.pattern
            self._check_free(declarer.text)
            self._families[name] = self._families[declarer.text] = family
            self.protos[declarer.text] = declaration
            self._index.add(declarer, family)
            self._shelves.add(declaration.order, declarer.segments, family)
        else:
            declarer = name
            args: Mapping[str, object] = declaration.args
            if args:
                caster = ArgumentCaster(declaration)
                args = {key: caster.cast(key, value, name) for key, value in args.items()}
            self.procs[name] = Task(name, declaration, args, declaration.order * _CREATED_PER_PROTO)
            self._shelves.add(declaration.order, name.split(self.separator), name)
        if declaration.function is not None and not declaration.is_proto:
            self._named_by[id(declaration.function)] = name
        for targets in rules:
            self.rules.add(targets, Rule(declarer, declaration.order))
        if declaration.scope and declaration.rdeps:
            self._unlinked.append((declarer, declaration))
        if rules and self._requested:
            self.late.add(name)

    def _check_free(self, name: str) -> None:
        task = self.procs.get(name)
        family = self._families.get(name)
        first = task.declaration if task is not None else family.declaration if family is not None else None
        if first is None:
            return
        created = task is not None and first.is_proto
        raise UserError(
            f'"{name}" was created from a Proto already' if created else f'"{name}" is declared twice',
            hint=f'first at {first.location.file}:{first.location.line}' if first.location is not None else None,
        )

    def _rules_of(self, declaration: Declaration) -> list[Pattern]:
        texts = [
            rdep.pattern if isinstance(rdep, WhenTargetScheduled) else rdep
            for rdep in declaration.rdeps
            if not isinstance(rdep, WhenScheduled)
        ]
        return [self.pattern(self.resolved(text, declaration.scope)) for text in texts]

    def _link(self) -> None:
        """Let what included files declare go before what they name, which may have been declared after them."""
        for declarer, declaration in self._unlinked:
            for targets in self._rules_of(declaration):
                self.rules.add(targets, Rule(declarer, declaration.order))
        self._unlinked = []

    # --- creating ----------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        proc_name: str | None = None,
        args: Mapping[str, object] = _NOTHING,
        params: Mapping[str, object] = _NOTHING,
    ) -> list[str]:
        """Create what ``name`` means and return the full names; what exists already is named again.

        Args:
            name: a proc, a filled-out proto name, a glob, or a proto's own name or pattern with ``args``.
            proc_name: what to call the created proc instead of its filled-out name.
            args: values for placeholders, and for further parameters of the function.
            params: the run's parameters, for callables in the declaration.

        Raises:
            UserError: for a name that nothing declares, and for values that are not allowed or do not cast.
        """
        task = self.procs.get(name)
        if task is not None:
            self._check_same(task, proc_name, args)
            return [name]
        family = self._families.get(name)
        given = args
        if family is not None:
            given = {**family.declaration.args, **args}
            name = self._fill_out(family, given)
            given = {key: value for key, value in given.items() if key in family.pattern.placeholders or key in args}
        if not is_glob(name):
            return [self._create_one(name, family, proc_name, given, params).name]
        found = self.glob(name, params)
        if proc_name is not None and len(found) > 1:
            raise UserError(f'"{name}" stands for {len(found)} procs, which cannot all be "{proc_name}"')
        placeholders = family.pattern.placeholders if family is not None else ()
        further = {key: value for key, value in given.items() if key not in placeholders}
        return [self._create_one(each, None, proc_name, further, params).name for each in found]

    def _fill_out(self, family: Family, given: Mapping[str, object]) -> str:
        pattern = family.pattern
        unfilled = pattern.unfilled(given)
        if unfilled:
            raise UserError(
                f'"{pattern.text}" needs a value for {", ".join(unfilled)}',
                hint=f'"{pattern.fill({**dict.fromkeys(unfilled, "*"), **given})}" stands for all of them',
            )
        for placeholder in pattern.placeholders:
            family.check_text(placeholder, as_text(given[placeholder]), f'"{pattern.text}"')
        return pattern.fill(given)

    def _check_same(self, task: Task, proc_name: str | None, args: Mapping[str, object]) -> None:
        if proc_name not in {None, task.name}:
            raise UserError(f'"{task.name}" exists already and cannot be created again as "{proc_name}"')
        for key, value in args.items():
            if key not in task.args or as_text(task.args[key]) != as_text(value):
                raise UserError(f'"{task.name}" exists already, without {key}={value!r}')

    def _create_one(
        self,
        name: str,
        family: Family | None,
        proc_name: str | None,
        args: Mapping[str, object],
        params: Mapping[str, object],
    ) -> Task:
        task = self.procs.get(name)
        if task is not None and proc_name is None and (family is None or not task.declaration.is_proto):
            placeholders = family.pattern.placeholders if family is not None else ()
            self._check_same(task, None, {key: value for key, value in args.items() if key not in placeholders})
            return task
        values: Mapping[str, object] = {}
        if family is None:
            match = self._match(name)
            if match is None:
                raise self.unknown(name)
            family, values = match
        for key, value in args.items():
            if as_text(values.get(key, value)) != as_text(value):
                raise UserError(f'"{name}" says {key}={values[key]!r}, not {value!r}')
            if not family.takes(key):
                raise UserError(f'"{family.pattern.text}" has no argument "{key}"', hint=_arguments_hint(family))
        return self._make(family, name, proc_name, {**values, **args}, params)

    def _make(
        self,
        family: Family,
        name: str,
        proc_name: str | None,
        given: Mapping[str, object],
        params: Mapping[str, object],
    ) -> Task:
        declaration = family.declaration
        final = name if proc_name is None else check_name(proc_name)
        args = family.bind(given, params, final)
        existing = self.procs.get(final)
        if existing is not None:
            if existing.declaration is not declaration or existing.args != args:
                raise UserError(f'"{final}" exists already, with other arguments')
            return existing
        if final != name and final in self._families:
            self._check_free(final)
        self._created += 1
        task = Task(final, declaration, args, declaration.order * _CREATED_PER_PROTO + self._created)
        if any(not isinstance(dep, (str, NoFailures)) for dep in declaration.deps):
            task.deps = self._answered(task, params)
        self.procs[final] = task
        if final != name:
            self._renamed.add(final)
            self._shelves.add(declaration.order, final.split(self.separator), final)
        return task

    # --- looking up --------------------------------------------------------------------------------------------

    def lookup(self, name: str, params: Mapping[str, object] = _NOTHING) -> Task | None:
        """Return the task of a full name, created from a proto where one matches; None when nothing does.

        Raises:
            UserError: when two protos match, or a value in the name is not allowed or does not cast.
        """
        task = self.procs.get(name)
        if task is not None:
            return task
        match = self._match(name)
        return None if match is None else self._make(match[0], name, None, match[1], params)

    def _match(self, name: str) -> tuple[Family, dict[str, str]] | None:
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
        return self._shelves.glob(glob, params, self.nearest)

    def unknown(self, name: str) -> UserError:
        """Return the error for a name that nothing declares."""
        return UserError(f'unknown proc "{name}"', hint=self.nearest(name))

    def nearest(self, name: str) -> str | None:
        """Return a hint with the name that was probably meant instead of ``name``, None when none comes close."""
        return nearest_name(name, list(self.procs), [self._families[text] for text in self.protos])

    def family(self, pattern: str) -> Family:
        """Return the proto of a key of :attr:`protos`, with what its placeholders may be."""
        return self._families[pattern]

    def pattern(self, text: str) -> Pattern:
        """Return ``text`` as a pattern, parsed once."""
        pattern = self._patterns.get(text)
        if pattern is None:
            pattern = self._patterns[text] = Pattern(text, self.separator)
        return pattern

    def resolved(self, text: str, scope: Sequence[str]) -> str:
        """Return what a name or pattern written in an included file means: its own first, then those around it.

        Args:
            text: as written.
            scope: the folders that the file's names begin with.
        """
        for depth in range(len(scope), 0, -1):
            inner = self.separator.join((*scope[:depth], text))
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
        globs = [glob_expression(part) for part in glob.split(self.separator)]
        for declared in (*self.procs, *self.protos):
            segments = declared.split(self.separator)
            if len(segments) == len(globs) and all(map(re.Pattern.fullmatch, globs, segments)):
                return True
        return False

    # --- what tasks need ---------------------------------------------------------------------------------------

    def texts_of(self, task: Task) -> Mapping[str, object]:
        """Return a task's arguments as they fill patterns: as its name spells them, else as they are."""
        if not task.declaration.is_proto or task.name in self._renamed:
            return task.args
        spelled = self._families[task.declaration.name].pattern.match(task.name)
        return {**task.args, **spelled} if spelled else task.args

    def dependencies(self, task: Task, params: Mapping[str, object]) -> tuple[str | NoFailures, ...]:
        """Return what a task depends on, as written; callables are asked once.

        Raises:
            UserError: when a callable fails, or returns no names.
        """
        if task.deps is not None:
            return task.deps
        fixed = tuple(dep for dep in task.declaration.deps if isinstance(dep, (str, NoFailures)))
        if len(fixed) == len(task.declaration.deps):
            return fixed
        task.deps = self._answered(task, params)
        return task.deps

    def _answered(self, task: Task, params: Mapping[str, object]) -> tuple[str | NoFailures, ...]:
        what = f'deps of "{task.name}"'
        found: list[str | NoFailures] = []
        for dep in task.declaration.deps:
            if isinstance(dep, (str, NoFailures)):
                found.append(dep)
                continue
            if id(dep) in self._named_by:  # the function of a proc means that proc
                found.append(self._named_by[id(dep)])
                continue
            answer = ask(dep, what, DepProcContext(task.name, params, task.args), task.args)
            names = answered(answer, (str, NoFailures), what, 'return a name, or a list of names')
            found += (check_name(item) if isinstance(item, str) else item for item in names)
        return tuple(found)

    def call(self, name: str) -> Callable[[object], object]:
        """Return a callable that takes the context and runs the function of ``name`` with its arguments."""
        task = self.procs[name]
        function = task.declaration.function
        if function is None:
            raise InternalError(f'"{name}" has no function to call')
        return bind(function, task.args, task.declaration.signature)

    def commands(
        self, name: str, params: Mapping[str, object], extra_args: Sequence[str]
    ) -> tuple[tuple[str, ...], ...]:
        """Return the commands of ``name``, each a program and its arguments, with every ``{value}`` filled in.

        Raises:
            UserError: for a value that is missing, or that its place in the command cannot take.
        """
        task = self.procs[name]
        values = {**params, **self.texts_of(task)}
        try:
            return tuple(command.filled(values, extra_args) for command in task.declaration.commands)
        except KeyError as error:
            raise UserError(f'nothing supplies {{{error.args[0]}}} in the command of "{name}"') from None

    def request(
        self,
        names: Iterable[str],
        *,
        params: Mapping[str, object] = _NOTHING,
        state_of: Callable[[str], ProcState | None],
        only: bool = False,
    ) -> closure.Request:
        """Return all that has to be scheduled for ``names``; see :func:`parproc.closure.gather`.

        Raises:
            UserError: when that cannot be done; nothing but created tasks is left of the attempt.
        """
        self._link()
        request = closure.gather(self, names, params=params, state_of=state_of, only=only)
        self._requested = True
        return request


def _arguments_hint(family: Family) -> str | None:
    names: dict[str, object] = dict.fromkeys(family.pattern.placeholders)
    names.update(dict.fromkeys(parameter.name for parameter in family.declaration.signature.named(names)))
    return f'it has {", ".join(names)}' if names else None
