"""All procs and protos of one session, and all that is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from parproc.catalog.bound_proc import BoundProc
from parproc.catalog.creating import NOTHING, Creator
from parproc.catalog.declaring import Declarer
from parproc.catalog.dependencies import Dependencies
from parproc.catalog.injections import Injections
from parproc.catalog.proto import ProtoFamily
from parproc.catalog.registry import Registry
from parproc.catalog.resolve import Resolution, Resolver
from parproc.core.model import ProcState
from parproc.declare.calling import bind
from parproc.declare.declaration import Declaration
from parproc.errors import InternalError, UserError


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
        self._registry = Registry(separator)
        self._dependencies = Dependencies(self._registry)
        self._injections = Injections(self._registry)
        self._declarer = Declarer(self._registry, self._dependencies, self._injections)
        self._creator = Creator(self._registry, self._dependencies)

    @property
    def procs(self) -> Mapping[str, BoundProc]:
        """Name -> proc, for each that was declared or created."""
        return self._registry.procs

    @property
    def protos(self) -> Mapping[str, Declaration]:
        """Pattern -> declaration, for each proto."""
        return self._registry.protos

    @property
    def separators(self) -> Sequence[str]:
        """What stands between the segments of names: of those to come, then of those that are declared."""
        return self._registry.separators

    @property
    def separator(self) -> str:
        """What stands between the segments of names that are declared from now on."""
        return self._registry.separator

    def set_separator(self, separator: str) -> None:
        """Let ``separator`` stand between the segments of names that are declared from now on."""
        self._registry.set_separator(separator)

    # --- declaring and creating --------------------------------------------------------------------------------

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
        return self._declarer.declare(declaration, replace=replace)

    def create(
        self,
        name: str | Callable[..., object],
        proc_name: str | None = None,
        args: Mapping[str, object] = NOTHING,
        params: Mapping[str, object] = NOTHING,
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
        return self._creator.create(name, proc_name, args, params)

    def take_now(self) -> list[str]:
        """Return the names of the ``now=True`` procs that were declared or created since this was last asked."""
        names = list(self._registry.due)
        self._registry.due.clear()
        return names

    # --- looking up --------------------------------------------------------------------------------------------

    def lookup(self, name: str, params: Mapping[str, object] = NOTHING) -> BoundProc | None:
        """Return the proc of a full name, created from a proto where one matches; None when nothing does.

        Raises:
            UserError: when two protos match, or a value in the name is not allowed or does not cast.
        """
        return self._creator.lookup(name, params)

    def glob(self, glob: str, params: Mapping[str, object] = NOTHING) -> tuple[str, ...]:
        """Return the names that a glob matches among declared procs and what protos can make of their choices.

        Raises:
            UserError: when it matches nothing, or meets an argument without choices.
        """
        return self._registry.glob(glob, params)

    def unknown(self, name: str) -> UserError:
        """Return the error for a name that nothing declares."""
        return self._registry.unknown(name)

    def nearest(self, name: str) -> str | None:
        """Return a hint with the name that was probably meant instead of ``name``, None when none comes close."""
        return self._registry.nearest(name)

    def name_of(self, function: Callable[..., object]) -> str:
        """Return the name of the proc, or the pattern of the proto, that a function is declared as.

        Raises:
            UserError: when it is declared as none, or as several.
        """
        return self._registry.name_of(function)

    def family(self, pattern: str) -> ProtoFamily:
        """Return the proto of a key of :attr:`protos`, with what its placeholders may be; raises KeyError."""
        family = self._registry.family(pattern)
        if family is None:
            raise KeyError(pattern)
        return family

    def resolved(self, text: str, declaration: Declaration) -> str:
        """Return what a name or pattern written in an included file means: its own first, then those around it."""
        return self._registry.resolved(text, declaration)

    # --- what procs need ---------------------------------------------------------------------------------------

    def texts_of(self, proc: BoundProc) -> Mapping[str, object]:
        """Return a proc's arguments as they fill patterns: as its name spells them, else those that have a text."""
        return self._registry.texts_of(proc)

    def locks_of(self, proc: BoundProc) -> tuple[str, ...]:
        """Return the names of the locks that a proc holds while it runs."""
        return self._dependencies.locks_of(proc)

    def call(self, name: str) -> Callable[[object], object]:
        """Return a callable that takes the context and runs the function of ``name`` with its arguments."""
        proc = self._registry.procs[name]
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
        proc = self._registry.procs[name]
        values = {**params, **self._registry.texts_of(proc)}
        try:
            return tuple(command.filled(values, extra_args) for command in proc.declaration.commands)
        except KeyError as error:
            raise UserError(f'nothing supplies {{{error.args[0]}}} in the command of "{name}"') from None

    def resolve(
        self,
        names: Iterable[str],
        *,
        params: Mapping[str, object] = NOTHING,
        state_of: Callable[[str], ProcState | None],
        only: bool = False,
    ) -> Resolution:
        """Return all that has to be scheduled so that ``names`` can run.

        Args:
            names: full names.
            params: the run's parameters.
            state_of: tells what was scheduled before: None or IDLE for what was not.
            only: just ``names``, with the dependencies among them.

        Raises:
            UserError: for an unknown name, a pattern that cannot be filled, a callable that fails, or a proc that would
                have to go before one which is running or done; nothing but created procs is left of the attempt.
        """
        self._injections.link()
        wanted = dict.fromkeys(names)
        for name in wanted:
            if self._creator.lookup(name, params) is None:
                raise self._registry.unknown(name)
        work = Resolver(
            self._registry,
            self._dependencies,
            self._injections,
            self._creator,
            params=params,
            state_of=state_of,
            within=frozenset(wanted) if only else None,
        )
        for name in wanted:
            work.want(name)
        resolution = work.finish()
        self._injections.note_asked()
        return resolution
