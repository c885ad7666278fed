"""The invariants: each one is noticed when it is broken, in tests and in a run that checks them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from parproc.core import endings, scheduling, starting, waits
from parproc.core.events import WaitBegan, Wanted
from parproc.core.invariants import validate
from parproc.core.model import SUCCESS, ErrorKind, TaskSpec, failure
from parproc.core.task import Phase
from parproc.core.task_table import TaskTable
from parproc.errors import InternalError
from tests.conftest import Project


def busy_table() -> TaskTable:
    """Return tasks in most phases: over, running with a lock, waiting from inside, and held back."""
    table = TaskTable(parallel=4, grace=5.0, stop_grace=10.0, fail_fast=False, inline=False)
    specs = (
        TaskSpec('good', order=0),
        TaskSpec('bad', order=1),
        TaskSpec('locked', locks=('disk',), order=2),
        TaskSpec('waiting', order=3),
        TaskSpec('blocked', ('locked',), order=4),
        TaskSpec('ready', wave=1, order=5),
        TaskSpec('late', wave=1, order=6),
    )
    scheduling.schedule(table, Wanted(specs))
    starting.start_next(table)
    endings.end(table, table.tasks['good'], SUCCESS)
    endings.end(table, table.tasks['bad'], failure(ErrorKind.EXIT, 'exit 2'))
    waits.begin(table, WaitBegan('waiting', ('blocked',)))
    return table


def lose_an_active(table: TaskTable) -> None:
    table.active_count -= 1


def count_a_suspended(table: TaskTable) -> None:
    table.suspended_count += 1


def count_a_delayed(table: TaskTable) -> None:
    table.delayed_count += 1


def lose_an_open(table: TaskTable) -> None:
    table.open_count -= 1


def take_slots_away(table: TaskTable) -> None:
    table.slots.most_active = 0


def lose_a_lock(table: TaskTable) -> None:
    table.locks.drop(table.tasks['locked'])


def give_a_lock_to_what_does_not_run(table: TaskTable) -> None:
    table.locks.drop(table.tasks['locked'])
    table.locks.take(table.tasks['ready'])


def forget_an_outcome(table: TaskTable) -> None:
    table.tasks['good'].outcome = None


def unblock(table: TaskTable) -> None:
    table.tasks['blocked'].blockers = 0


def block_once_too_often(table: TaskTable) -> None:
    table.tasks['blocked'].blockers += 1


def depend_on_what_is_open(table: TaskTable) -> None:
    table.tasks['ready'].extra_deps = ('late',)
    table.tasks['ready'].blockers = 1


def depend_on_a_failure(table: TaskTable) -> None:
    table.tasks['ready'].extra_deps = ('bad',)


def wait_for_nothing(table: TaskTable) -> None:
    table.tasks['waiting'].awaited = ('good',)


def go_stale_before_the_start(table: TaskTable) -> None:
    table.tasks['ready'].stale = True


def start_too_often(table: TaskTable) -> None:
    table.tasks['locked'].attempt = 2


BREAKS: list[tuple[Callable[[TaskTable], None], str]] = [
    (lose_an_active, 'the count of active tasks is right'),
    (count_a_suspended, 'the count of waiting tasks is right'),
    (count_a_delayed, 'the count of delayed tasks is right'),
    (lose_an_open, 'the count of open tasks is right'),
    (take_slots_away, 'no more tasks run than there are slots'),
    (lose_a_lock, 'exactly the running tasks hold their locks'),
    (give_a_lock_to_what_does_not_run, 'exactly the running tasks hold their locks'),
    (forget_an_outcome, '"good": an outcome and the phase ENDED come together'),
    (unblock, '"blocked": a blocked task has something to wait for'),
    (block_once_too_often, '"blocked": blockers are the unfinished dependencies'),
    (depend_on_what_is_open, '"ready": a task past its dependencies has none unfinished'),
    (depend_on_a_failure, '"ready": what depends on a failure has ended'),
    (wait_for_nothing, '"waiting": a suspended task waits for something open'),
    (go_stale_before_the_start, '"ready": only what runs can be stale'),
    (start_too_often, '"locked": attempts are within bounds'),
]


def test_a_busy_table_is_in_order() -> None:
    table = busy_table()
    validate(table)
    assert {task.phase for task in table.tasks.values()} == {
        Phase.ENDED,
        Phase.ACTIVE,
        Phase.SUSPENDED,
        Phase.BLOCKED,
        Phase.READY,
    }


@pytest.mark.parametrize(('broken', 'invariant'), BREAKS, ids=[broken.__name__ for broken, _ in BREAKS])
def test_what_is_broken_is_named(broken: Callable[[TaskTable], None], invariant: str) -> None:
    table = busy_table()
    broken(table)
    with pytest.raises(InternalError) as caught:
        validate(table)
    assert invariant in str(caught.value)


def test_the_story_of_the_task_is_told() -> None:
    table = busy_table()
    start_too_often(table)
    with pytest.raises(InternalError, match=r'BLOCKED -> READY\n.*READY -> ACTIVE'):
        validate(table)


TASKS = """
    import pathlib

    import parproc as pp

    @pp.Proc(wave=0, locks=['disk'])
    def first(context):
        return 1

    @pp.Proc(wave=0, locks=['disk'], retries=1, retry_delay=0.01)
    def flaky(context):
        mark = pathlib.Path('tried')
        if not mark.exists():
            mark.touch()
            raise ValueError('not yet')
        return 2

    @pp.Proto('part::[n]', locks=['table'])
    def part(context, n: int):
        return n

    @pp.Proc(wave=1, deps=[first, flaky])
    def whole(context):
        names = [name for n in range(3) for name in context.create(part, n=n)]
        return sum(context.wait(names).values())

    @pp.Proc(wave=2)
    def last(context):
        return 3
