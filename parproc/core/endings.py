"""The end of a task, and what ends or becomes ready because of it."""

from __future__ import annotations

from collections import deque

from parproc.core import dependencies, waits
from parproc.core.events import TaskFinished
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.task import HOLDING, UNSTARTED, Phase, Task
from parproc.core.task_table import TaskTable

PASSED_OVER = frozenset({ErrorKind.NOT_RUN, ErrorKind.FAILURES_PRESENT})
"""Why tasks that did nothing wrong never ran: others failed. A change of any task gives them another chance."""
FAILURES_PRESENT = failure(ErrorKind.FAILURES_PRESENT, 'not run: an earlier proc failed (NO_FAILURES)')


def end(table: TaskTable, task: Task, outcome: Outcome) -> None:
    """End ``task`` and, one after the other, all that cannot run because of that."""
    ending = deque([(task, outcome)])
    while ending:
        current, its_outcome = ending.popleft()
        if current.is_over:
            continue
        close(table, current, its_outcome)
        dependents = current.dependents or ()
        if its_outcome.state is ProcState.FAILED:
            reason = dependencies.failed_through(current.spec.name)
            for dependent in dependents:
                dependent.blockers -= 1
                if dependent.phase not in HOLDING:  # a stale one learns of it when it is to run again
                    ending.append((dependent, reason))
            ending.extend(_after_failure(table, its_outcome))
            continue
        for dependent in dependents:
            dependent.blockers -= 1
            if not dependent.blockers and dependent.phase is Phase.BLOCKED:
                table.enqueue(dependent)
    if not table.open_count:
        table.stopping = 0


def abandon(table: TaskTable, task: Task, reason: str) -> None:
    """End a task that will not get to its next, or first, attempt."""
    end(table, task, task.last or failure(ErrorKind.NOT_RUN, f'not run: {reason}'))


def close(table: TaskTable, task: Task, outcome: Outcome) -> None:
    """Do the book-keeping of one task's end."""
    task.awaited = ()
    task.stale = False
    if task.phase in HOLDING:
        table.release(task, Phase.ENDED)
    else:
        table.leave_queue(task, Phase.ENDED)
    task.outcome = SUCCESS if outcome.state is ProcState.SUCCEEDED else outcome  # what it used up is announced only
    task.last = None
    table.open_count -= 1
    table.ready.waves.leave(task.spec.wave)
    table.careful.pop(task.spec.name, None)
    table.actions.append(TaskFinished(task.spec.name, outcome, task.attempt, task.started, table.time))
    if outcome.error in PASSED_OVER:
        table.passed_over[task] = None
    waits.note_end(table, task)


def _after_failure(table: TaskTable, outcome: Outcome) -> list[tuple[Task, Outcome]]:
    """Count a failure and return what must end because of the first one."""
    table.failed_count += 1
    ending = [(task, FAILURES_PRESENT) for task in table.careful.values()]
    table.careful = {}
    if table.fail_fast and not table.is_tripped and outcome.error is not ErrorKind.CANCELLED:
        table.is_tripped = True
        not_run = failure(ErrorKind.NOT_RUN, 'not run: an earlier proc failed')
        ending += [(task, task.last or not_run) for task in table.open_tasks() if task.phase in UNSTARTED]
    return ending
