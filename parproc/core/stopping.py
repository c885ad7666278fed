"""How tasks are stopped: by a cancellation, by a timeout, or with the whole run; and how that overrules their ends.

A task is asked to end first, with a signal it can handle, and killed when its grace is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parproc.core.endings import abandon, end
from parproc.core.events import Cancelled, Interrupted, Kill, RunStopping
from parproc.core.model import ErrorKind, Outcome, ProcState, failure
from parproc.core.task import HOLDING, UNSTARTED, Task
from parproc.core.task_table import TaskTable
from parproc.core.timers import TimerKind

SIGKILL = 9
SIGTERM = 15
"""Signal numbers, the same on all POSIX systems; the module that names them is not imported, to keep the core pure."""


def stop(table: TaskTable, task: Task, error: ErrorKind) -> None:
    """End a task that runs, first by asking it to; nothing more for one that is being stopped already."""
    if task.stopped is None:
        task.stopped = error
        table.actions.append(Kill(task.spec.name, SIGTERM))
        table.arm(table.grace, task, TimerKind.KILL)


def kill(table: TaskTable, task: Task) -> None:
    """End a task that did not end when it was asked to."""
    table.actions.append(Kill(task.spec.name, SIGKILL))


def cancel(table: TaskTable, event: Cancelled) -> None:
    """Stop the tasks that were named; end them where they have not started, with all that depends on them."""
    cancelled = failure(ErrorKind.CANCELLED, 'cancelled')
    named = [task for name in event.names if (task := table.tasks.get(name)) and not task.is_over]
    for task in named:
        if task.phase in HOLDING:
            stop(table, task, ErrorKind.CANCELLED)
    for task in _unstarted_after(named):
        end(table, task, cancelled)


def interrupt(table: TaskTable, event: Interrupted) -> None:
    """Stop the whole run: pass the signal on to what runs, or kill it the second time, and end all else."""
    table.stopping += 1
    signal = event.signal if table.stopping == 1 else SIGKILL
    table.actions.append(RunStopping(event.reason, min(table.stopping, 2), table.time))
    for task in list(table.open_tasks()):
        if task.phase in HOLDING:
            task.stopped = task.stopped or ErrorKind.INTERRUPTED
            table.actions.append(Kill(task.spec.name, signal))
            table.arm(table.stop_grace, task, TimerKind.KILL)
        else:
            abandon(table, task, event.reason)
    if not table.open_count:
        table.stopping = 0


def judged(task: Task, outcome: Outcome) -> Outcome:
    """Return how an attempt ended, overruled where it ended because it was told to stop."""
    if task.stopped is ErrorKind.TIMEOUT:
        remark = f' ({outcome.remark})' if outcome.remark else ''
        reason = f'timed out after {task.spec.timeout:g} s{remark}'
        return replace(outcome, state=ProcState.FAILED, error=ErrorKind.TIMEOUT, reason=reason)
    if task.stopped is ErrorKind.CANCELLED:
        return replace(outcome, state=ProcState.FAILED, error=ErrorKind.CANCELLED, reason='cancelled', retry=False)
    if task.stopped is ErrorKind.INTERRUPTED and outcome.state is ProcState.FAILED:
        return replace(outcome, error=ErrorKind.INTERRUPTED, reason='interrupted', retry=False)
    return outcome


def _unstarted_after(roots: Sequence[Task]) -> list[Task]:
    """Return what of ``roots``, and of all that depends on them, has not started: dependents first."""
    found: dict[Task, None] = {}
    stack: list[tuple[Task, bool]] = [(task, False) for task in roots]
    seen: set[Task] = set()
    while stack:
        task, is_left = stack.pop()
        if is_left:
            found[task] = None
        elif task not in seen:
            seen.add(task)
            if task.phase in UNSTARTED:
                stack.append((task, True))
            stack.extend((other, False) for other in task.dependents or () if other.phase in UNSTARTED)
    return list(found)
