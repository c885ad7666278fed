"""All that was declared and set for a session's procs, before and while they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from parproc.catalog.catalog import Catalog
from parproc.declare.declaration import Declaration
from parproc.declare.log_filters import ignored_by
from parproc.declare.options import Options
from parproc.declare.origin import ROOT, Origin
from parproc.engine.settings import Settings


class Definitions:
    """The catalog of procs, what is set for them, and what of them starts by itself.

    Args:
        options: to begin with.
    """

    def __init__(self, options: Options) -> None:
        self._settings = Settings.of(options)
        self._catalog = Catalog(options.name_param_separator)
        self._due: list[str] = []
        self._origin = ROOT
        self._is_loading = False

    @property
    def catalog(self) -> Catalog:
        """The procs and protos that were declared, by name."""
        return self._catalog

    @property
    def settings(self) -> Settings:
        """What holds by now."""
        return self._settings

    @property
    def options(self) -> Options:
        """The options that hold by now."""
        return self._settings.options

    @property
    def params(self) -> Mapping[str, object]:
        """The params that hold by now; the mapping is another one once they change."""
        return self._settings.params

    @property
    def extra_args(self) -> tuple[str, ...]:
        """What followed ``--`` on the command line."""
        return self._settings.extra_args

    @property
    def due(self) -> tuple[str, ...]:
        """Procs that start by themselves, in the order in which they were declared or created."""
        return tuple(self._due)

    @property
    def origin(self) -> Origin:
        """The task file that is being loaded; :data:`ROOT` while none is."""
        return self._origin

    @property
    def is_loading(self) -> bool:
        """True while task files are loaded: nothing starts meanwhile."""
        return self._is_loading

    def begin_loading(self) -> None:
        """Let nothing start until :meth:`end_loading`; what is to start by itself is only remembered."""
        self._is_loading = True

    def end_loading(self) -> None:
        """Let procs be started again."""
        self._is_loading = False

    @contextmanager
    def file_of(self, origin: Origin) -> Iterator[None]:
        """Let what is declared meanwhile belong to a task file."""
        outer = self._origin
        self._origin = origin
        try:
            yield
        finally:
            self._origin = outer

    def declare(self, declaration: Declaration, *, replacing: bool) -> tuple[str, ...]:
        """Add a declaration; return the procs that are none any more; raises UserError when its name is taken."""
        dropped = tuple(self._catalog.declare(declaration, replace=replacing))
        self._due = [name for name in self._due if name not in dropped]
        return dropped

    def take_due(self) -> list[str]:
        """Return the procs that are to start by themselves and that this has not returned before."""
        due = self._catalog.take_now()
        self._due += due
        return due

    def known(self, names: Iterable[str | Callable[..., object]]) -> list[str]:
        """Return the full names of what is named, creating procs from protos; raises UserError."""
        known: dict[str, None] = {}
        for name in names:
            known.update(dict.fromkeys(self._catalog.create(name, None, {}, self.params)))
        return list(known)

    def runs_in_process(self, name: str) -> bool:
        """Return whether a proc's function is called in this very process, where nobody can end it."""
        if not self.options.run_mode.in_process:
            return False
        declaration = self._catalog.procs[name].declaration
        return declaration.function is not None and not declaration.isolated

    def ignored(self, name: str, succeeded: bool) -> re.Pattern[str] | None:
        """Return what is found in lines of a proc's log that are not shown; None when all are."""
        task = self._catalog.procs.get(name)
        own = () if task is None else task.declaration.log_ignore
        return ignored_by((*self.options.log_ignore, *own), succeeded=succeeded)

    def set(self, settings: Settings) -> None:
        """Let other settings hold from now on."""
        self._settings = settings
        self._catalog.set_separator(settings.options.name_param_separator)

    def clear(self) -> None:
        """Forget what was declared and set, but for what is fixed."""
        self._settings = self._settings.cleared()
        self._catalog = Catalog(self.options.name_param_separator)
        self._due = []
