"""Waits from inside: a running task gives its slot back until what it waits for is over, and then goes on.

Where tasks run inside one another's stack, waits nest: only the innermost can go on, so only what it needs may start.
"""

from __future__ import annotations

from parproc.core import deadlock
from parproc.core.events import Resume, TaskResumed, TaskWaiting, WaitBegan
from parproc.core.task import Phase, Task
from parproc.core.task_table import TaskTable
from parproc.core.urgency import make_urgent


def begin(table: TaskTable, event: WaitBegan) -> None:
    """Let a running task wait, or go on at once when what it waits for is over."""
    task = table.running(event.name)
    task.awaited = event.awaited
    task.deadlock = ''
    awaited = {name: table.tasks[name] for name in event.awaited}
    unfinished = [other for other in awaited.values() if not other.is_over]
    task.ticket = table.new_ticket()
    for other in awaited.values():
        if other.waiters is None:
            other.waiters = {}
        other.waiters[task] = task.ticket
    if not unfinished:
        _resume(table, task)
        return
    table.move(task, Phase.SUSPENDED)
    task.pending = len(unfinished)
    level = 1
    if table.inline:
        level = table.level = task.ticket
    for other in unfinished:
        make_urgent(table, other, level)
    table.actions.append(TaskWaiting(event.name, event.awaited, table.time))
    _check(table, task)


def note_end(table: TaskTable, task: Task) -> None:
    """Let those that wait for nothing but ``task``, which is over, be the first to get a slot."""
    for waiter, ticket in task.waiters.items() if task.waiters else ():
        if waiter.phase is Phase.SUSPENDED and waiter.ticket == ticket:
            waiter.pending -= 1
            if not waiter.pending:
                table.move(waiter, Phase.RESUMING)
                table.resuming.append(waiter)


def await_again(table: TaskTable, task: Task) -> None:
    """Let those that wait from inside for a task wait for its new life as well, unless a deadlock ended the wait."""
    for waiter, ticket in (task.waiters or {}).items():
        if waiter.ticket == ticket and waiter.phase in {Phase.SUSPENDED, Phase.RESUMING} and not waiter.deadlock:
            waiter.pending += 1
            if waiter.phase is Phase.RESUMING:
                table.move(waiter, Phase.SUSPENDED)


def break_deadlocks(table: TaskTable) -> None:
    """Break every ring of tasks that wait for each other, after dependencies have appeared under waits."""
    if table.suspended_count:
        for task in list(table.open_tasks()):
            _check(table, task)


def go_on(table: TaskTable) -> None:
    """Let waiting tasks go on, as far as there are slots."""
    if table.is_level_stale:
        _renew_level(table)
    while table.resuming and table.active_count < table.slots.limit:
        task = table.resuming.popleft()
        if task.phase is Phase.RESUMING:
            table.move(task, Phase.ACTIVE)
            table.actions.append(TaskResumed(task.spec.name, table.time))
            _resume(table, task)


def _resume(table: TaskTable, task: Task) -> None:
    awaited = {name: table.tasks.get(name) for name in task.awaited}
    failed = tuple(name for name, other in awaited.items() if other is None or not other.satisfies)
    table.actions.append(Resume(task.spec.name, task.awaited, failed, task.deadlock))
    task.awaited = ()
    task.deadlock = ''


def _check(table: TaskTable, task: Task) -> None:
    """Break the wait of ``task`` when it closes a ring of tasks that wait for each other."""
    if task.phase is Phase.SUSPENDED:
        ring = deadlock.ring_from(task, table.tasks, table.locks)
        if ring:
            task.deadlock = deadlock.describe(ring, table.tasks, table.locks)
            table.move(task, Phase.RESUMING)
            table.resuming.append(task)


def _renew_level(table: TaskTable) -> None:
    """After a nested wait has ended, let only what the now innermost one needs be urgent enough to start.

    Without this, what only the ended wait needed could start on top of the stack and wait for what lies below.
    """
    table.is_level_stale = False
    table.level = table.new_ticket() if table.nest else 0
    for name in table.nest[-1].awaited if table.nest else ():
        if name in table.tasks:
            make_urgent(table, table.tasks[name], table.level)
