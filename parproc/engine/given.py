"""What procs were given when they last started, to tell whether they would be given anything else now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from parproc.engine.definitions import Definitions

Commands: TypeAlias = tuple[tuple[str, ...], ...]

_ABSENT = object()


class GivenValues:
    """Params and commands by the names of the procs that have started with them."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[Mapping[str, object], Commands]] = {}

    def note(self, name: str, params: Mapping[str, object], commands: Commands) -> None:
        """Note what a proc starts with; ``commands`` are those that it runs, filled out, none for a function."""
        self._given[name] = (params, commands)

    def differs(self, name: str, definitions: Definitions, params_read: frozenset[str] | None) -> bool:
        """Return whether a proc would start with other values now; False for one that has never started.

        Args:
            name: of the proc.
            definitions: what holds now.
            params_read: the params that it has looked for; None for all there are. Others do not count.
        """
        if name not in self._given:
            return False
        params, commands = self._given[name]
        now = definitions.params
        if commands:
            return commands != definitions.catalog.commands(name, now, definitions.extra_args)
        if params is now:
            return False
        compared = {*params, *now} if params_read is None else params_read
        return any(not _is_same(params.get(key, _ABSENT), now.get(key, _ABSENT)) for key in compared)


def _is_same(old: object, new: object) -> bool:
    """Return whether a param has the value it had; what cannot be compared has, if it is the same object."""
    if old is new:
        return True
    try:
        return type(old) is type(new) and bool(old == new)
    except Exception:
        return False
