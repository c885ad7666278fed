"""What can be set for a session, with the values each option may have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

from parproc.core.durations import parse_duration
from parproc.core.names import nearest
from parproc.core.plain_data import shown
from parproc.declare import checks
from parproc.declare.option_choices import MODES, OUTPUTS
from parproc.declare.run_mode import RUN_MODES, RunMode
from parproc.errors import UserError


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


IgnoredLines: TypeAlias = tuple[IgnoreLogAlways | IgnoreLogIfSucceeded, ...]


def _check_pattern(pattern: object) -> None:
    if not isinstance(pattern, str):
        raise UserError(f'a pattern of log_ignore must be text, not {shown(pattern)}')
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
        output: how a run is shown: one of :data:`parproc.declare.option_choices.OUTPUTS`; ``auto`` leaves it to ``dynamic`` and the terminal.
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
    output: str = 'auto'
    name_param_separator: str = '::'
    allow_missing_deps: bool = True
    fail_fast: bool = False
    task_db_path: str | None = None
    grace: float = 5.0
    stop_grace: float = 10.0
    state_dir: str | None = None
    full_log_on_failure: bool = False
    log_ignore: IgnoredLines = ()

    @property
    def run_mode(self) -> RunMode:
        """What ``mode`` means."""
        return RUN_MODES[self.mode]

    def updated(self, **values: object) -> Options:
        """Return these options with some changed; None leaves an option as it is, unless it is one of its values.

        Raises:
            UserError: for an unknown option or a bad value.
        """
        checked: dict[str, object] = {}
        for name, value in values.items():
            check = _CHECKS.get(name)
            if check is None:
                raise UserError(f'unknown option "{name}"', hint=nearest(name, (field.name for field in fields(self))))
            if value is not None or name in _MAY_BE_NONE:
                checked[name] = check(value, f'option {name}')
        return replace(self, **checked)  # type: ignore[arg-type]


def _parallel(value: object, what: str) -> int:
    number = checks.whole_number(value, what)
    if number < 1:
        raise checks.wrong(what, 'a whole number from 1', value)
    return number


def _optional_flag(value: object, what: str) -> bool | None:
    return None if value is None else checks.flag(value, what)


def _one_of(allowed: tuple[str, ...]) -> Callable[[object, str], str]:
    def check(value: object, what: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            hint = nearest(value, allowed) if isinstance(value, str) else None
            raise checks.wrong(what, f'one of {", ".join(allowed)}', value, hint)
        return value

    return check


def _separator(value: object, what: str) -> str:
    if not isinstance(value, str) or not value or any(char in value for char in '[]*?') or not value.isprintable():
        raise checks.wrong(what, 'text without brackets and globs', value)
    return value


def _optional_path(value: object, what: str) -> str | None:
    return None if value is None else checks.path(value, what)


def log_ignore(value: object, what: str) -> IgnoredLines:
    """Return patterns of lines that are not shown, where ``value`` is a list of such; raises UserError."""
    kinds = (IgnoreLogAlways, IgnoreLogIfSucceeded)
    if isinstance(value, kinds):
        raise checks.wrong(what, 'a list', value, hint='put it in brackets: [...]')
    patterns = [item.pattern if isinstance(item, re.Pattern) else item for item in checks.items(value, what)]
    return tuple(
        item if isinstance(item, kinds) else IgnoreLogAlways(checks.text(item, f'a pattern of {what}'))
        for item in patterns
    )


_CHECKS: dict[str, Callable[[object, str], object]] = {
    'parallel': _parallel,
    'mode': _one_of(MODES),
    'dynamic': _optional_flag,
    'output': _one_of(OUTPUTS),
    'name_param_separator': _separator,
    'allow_missing_deps': checks.flag,
    'fail_fast': checks.flag,
    'task_db_path': _optional_path,
    'grace': parse_duration,
    'stop_grace': parse_duration,
    'state_dir': _optional_path,
    'full_log_on_failure': checks.flag,
    'log_ignore': log_ignore,
}
_MAY_BE_NONE = frozenset({'dynamic', 'state_dir', 'task_db_path'})


def ignored_lines(patterns: IgnoredLines, *, succeeded: bool) -> re.Pattern[str] | None:
    """Return what is found in the lines of a log that are not shown; None when all are.

    Args:
        patterns: those of the option and of the proc whose log it is.
        succeeded: whether the proc did.
    """
    found = [item.pattern for item in patterns if succeeded or isinstance(item, IgnoreLogAlways)]
    return re.compile('|'.join(f'(?:{pattern})' for pattern in found)) if found else None
