"""A run of the command line: its targets to the end, whatever happens, and how that went."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from parproc.core.events import Wanted
from parproc.core.view import RunWarned
from parproc.engine.display import Display
from parproc.engine.run import Run

if TYPE_CHECKING:
    from parproc.engine.workspace import Workspace
    from parproc.store.history import History
    from parproc.store.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run of the command line ended.

    Args:
        exit_code: 0 all good, 1 a proc failed, 3 a deadlock, 124 out of time.
        signal: the signal that stopped the run, None when none did.
        output_closed: nobody read the output any more.
        results: what the procs returned that were asked for, as far as they ended well.
    """

    exit_code: int
    signal: int | None = None
    output_closed: bool = False
    results: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """What is known of a run before it begins, for what shows it.

    Args:
        names: of the procs that are planned, in order.
        folder: takes logs and large results.
        usual: proc name -> seconds it usually takes, where that is known.
    """

    names: tuple[str, ...]
    folder: RunFolder
    usual: Mapping[str, float]


def execute(
    workspace: Workspace,
    targets: Sequence[str],
    *,
    display: Callable[[PlannedRun], Display],
    only: bool = False,
    timeout: float | None = None,
    wanted: Sequence[str] = (),
    rerun: Sequence[str] = ('parproc',),
) -> RunOutcome:
    """Run ``targets`` to the end, and say how it went.

    Args:
        workspace: knows the procs; it has no run yet, and has none afterwards.
        targets: full names.
        display: makes what shows the run.
        only: without their dependencies.
        timeout: seconds the whole run may take.
        wanted: names of the procs whose results are asked for.
        rerun: how a command that runs some of it again begins.

    Raises:
        UserError: before anything ran, when the request is wrong.
    """
    event, usual = _with_expected_times(workspace.wanted(targets, only=only), workspace.history)
    planned = PlannedRun(tuple(spec.name for spec in event.specs), workspace.new_folder(), usual)
    shown = display(planned)
    deadline = None if timeout is None else time.monotonic() + timeout
    run = workspace.begin(planned.folder, shown, deadline=deadline)
    run.tell_beginning(planned.names, targets=targets, rerun=tuple(rerun))
    try:
        with run.engine.signals:
            run.engine.want(event)
            run.engine.run()
    except BaseException:
        shown.listener.step_aside(True)  # whatever is said now is said on a clean terminal
        workspace.shut(keep_logs=True)
        raise
    run.tell_end()
    if workspace.history is not None:
        _close_history(workspace.history, run, is_own_file=workspace.options.task_db_path is not None)
    run.engine.deliver()
    outcome = _outcome_of(run, wanted)
    shown.listener.close()
    workspace.shut(keep_logs=bool(outcome.exit_code))
    return outcome


def _with_expected_times(event: Wanted, history: History | None) -> tuple[Wanted, Mapping[str, float]]:
    """Return what is wanted with the seconds that each proc usually takes, and these by name."""
    usual = {} if history is None else history.expected(spec.name for spec in event.specs)
    specs = (replace(spec, expected=usual[spec.name]) if spec.name in usual else spec for spec in event.specs)
    return replace(event, specs=tuple(specs)), usual


def _close_history(history: History, run: Run, *, is_own_file: bool) -> None:
    """Close the history, and pass on what is wrong with it, unless the run has said so of the folder that it is in."""
    history.close()
    if history.warning is not None and (run.folder.warning is None or is_own_file):
        run.engine.tell(RunWarned(history.warning))


def _outcome_of(run: Run, wanted: Sequence[str]) -> RunOutcome:
    outcomes = {name: run.outcome_of(name) for name in wanted}
    results = {name: run.result_of(name) for name, outcome in outcomes.items() if outcome and not outcome.error}
    return RunOutcome(run.exit_code(), run.engine.stop.signal, run.engine.output_closed, results)
