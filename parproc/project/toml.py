"""Task files that are data: ``parproc.toml``, or the table ``tool.parproc`` of ``pyproject.toml``.

Everything is checked before anything of the file takes effect, and what is wrong is named with its line and key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parproc.core import commands
from parproc.core.model import Location
from parproc.core.names import nearest
from parproc.declare import checks
from parproc.declare.declaration import Declaration, make_declaration
from parproc.declare.dependency_kinds import NO_FAILURES, WhenScheduled, WhenTargetScheduled
from parproc.declare.fields import FIELDS, check_field, unknown_field
from parproc.declare.origin import Origin
from parproc.errors import UserError
from parproc.project.find import PYPROJECT
from parproc.project.trust import read_trusted

TOP_KEYS = ('default', 'include', 'dotenv', 'options', 'params', 'proc', 'proto')
OWN_KEYS = frozenset({'run', 'when_scheduled', 'when_target_scheduled', 'no_failures'})
KEYS = OWN_KEYS.union(FIELDS)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What one file says, checked.

    Args:
        path: the file.
        default: targets of a run that names none.
        include: further task files, as written.
        dotenv: files of environment variables, as written.
        options: for :meth:`parproc.Session.set_options`.
        params: parameters of the run, where nothing else sets them.
        declarations: its procs and protos.
    """

    path: str
    default: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    dotenv: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    declarations: tuple[Declaration, ...] = ()


def read_toml(path: str, origin: Callable[[Mapping[str, object]], Origin]) -> TomlFile:
    """Read a task file.

    Args:
        path: ``parproc.toml``, ``pyproject.toml``, or any other with the same tables.
        origin: given the file's options, tells what its names begin with and where its procs run.

    Raises:
        UserError: when it may not be read, is no TOML, or says something wrong.
    """
    import tomli

    try:
        text = read_trusted(path).decode()
        data: dict[str, Any] = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        line = getattr(error, 'lineno', None)
        place = f'{path}:{line}' if line else path
        raise UserError(f'{place}: {getattr(error, "msg", error)}', hint='this is no valid TOML') from error
    except UnicodeDecodeError as error:
        raise UserError(f'{path} cannot be read: {error}') from error
    except RecursionError as error:
        raise UserError(f'{path} cannot be read: what it says is nested too deeply') from error
    prefix = ''
    if os.path.basename(path) == PYPROJECT:
        data, prefix = data.get('tool', {}).get('parproc', {}), 'tool.parproc.'
    return _Reader(path, text, prefix).read(data, origin)


