"""What can be set for a session, with the values each option may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from parproc.core.durations import parse_duration
from parproc.core.names import nearest
from parproc.errors import UserError

MODES = ('mp', 'single')


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
}
