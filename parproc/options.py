"""What can be set for a session, with the values each option may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace

from parproc.core.durations import parse_duration
from parproc.core.names import nearest
from parproc.errors import UserError

MODES = ('mp', 'single')


@dataclass(frozen=True, slots=True)
class IgnoreLogAlways:
    """Lines of logs that are never shown: those in which ``pattern``, a regular expression, is found."""

    pattern: str

    def __post_init__(self) -> None:
        _check_pattern(self.pattern)


@dataclass(frozen=True, slots=True)
class IgnoreLogIfSucceeded:
    """Lines of logs that are shown only when the proc failed: those in which ``pattern`` is found."""

    pattern: str

    def __post_init__(self) -> None:
        _check_pattern(self.pattern)


def _check_pattern(pattern: object) -> None:
    if not isinstance(pattern, str):
        raise UserError(f'a pattern of log_ignore must be text, not {pattern!r}')
    try:
        re.compile(pattern)
    except re.error as error:
        raise UserError(f'log_ignore: {pattern!r} is no regular expression: {error}') from None


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a session.

    Args:
        parallel: how many procs may run at once.
        mode: ``mp`` runs each proc in a child process, ``single`` all of them in this one.
        dynamic: live terminal output; None decides by the terminal.
        name_param_separator: what stands between the segments of a name.
        allow_missing_deps: wait for a dependency that is not declared yet, as long as something could declare it.
        fail_fast: start nothing new after a failure.
        task_db_path: file of the history, None for the state folder's.
        grace: seconds between SIGTERM and SIGKILL for a proc that took too long.
        stop_grace: seconds between the signal that stops a run and SIGKILL.
        state_dir: folder for logs and large results, None for a temporary one.
        full_log_on_failure: show a failed proc's whole log.
        log_ignore: lines of logs that are not shown: regular expressions, :class:`IgnoreLogAlways`,
            :class:`IgnoreLogIfSucceeded`; they stay in the logs themselves.
    """

    parallel: int = 100
    mode: str = 'mp'
    dynamic: bool | None = None
    name_param_separator: str = '::'
    allow_missing_deps: bool = True
    fail_fast: bool = False
    task_db_path: str | None = None
    grace: float = 5.0
    stop_grace: float = 10.0
    state_dir: str | None = None
    full_log_on_failure: bool = False
    log_ignore: tuple[IgnoreLogAlways | IgnoreLogIfSucceeded, ...] = ()

    def updated(self, **values: object) -> Options:
        """Return these options with some changed.

        Raises:
            UserError: for an unknown option or a bad value.
        """
        checked: dict[str, object] = {}
        for name, value in values.items():
            check = _CHECKS.get(name)
            if check is None:
                raise UserError(f'unknown option "{name}"', hint=nearest(name, (field.name for field in fields(self))))
            checked[name] = check(f'option {name}', value)
        return replace(self, **checked)  # type: ignore[arg-type]


def _parallel(what: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f'{what} must be a whole number from 1, not {value!r}')
    return value


def _mode(what: str, value: object) -> str:
    if value not in MODES:
        raise UserError(f'{what} must be one of {", ".join(MODES)}, not {value!r}', hint=nearest(str(value), MODES))
    return str(value)


def _bool(what: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise UserError(f'{what} must be True or False, not {value!r}')
    return value


def _optional_bool(what: str, value: object) -> bool | None:
    return None if value is None else _bool(what, value)


def _separator(what: str, value: object) -> str:
    if not isinstance(value, str) or not value or any(char in value for char in '[]*?') or not value.isprintable():
        raise UserError(f'{what} must be text without brackets and globs, not {value!r}')
    return value


def _optional_path(what: str, value: object) -> str | None:
    import os

    if value is not None and not isinstance(value, (str, os.PathLike)):
        raise UserError(f'{what} must be a path, not {value!r}')
    return None if value is None else str(value)


def _log_ignore(what: str, value: object) -> tuple[IgnoreLogAlways | IgnoreLogIfSucceeded, ...]:
    if isinstance(value, (str, IgnoreLogAlways, IgnoreLogIfSucceeded)) or not isinstance(value, Iterable):
        raise UserError(f'{what} must be a list, not {value!r}', hint='put it in brackets: [...]')
    kinds = (IgnoreLogAlways, IgnoreLogIfSucceeded)
    patterns = [item.pattern if isinstance(item, re.Pattern) else item for item in value]
    return tuple(item if isinstance(item, kinds) else IgnoreLogAlways(item) for item in patterns)


def _duration(what: str, value: object) -> float:
    return parse_duration(value, what)


_CHECKS: dict[str, Callable[[str, object], object]] = {
    'parallel': _parallel,
    'mode': _mode,
    'dynamic': _optional_bool,
    'name_param_separator': _separator,
    'allow_missing_deps': _bool,
    'fail_fast': _bool,
    'task_db_path': _optional_path,
    'grace': _duration,
    'stop_grace': _duration,
    'state_dir': _optional_path,
    'full_log_on_failure': _bool,
    'log_ignore': _log_ignore,
}


def ignored_lines(options: Options, succeeded: bool) -> re.Pattern[str] | None:
    """Return what is found in the lines of a log that are not shown; None when all are.

    Args:
        options: hold the patterns.
        succeeded: whether the proc did.
    """
    patterns = [item.pattern for item in options.log_ignore if succeeded or isinstance(item, IgnoreLogAlways)]
    return re.compile('|'.join(f'(?:{pattern})' for pattern in patterns)) if patterns else None
