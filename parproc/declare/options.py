"""What can be set for a session, with the values each option may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from parproc.core.names import nearest
from parproc.declare import checks
from parproc.declare.log_filters import IgnoredLines, ignored_lines
from parproc.declare.option_choices import MODES, OUTPUTS
from parproc.declare.run_mode import RUN_MODES, RunMode
from parproc.errors import UserError


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
        log_ignore: lines of logs that are not shown: regular expressions, :class:`~parproc.IgnoreLogAlways`,
            :class:`~parproc.IgnoreLogIfSucceeded`; they stay in the logs themselves.
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


_CHECKS: dict[str, Callable[[object, str], object]] = {
    'parallel': checks.at_least_one,
    'mode': checks.one_of(MODES),
    'dynamic': checks.optional(checks.flag),
    'output': checks.one_of(OUTPUTS),
    'name_param_separator': checks.separator,
    'allow_missing_deps': checks.flag,
    'fail_fast': checks.flag,
    'task_db_path': checks.optional(checks.path),
    'grace': checks.duration,
    'stop_grace': checks.duration,
    'state_dir': checks.optional(checks.path),
    'full_log_on_failure': checks.flag,
    'log_ignore': ignored_lines,
}
_MAY_BE_NONE = frozenset({'dynamic', 'state_dir', 'task_db_path'})
