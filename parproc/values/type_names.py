"""Types and exceptions as messages name them, whatever they say of themselves."""

from __future__ import annotations

import builtins

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_qualname_of = type.__dict__['__qualname__'].__get__
_module_of = type.__dict__['__module__'].__get__


def type_name(value: object) -> str:
    """Return the name of a value's type, with its module unless that is builtins."""
    return name_of(type(value))


def name_of(kind: type) -> str:
    """Return a type's name, with its module unless that is builtins, whatever the type says of itself."""
    name = str.__str__(_qualname_of(kind))
    try:
        module = _module_of(kind)
    except AttributeError:
        return name
    return name if type(module) is not str or module == 'builtins' else f'{module}.{name}'


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, bounded; its type's name where it has none."""
    try:
        return (str.__str__(str(error)).splitlines() or [name_of(type(error))])[0][:200]
    except BaseException:
        return name_of(type(error))
