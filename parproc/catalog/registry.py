"""What is declared and what exists, by name; and what a name, a glob, a pattern or a function means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from parproc.catalog.bound_proc import BoundProc
from parproc.catalog.functions import FunctionNames
from parproc.catalog.glob_index import GlobIndex
from parproc.catalog.proto import ProtoFamily
from parproc.catalog.suggestions import nearest_name
from parproc.core.names import PLACEHOLDER, Pattern, PatternIndex, is_glob, is_spelled_by
from parproc.core.plain_data import has_text, same_value
from parproc.declare.declaration import Declaration
from parproc.errors import UserError


class Registry:
    """All procs and protos of one session, filed so that each is found without looking at the others.

    Args:
        separator: what stands between the segments of names that are declared from now on.

    Attributes:
        procs: name -> proc, for each that was declared or created.
        protos: pattern -> declaration.
        due: the procs with ``now=True`` that nobody has scheduled yet, in order.
    """

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.procs: dict[str, BoundProc] = {}
        self.protos: dict[str, Declaration] = {}
        self.due: dict[str, None] = {}
        self._families: dict[str, ProtoFamily] = {}
        self._index: PatternIndex[ProtoFamily] = PatternIndex()
        self._glob_index = GlobIndex()
        self._functions = FunctionNames()
        self._patterns: dict[tuple[str, str], Pattern] = {}

    @property
    def separators(self) -> Sequence[str]:
        """What stands between the segments of names: of those to come, then of those that are declared."""
        return tuple(dict.fromkeys((self.separator, *self._glob_index.separators)))

    def set_separator(self, separator: str) -> None:
        """Let ``separator`` stand between the segments of names that are declared from now on."""
        self.separator = separator

    # --- filing ------------------------------------------------------------------------------------------------

    def add_declared(self, proc: BoundProc) -> None:
        """File a proc that was declared as one."""
        declaration = proc.declaration
        self.procs[proc.name] = proc
        self._glob_index.add(declaration.order, declaration.separator, proc.name)
        self._functions.add(declaration.function, proc.name)

    def add_created(self, proc: BoundProc) -> None:
        """File a proc that was created from a proto, through which globs find it unless it has another name."""
        self.procs[proc.name] = proc
        if proc.is_renamed:
            self._glob_index.add(proc.declaration.order, proc.declaration.separator, proc.name)

    def remove_proc(self, proc: BoundProc) -> None:
        """Forget a proc."""
        name, declaration = proc.name, proc.declaration
        del self.procs[name]
        self.due.pop(name, None)
        if not declaration.is_proto:
            self._glob_index.remove(declaration.separator, name)
            self._functions.remove(declaration.function, name)
        elif proc.is_renamed:
            self._glob_index.remove(declaration.separator, name)

    def add_family(self, family: ProtoFamily) -> None:
        """File a proto, under its name as written and under its pattern."""
        declaration, pattern = family.declaration, family.pattern
        self._families[declaration.name] = self._families[pattern.text] = family
        self.protos[pattern.text] = declaration
        self._index.add(pattern, family)
        self._glob_index.add(declaration.order, pattern.separator, family)
        self._functions.add(declaration.function, pattern.text)

    def remove_family(self, family: ProtoFamily) -> None:
        """Forget a proto, but not the procs created from it."""
        declaration, pattern = family.declaration, family.pattern
        for name in {declaration.name, pattern.text}:
            del self._families[name]
        del self.protos[pattern.text]
        self.due.pop(declaration.name, None)
        self._index.remove(pattern, family)
        self._glob_index.remove(pattern.separator, family)
        self._functions.remove(declaration.function, pattern.text)

    # --- looking up --------------------------------------------------------------------------------------------

    def family(self, name: str) -> ProtoFamily | None:
        """Return the proto of a name as written, or of a pattern; None when there is none."""
        return self._families.get(name)

    def match(self, name: str) -> tuple[ProtoFamily, dict[str, str]] | None:
        """Return the proto whose pattern a name matches, and the texts of its placeholders; None when none does.

        Raises:
            UserError: when two protos match.
        """
        found = [(family, values) for _, family, values in self._index.matches(name)]
        if len(found) > 1:
            first, second = found[0][0].pattern.text, found[1][0].pattern.text
            raise UserError(f'"{name}" matches both "{first}" and "{second}"', hint='declare it under its exact name')
        return found[0] if found else None

    def glob(self, glob: str, params: Mapping[str, object]) -> tuple[str, ...]:
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

    def taken(self, name: str, newcomer: Declaration | None = None) -> UserError:
        """Return the error for a name that is declared or created already.

        Args:
            name: the name, or the pattern of a proto.
            newcomer: what was to be declared under it; None for a proc that was to be created.
        """
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

    def name_of(self, function: Callable[..., object]) -> str:
        """Return the name of the proc, or the pattern of the proto, that a function is declared as.

        Raises:
            UserError: when it is declared as none, or as several.
        """
        return self._functions.name_of(function)

    def find_function(self, function: Callable[..., object]) -> str | None:
        """Return what :meth:`name_of` does, None for a function that is declared as nothing."""
        return self._functions.find(function)

    def pattern(self, text: str, separator: str) -> Pattern:
        """Return ``text`` as a pattern with that separator, parsed once."""
        pattern = self._patterns.get((text, separator))
        if pattern is None:
            pattern = self._patterns[text, separator] = Pattern(text, separator)
        return pattern

    # --- what is meant -----------------------------------------------------------------------------------------

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

    def texts_of(self, proc: BoundProc) -> Mapping[str, object]:
        """Return a proc's arguments as they fill patterns: as its name spells them, else those that have a text."""
        if not proc.args:
            return proc.args
        args = {key: value for key, value in proc.args.items() if has_text(value)}
        if not proc.declaration.is_proto or proc.is_renamed:
            return args
        spelled = self._families[proc.declaration.name].pattern.match(proc.name)
        return {**args, **spelled} if spelled else args

    def created_with(self, pattern: str, values: Mapping[str, str]) -> list[str]:
        """Return the names of the procs created from a proto with reverse dependencies that have these arguments."""
        created = [name for name in self._families[pattern].created if name in self.procs]
        texts = {name: self.texts_of(self.procs[name]) for name in created} if values else {}
        return [
            name
            for name in created
            if all(same_value(texts[name].get(key, text), text) for key, text in values.items())
        ]
