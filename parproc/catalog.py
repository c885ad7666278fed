"""All that is declared in one session: finds and makes procs by name, and works out what scheduling them means."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from parproc.core.model import ProcState, TaskSpec
from parproc.core.names import Pattern, PatternIndex, as_text, check_name, glob_expression, is_glob, nearest
from parproc.errors import ParprocError, UserError
from parproc.registry import Declaration, DepProcContext, WhenScheduled, WhenTargetScheduled, _Special
from parproc.signature import call_with

States = Callable[[str], 'ProcState | None']


class Task:
    """One proc: a declaration with its arguments."""

    __slots__ = ('args', 'declaration', 'name', 'order', 'resolved')

    def __init__(self, name: str, declaration: Declaration, args: Mapping[str, object], order: int) -> None:
        self.name = name
        self.declaration = declaration
        self.args = args
        self.order = order
        self.resolved: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What scheduling some names means.

    Args:
        specs: tasks to schedule, in no special order.
        injected: (target, dependency) edges to add to tasks scheduled earlier.
        missing: (name, needed by) for dependencies that nothing declares.
    """

    specs: tuple[TaskSpec, ...]
    injected: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]


class Catalog:
    """Procs, protos and the rules between them.

    Args:
        separator: what stands between the segments of a name.
    """

    def __init__(self, separator: str = '::') -> None:
        self.separator = separator
        self.procs: dict[str, Task] = {}
        self.protos: dict[str, Declaration] = {}
        self._patterns: dict[str, Pattern] = {}
        self._declared: dict[str, Declaration] = {}
        self._index: PatternIndex[Declaration] = PatternIndex(separator)
        self._rules: PatternIndex[Declaration] = PatternIndex(separator)
        self._choices: dict[object, object] = {}

    # --- declaring ---------------------------------------------------------------------------------------------

    def declare(self, declaration: Declaration) -> None:
        """Take a declaration in.

        Raises:
            UserError: when its name is taken, or a required argument of its function comes from nowhere.
        """
        earlier = self._declared.get(declaration.name)
        if earlier is not None:
            place = f' at {earlier.location.file}:{earlier.location.line}' if earlier.location else ''
            raise UserError(f'"{declaration.name}" is declared twice; first{place}', hint='give one of them another name')
        pattern = self._full_pattern(declaration)
        rules = [Pattern(text, self.separator) for text in _plain_rules(declaration)]
        if declaration.is_proto:
            self.protos[pattern.text] = declaration
            self._patterns[pattern.text] = pattern
            self._index.add(pattern, declaration)
        elif declaration.name in self.procs:
            raise UserError(f'"{declaration.name}" was already made from a proto', hint='declare it earlier')
        else:
            args = {**declaration.args}
            self.procs[declaration.name] = Task(declaration.name, declaration, args, len(self._declared))
        self._declared[declaration.name] = declaration
        for rule in rules:
            self._rules.add(rule, declaration)

    def _full_pattern(self, declaration: Declaration) -> Pattern:
        """Return the pattern, with a further placeholder for each required argument that nothing supplies."""
        if not declaration.is_proto:
            lacking = [name for name in declaration.signature.required if name not in declaration.args]
            if lacking:
                raise UserError(
                    f'"{declaration.name}": nothing supplies argument "{lacking[0]}"',
                    hint='give it a default, a value in args=, or declare a Proto',
                )
            return Pattern(declaration.name, self.separator)
        pattern = Pattern(declaration.name, self.separator)
        supplied = {*pattern.placeholders, *declaration.args}
        lacking = [name for name in declaration.signature.required if name not in supplied]
        if lacking:
            pattern = Pattern(self.separator.join([declaration.name, *(f'[{name}]' for name in lacking)]), self.separator)
        if not pattern.placeholders:
            raise UserError(
                f'proto "{declaration.name}" has no [placeholder]', hint='declare it with Proc, or give it one'
            )
        if isinstance(declaration.arg_choices, Mapping):
            known = (*pattern.placeholders, *declaration.signature.optional)
            for name in declaration.arg_choices:
                if name not in known:
                    raise UserError(f'"{declaration.name}": arg_choices for unknown "{name}"', hint=nearest(name, known))
        return pattern

    # --- finding and making ------------------------------------------------------------------------------------

    def create(
        self, name: str, proc_name: str | None, args: Mapping[str, object], params: Mapping[str, object]
    ) -> list[str]:
        """Return the names that ``name`` means, making procs from protos; see :meth:`parproc.Session.create`."""
        if not isinstance(name, str):
            raise UserError(f'a proc name is text, not {name!r}')
        if name in self.procs and not args:
            return [name]
        extra: dict[str, object] = {}
        pattern = self._pattern_named(name)
        if pattern is not None:
            extra = {key: value for key, value in args.items() if key not in pattern.placeholders}
            lacking = pattern.unfilled(args)
            if lacking:
                raise UserError(f'"{name}": no value for [{lacking[0]}]', hint=f'write {pattern.text} with values filled in')
            name = pattern.fill(args)
        elif args:
            extra = dict(args)
        if is_glob(name) and name not in self.procs:
            return self.expand(name, params)
        task = self.lookup(name, params, proc_name=proc_name, extra=extra)
        if task is None:
            raise UserError(f'unknown proc "{name}"', hint=self.nearest(name))
        return [task.name]

    def lookup(
        self,
        name: str,
        params: Mapping[str, object],
        *,
        proc_name: str | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> Task | None:
        """Return the proc of that exact name, made from a proto where one matches, else None.

        Raises:
            UserError: when two protos match, or a value is not allowed or does not cast.
        """
        task = self.procs.get(proc_name or name)
        if task is not None:
            return task
        found = list(self._index.matches(name))
        if len(found) > 1:
            raise UserError(f'"{name}" matches two protos: {found[0][0].text} and {found[1][0].text}')
        if not found:
            return None
        pattern, declaration, values = found[0]
        args: dict[str, object] = {**declaration.args}
        for placeholder in pattern.placeholders:
            args[placeholder] = self._value(declaration, pattern, placeholder, values[placeholder], args, params)
        for key, value in (extra or {}).items():
            known = (*declaration.signature.required, *declaration.signature.optional, *declaration.args)
            if key not in known and not declaration.signature.takes_any:
                raise UserError(f'"{pattern.text}" has no argument "{key}"', hint=nearest(key, known))
            args[key] = declaration.signature.cast(key, value, name)
        task = Task(check_name(proc_name or name), declaration, args, self._place(declaration))
        if any(callable(dep) for dep in declaration.deps):
            task.resolved = tuple(self._resolve(task, params))
        self.procs[task.name] = task
        return task

    def expand(self, glob: str, params: Mapping[str, object]) -> list[str]:
        """Return every proc that a glob means: declared ones, and protos over their choices; made if need be.

        Raises:
            UserError: when it means none, or a glob stands for a parameter without choices.
        """
        names: dict[str, None] = {}
        refusals: list[UserError] = []
        pattern = Pattern(glob, self.separator)
        for name in self.procs:
            if pattern.match(name) is not None:
                names[name] = None
        for text, declaration in self.protos.items():
            proto = self._patterns[text]
            if len(proto.segments) == len(pattern.segments):
                try:
                    names.update(dict.fromkeys(self._filled(proto, declaration, pattern.segments, params)))
                except UserError as error:
                    refusals.append(error)
        if not names:
            if refusals:
                raise refusals[0]
            raise UserError(f'"{glob}" matches no proc', hint=self.nearest(glob))
        for name in names:
            self.lookup(name, params)
        return list(names)

    def choices(
        self, declaration: Declaration, argument: str, bound: Mapping[str, object], params: Mapping[str, object]
    ) -> Sequence[object] | None:
        """Return the values an argument may have given those before it, None when any will do.

        Raises:
            UserError: when a callable of the user's raises or returns no sequence.
        """
        choices: object = declaration.arg_choices
        context = DepProcContext(declaration.name, params, bound)
        if callable(choices):
            choices = self._called(declaration, choices, context, ())
        if not isinstance(choices, Mapping) or argument not in choices:
            return None
        allowed = choices[argument]
        if callable(allowed):
            allowed = self._called(declaration, allowed, context, tuple(map(as_text, bound.values())))
        if isinstance(allowed, str) or not isinstance(allowed, Iterable):
            raise UserError(f'"{declaration.name}": arg_choices of "{argument}" must be a list, not {allowed!r}')
        return list(allowed)

    def nearest(self, name: str) -> str | None:
        """Return a hint with the known name or pattern spelled most like ``name``."""
        return nearest(name, self.words())

    def words(self) -> Iterator[str]:
        """Yield names worth suggesting: procs, and protos with their choices filled in."""
        yield from self.procs
        for text, declaration in self.protos.items():
            proto = self._patterns[text]
            try:
                yield from self._filled(proto, declaration, ['*'] * len(proto.segments), {})
            except UserError:
                yield text

    def call(self, name: str) -> Callable[[object], object]:
        """Return a function of the context that calls the proc's function with its arguments."""
        task = self.procs[name]
        return task.declaration.signature.bind(task.args)

    # --- scheduling --------------------------------------------------------------------------------------------

    def request(
        self, names: Iterable[str], *, params: Mapping[str, object], state_of: States, only: bool = False
    ) -> Request:
        """Work out what scheduling ``names`` takes: dependencies, reverse dependencies, and what they pull in.

        Args:
            names: full names.
            params: the run's parameters, for callables.
            state_of: the state of what was scheduled earlier, None for the rest.
            only: just the names, with no dependencies.

        Raises:
            UserError: for a dependency that cannot be filled in, or a WhenScheduled target that has started.
        """
        deps: dict[str, list[str]] = {}
        injected: list[tuple[str, str]] = []
        missing: list[tuple[str, str]] = []
        queue = deque((name, '') for name in names)
        while queue:
            name, needed_by = queue.popleft()
            if name in deps or state_of(name) not in (None, ProcState.IDLE):
                continue
            task = self.procs.get(name) or self.lookup(name, params)
            if task is None:
                missing.append((name, needed_by))
                continue
            mine = deps.setdefault(name, [])
            if only:
                continue
            mine.extend(self._deps_of(task, params))
            mine.extend(self._declarers_before(task, params))
            queue.extend((dep, name) for dep in mine)
            for target in self._pushed_by(task, params):
                state = state_of(target)
                if state is ProcState.WANTED:
                    injected.append((target, name))
                elif state is not None and state is not ProcState.IDLE:
                    verb = 'is running' if state is ProcState.RUNNING else 'is over'
                    raise UserError(f'"{name}" must run before "{target}", which {verb} already')
                else:
                    queue.append((target, name))
                    injected.append((target, name))
        fresh = [(target, dep) for target, dep in injected if target in deps]
        for target, dep in fresh:
            deps[target].append(dep)
        specs = tuple(self._spec(self.procs[name], mine) for name, mine in deps.items())
        return Request(specs, tuple(edge for edge in injected if edge[0] not in deps), tuple(missing))

    def _spec(self, task: Task, deps: Sequence[str]) -> TaskSpec:
        declaration = task.declaration
        return TaskSpec(
            task.name,
            tuple(dict.fromkeys(deps)),
            declaration.locks,
            declaration.wave,
            any(isinstance(dep, _Special) for dep in declaration.deps),
            declaration.timeout,
            declaration.retries,
            declaration.retry_delay,
            order=task.order,
        )

    def _deps_of(self, task: Task, params: Mapping[str, object]) -> tuple[str, ...]:
        if task.resolved is None:
            task.resolved = tuple(self._resolve(task, params))
        return task.resolved

    def _resolve(self, task: Task, params: Mapping[str, object]) -> Iterator[str]:
        context = DepProcContext(task.name, params, task.args)
        for dep in task.declaration.deps:
            if isinstance(dep, str):
                yield from self._names_of(task, dep, params)
            elif callable(dep):
                returned = self._guard(task.declaration, dep, context)
                for name in [returned] if isinstance(returned, str) else _listed(task, returned):
                    yield from self._names_of(task, name, params)

    def _names_of(self, task: Task, dep: str, params: Mapping[str, object]) -> Iterable[str]:
        if '[' in dep and dep not in self.procs:
            pattern = Pattern(dep, self.separator)
            lacking = pattern.unfilled(task.args)
            if lacking:
                raise UserError(f'"{task.name}": its dependency "{dep}" needs a value for [{lacking[0]}]')
            dep = pattern.fill(task.args)
        if is_glob(dep) and dep not in self.procs:
            return [name for name in self.expand(dep, params) if name != task.name]
        return [dep]

    def _declarers_before(self, task: Task, params: Mapping[str, object]) -> Iterator[str]:
        """Yield the procs whose reverse dependencies put them before ``task``."""
        for _, declaration, values in self._rules.matches(task.name):
            if not declaration.is_proto:
                name = declaration.name
            else:
                pattern = self._full_pattern(declaration)
                args = {**task.args, **values}
                lacking = pattern.unfilled(args)
                if lacking:
                    raise UserError(
                        f'"{declaration.name}" must run before "{task.name}", but nothing says what [{lacking[0]}] is'
                    )
                name = pattern.fill(args)
            if name != task.name:
                yield name

    def _pushed_by(self, task: Task, params: Mapping[str, object]) -> Iterator[str]:
        """Yield the targets that ``task`` schedules and goes before."""
        for rule in task.declaration.rdeps:
            if isinstance(rule, WhenScheduled):
                pattern = Pattern(rule.pattern, self.separator)
                target = pattern.fill({**dict.fromkeys(pattern.placeholders, '*'), **task.args})
                if is_glob(target):
                    yield from (name for name in self.expand(target, params) if name != task.name)
                elif self.lookup(target, params) is None:
                    raise UserError(f'"{task.name}" goes before unknown "{target}"', hint=self.nearest(target))
                else:
                    yield target

    # --- inside ------------------------------------------------------------------------------------------------

    def _place(self, declaration: Declaration) -> int:
        return len(self._declared) + len(self.procs)

    def _pattern_named(self, name: str) -> Pattern | None:
        """Return the pattern of the proto that was declared as ``name``, or whose full pattern that is."""
        if name in self._patterns:
            return self._patterns[name]
        declaration = self._declared.get(name)
        return self._full_pattern(declaration) if declaration is not None and declaration.is_proto else None

    def _value(
        self,
        declaration: Declaration,
        pattern: Pattern,
        argument: str,
        text: str,
        bound: Mapping[str, object],
        params: Mapping[str, object],
    ) -> object:
        value: object = text
        allowed = self.choices(declaration, argument, bound, params)
        if allowed is not None:
            by_text = {as_text(choice): choice for choice in allowed}
            if text not in by_text:
                close = nearest(text, by_text)
                shown = f'allowed: {", ".join(by_text)}'
                raise UserError(f'"{pattern.text}": {argument} cannot be "{text}"', hint=f'{close} {shown}' if close else shown)
            value = by_text[text]
        cast = declaration.signature.cast(argument, text, pattern.fill({**bound, argument: text}))
        return value if cast is text else cast

    def _filled(
        self, proto: Pattern, declaration: Declaration, globs: Sequence[str], params: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield each filled-out name of a proto that a glob, segment by segment, means."""

        def descend(index: int, segments: list[str], bound: dict[str, object]) -> Iterator[str]:
            if index == len(proto.segments):
                yield self.separator.join(segments)
                return
            inner = Pattern(proto.segments[index], self.separator)
            for values in self._segment_values(declaration, inner, globs[index], bound, params):
                filled = inner.fill(values)
                if glob_expression(globs[index]).fullmatch(filled):
                    yield from descend(index + 1, [*segments, filled], {**bound, **values})

        yield from descend(0, [], {**declaration.args})

    def _segment_values(
        self,
        declaration: Declaration,
        segment: Pattern,
        glob: str,
        bound: Mapping[str, object],
        params: Mapping[str, object],
    ) -> Iterator[dict[str, object]]:
        if not is_glob(glob):
            found = segment.match(glob)
            if found is not None:
                for argument, text in found.items():
                    allowed = self.choices(declaration, argument, bound, params)
                    if allowed is not None and text not in map(as_text, allowed):
                        return
                yield dict(found)
            return

        def descend(left: Sequence[str], values: dict[str, object]) -> Iterator[dict[str, object]]:
            if not left:
                yield values
                return
            allowed = self.choices(declaration, left[0], {**bound, **values}, params)
            if allowed is None:
                raise UserError(
                    f'a glob cannot stand for [{left[0]}] of "{declaration.name}", which has no arg_choices',
                    hint=f'name a value, or declare arg_choices={{{left[0]!r}: [...]}}',
                )
            for choice in allowed:
                yield from descend(left[1:], {**values, left[0]: choice})

        literal = segment.fill(dict.fromkeys(segment.placeholders, '*'))
        if segment.placeholders or glob_expression(glob).fullmatch(literal):
            yield from descend(segment.placeholders, {})

    def _called(
        self, declaration: Declaration, function: Callable[..., object], context: DepProcContext, key: object
    ) -> object:
        """Call a choices callable once for each set of arguments."""
        place = (id(function), key)
        if place not in self._choices:
            self._choices[place] = self._guard(declaration, function, context)
        return self._choices[place]

    @staticmethod
    def _guard(declaration: Declaration, function: Callable[..., object], context: DepProcContext) -> object:
        try:
            return call_with(function, context, context.args)
        except ParprocError:
            raise
        except Exception as error:
            raise UserError(
                f'"{context.proc_name}": {getattr(function, "__name__", "a callable")} of "{declaration.name}" '
                f'raised {type(error).__name__}: {error}'
            ) from error


def _plain_rules(declaration: Declaration) -> Iterator[str]:
    for rule in declaration.rdeps:
        if isinstance(rule, str):
            yield rule
        elif isinstance(rule, WhenTargetScheduled):
            yield rule.pattern


def _listed(task: Task, returned: object) -> list[str]:
    if isinstance(returned, Iterable):
        names = list(returned)
        if all(isinstance(name, str) for name in names):
            return names
    raise UserError(f'"{task.name}": a dependency callable returns a name or a list of names, not {returned!r}')