class _Reader:
    """One file while it is read."""

    def __init__(self, path: str, text: str, prefix: str) -> None:
        self._path = path
        self._text = text
        self._prefix = prefix
        self._headers: dict[str, int] | None = None

    def read(self, data: Mapping[str, Any], origin: Callable[[Mapping[str, object]], Origin]) -> TomlFile:
        for key in data:
            if key not in TOP_KEYS:
                raise self._error(f'unknown key "{key}"', '', key, nearest(key, TOP_KEYS))
        options = self._table(data, 'options')
        home = origin(options)
        tables = [
            (self._line(f'{kind}.{name}') or 0, kind, name, table)
            for kind in ('proc', 'proto')
            for name, table in self._table(data, kind).items()
        ]
        tables.sort(key=lambda entry: entry[0])  # TOML keeps the order within each kind only
        declarations = [self._declaration(kind, name, table, home, line) for line, kind, name, table in tables]
        return TomlFile(
            self._path,
            self._names(data, 'default'),
            self._names(data, 'include'),
            self._names(data, 'dotenv'),
            options,
            self._table(data, 'params'),
            tuple(declarations),
        )

    def _table(self, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = data.get(key, {})
        if not isinstance(value, dict):
            raise self._error(f'"{key}" must be a table, not {value!r}', '', key)
        return value

    def _names(self, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
        try:
            return checks.texts(data.get(key, ()), f'"{key}"')
        except UserError as error:
            raise self._error(error.message, '', key, error.hint) from None

    def _declaration(self, kind: str, name: str, table: Any, origin: Origin, line: int) -> Declaration:
        where = f'{kind}.{name}'
        if not isinstance(table, dict):
            raise self._error(f'"{where}" must be a table, not {table!r}', kind, name)
        if not KEYS.issuperset(table):
            key = next(key for key in table if key not in KEYS)
            error = unknown_field(f'"{where}"', key, 'key', tuple(sorted(KEYS)))
            raise self._error(error.message, where, key, error.hint)
        try:
            return make_declaration(
                None,
                name,
                is_proto=kind == 'proto',
                location=Location(self._path, max(line, 1)),
                commands=_commands(table, where),
                origin=origin,
                **_fields(table),
            )
        except UserError as error:
            raise self._error(error.message, where, self._culprit(kind, name, table), error.hint) from None

    def _culprit(self, kind: str, name: str, table: Mapping[str, Any]) -> str:
        """Return the key whose value is wrong by itself; empty when none is."""
        for key, value in table.items():
            try:
                if key == 'run':
                    _commands(table, name)
                else:
                    for own, converted in _fields({key: value}).items():
                        check_field(own, converted, kind.capitalize(), name)
            except UserError:
                return key
        return ''

    def _error(self, message: str, where: str, key: str, hint: str | None = None) -> UserError:
        line = self._line(where, key)
        return UserError(f'{self._path}{f":{line}" if line else ""}: {message}', hint=hint)

    def _line(self, where: str, key: str = '') -> int | None:
        """Return the line on which a table begins, or on which it has a key; None when that is not found."""
        if self._headers is None:
            self._headers = {}
            for number, line in enumerate(self._text.split('\n'), 1):
                stripped = line.lstrip()
                if stripped.startswith('['):
                    self._headers.setdefault(_header(stripped), number)
        start = 0
        if where:
            kind, _, name = where.partition('.')
            start = self._headers.get(f'{self._prefix}{kind}.{name}', 0)
            if not start and not key:
                return None
        elif self._prefix:
            start = self._headers.get(self._prefix[:-1], 0)
        if not key:
            return start
        return self._key_line(start, key) or start or None

    def _key_line(self, start: int, key: str) -> int | None:
        lines = self._text.split('\n')
        wanted = re.compile(rf'\s*["\']?{re.escape(key)}["\']?\s*[.=]|\s*\[.*\b{re.escape(key)}["\']?\s*[].]')
        for number, line in enumerate(lines[start:], start + 1):
            if wanted.match(line):
                return number
            if start and line.lstrip().startswith('['):
                break
        return None


def _header(line: str) -> str:
    """Return the dotted name of a table's header, without quotes."""
    if '"' not in line and "'" not in line and ' ' not in line and '#' not in line:
        return line.strip('[]\t\r')
    inner = line.rpartition(']')[0]
    parts = re.findall(r'"([^"]*)"|\'([^\']*)\'|([^.\s\[\]"\']+)', inner)
    return '.'.join(double or single or bare for double, single, bare in parts)


def _commands(table: Mapping[str, Any], where: str) -> tuple[commands.Command, ...]:
    run = table.get('run')
    if run is None:
        if not table.get('deps'):
            raise UserError(f'"{where}" has neither "run" nor "deps"', hint='say what it runs: run = "make"')
        return ()
    if isinstance(run, str):
        return (_command(run, where),)
    if isinstance(run, list) and run and all(isinstance(item, str) for item in run):
        return (_command(run, where),)
    if not isinstance(run, list) or not run:
        raise UserError(f'"run" of "{where}" must be text or a list, not {run!r}')
    return tuple(_command(item, where) for item in run)


def _command(run: object, where: str) -> commands.Command:
    if isinstance(run, str) and run.strip():
        return commands.text(run)
    if isinstance(run, list) and run and run[0] and all(isinstance(word, str) for word in run):
        return commands.words(run)
    raise UserError(f'a command of "{where}" must be text or a list of words, not {run!r}')


def _fields(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a declaration, from the keys of a table."""
    fields = {key: value for key, value in table.items() if key not in OWN_KEYS}
    if OWN_KEYS.isdisjoint(table.keys() - {'run'}):
        return fields
    if 'no_failures' in table and checks.flag(table['no_failures'], '"no_failures"'):
        fields['deps'] = [*checks.items(fields.get('deps', []), '"deps"'), NO_FAILURES]
    before: list[object] = []
    for key, kind in (('when_scheduled', WhenScheduled), ('when_target_scheduled', WhenTargetScheduled)):
        before += [kind(pattern) for pattern in checks.texts(table.get(key, ()), f'"{key}"')]
    if before:
        fields['rdeps'] = [*checks.items(fields.get('rdeps', []), '"rdeps"'), *before]
    return fields


def check_values(declarations: Sequence[Declaration], known: Callable[[Declaration], Sequence[str]]) -> None:
    """Refuse commands with a ``{value}`` that nothing supplies.

    Args:
        declarations: those of a project, all of which is loaded.
        known: the names that the commands of a declaration may use.

    Raises:
        UserError: naming the place, the value and the nearest name.
    """
    for declaration in declarations:
        used = {name for command in declaration.commands for name in command.names()}
        unknown = used.difference(known(declaration), (commands.EXTRA_ARGS,)) if used else used
        if unknown:
            name = min(unknown)
            place = declaration.location
            where = f'{place.file}:{place.line}: ' if place else ''
            close = nearest(name, (*known(declaration), commands.EXTRA_ARGS))
            raise UserError(
                f'{where}nothing supplies {{{name}}} in the command of "{declaration.name}"',
                hint=close or f'declare it under [params], or write {{{{{name}}}}} for the text itself',
            )