"""

CHECK_COUNT = """
    import atexit, os
    from parproc.core import invariants

    parent, checked, validate = os.getpid(), [], invariants.validate

    def counted(table):
        checked.append(table)
        validate(table)

    def tell():
        if os.getpid() == parent:
            pathlib.Path('checks').write_text(str(len(checked)))

    invariants.validate = counted
    atexit.register(tell)
"""

BROKEN_RETRY = """
    from parproc.core.task import Phase
    from parproc.core.task_table import TaskTable

    release = TaskTable.release

    def release_stale(self, task, phase):
        release(self, task, phase)
        task.stale = phase is Phase.DELAYED

    TaskTable.release = release_stale
"""


@pytest.mark.parametrize('single', [False, True])
def test_a_checked_run_checks_after_every_event_and_ends_as_any_other(project: Project, *, single: bool) -> None:
    project.write('tasks.py', TASKS + CHECK_COUNT)
    ran = project.run('whole', 'last', *(['--mode', 'single'] if single else []), PARPROC_CHECK='1')
    assert (ran.code, (project.folder / 'tried').exists()) == (0, True), ran.err
    ends_of_attempts, waits_from_inside = 4 + 3 + 1, 1
    assert int((project.folder / 'checks').read_text()) > ends_of_attempts + waits_from_inside


def test_a_broken_invariant_ends_a_checked_run_with_the_story_of_the_task(project: Project) -> None:
    project.write('tasks.py', TASKS + BROKEN_RETRY)
    ran = project.run('flaky', PARPROC_CHECK='1')
    assert ran.code == 3
    said = ran.err.splitlines()
    assert said[-5] == 'parproc: error: this is a bug in parproc: "flaky": only what runs can be stale'
    assert [line.partition(' ')[2] for line in map(str.strip, said[-4:-1])] == [
        'BLOCKED -> READY',
        'READY -> ACTIVE',
        'ACTIVE -> DELAYED',
    ]
    assert said[-1].startswith('hint: please report it')


def test_a_program_that_goes_on_after_a_broken_invariant_waits_for_nothing_at_its_end(project: Project) -> None:
    project.write('tasks.py', TASKS + BROKEN_RETRY)
    ran = project.script("""
        import os
        os.environ['PARPROC_CHECK'] = '1'
        import parproc as pp
        import tasks
        try:
            pp.wait('flaky')
        except pp.ParprocError as error:
            print(str(error).splitlines()[0])
        """)
    assert (ran.code, ran.out) == (0, '"flaky": only what runs can be stale\n')
    assert 'nobody has waited for' not in ran.err
    assert 'Traceback' not in ran.err


def test_a_run_that_is_not_asked_to_checks_nothing(project: Project) -> None:
    project.write('tasks.py', TASKS + BROKEN_RETRY + CHECK_COUNT)
    assert project.run('flaky').code == 0
    assert (project.folder / 'checks').read_text() == '0'
