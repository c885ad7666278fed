"""Casting the arguments of one declaration, from the text in a name to what its function expects."""

from __future__ import annotations

from parproc.core.plain_data import shown
from parproc.declare.casting import Caster, annotations_of, caster_for, scope_of, type_name
from parproc.declare.declaration import Declaration
from parproc.errors import UserError


class ArgumentCaster:
    """Casts the arguments of one declaration by the annotations of its function, each read once."""

    __slots__ = ('_casters', '_declaration')

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._casters: dict[str, Caster | None] = {}

    def cast(self, argument: str, value: object, subject: str) -> object:
        """Return ``value`` as the function expects it; what is no text stays as it is.

        Args:
            argument: the parameter's name.
            value: what was given for it.
            subject: the proc's name, for the error.

        Raises:
            UserError: when it does not cast.
        """
        if not isinstance(value, str):
            return value
        if argument not in self._casters:
            self._casters[argument] = self._caster(argument, subject)
        caster = self._casters[argument]
        if caster is None:
            return value
        try:
            return caster(value)
        except Exception as error:
            kind = type_name(annotations_of(self._declaration.function)[argument])
            raise UserError(
                f'"{subject}": {argument}={shown(value)} is not {kind}', hint=str(error).partition('\n')[0] or None
            ) from error

    def annotates(self, argument: str) -> bool:
        """Return whether the function says of which type it expects the argument."""
        return argument in annotations_of(self._declaration.function)

    def _caster(self, argument: str, subject: str) -> Caster | None:
        if not self.annotates(argument):
            return None
        function = self._declaration.function
        try:
            return caster_for(annotations_of(function)[argument], scope_of(function))
        except UserError as error:
            raise UserError(f'"{subject}": argument "{argument}": {error.message}', hint=error.hint) from error
