"""Deadlocks: who is held up by whom, and when that comes back to where it began."""

from __future__ import annotations

from parproc.core.deadlock import describe, ring_from
from parproc.core.model import SUCCESS, TaskSpec
from parproc.core.queues import LockTable
from parproc.core.task import Phase, Task


class Scene:
    """Tasks in given phases, with their edges and locks."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.locks = LockTable()

    def add(
        self,
        name: str,
        phase: Phase,
        deps: tuple[str, ...] = (),
        locks: tuple[str, ...] = (),
        awaited: tuple[str, ...] = (),
    ) -> Task:
        task = self.tasks[name] = Task(TaskSpec(name, deps, locks))
        task.phase = phase
        task.awaited = awaited
        if phase is Phase.ENDED:
            task.outcome = SUCCESS
        if phase in {Phase.ACTIVE, Phase.SUSPENDED}:
            self.locks.take(task)
        return task

    def link(self) -> None:
        for task in self.tasks.values():
            for dep in task.deps:
                self.tasks[dep].add_dependent(task)
            for name in task.awaited:
                self.tasks[name].waiters = {**(self.tasks[name].waiters or {}), task: 1}

    def said(self, name: str) -> str | None:
        self.link()
        ring = ring_from(self.tasks[name], self.tasks, self.locks)
        return None if ring is None else describe(ring, self.tasks, self.locks)


def test_a_ring_of_waits_dependencies_and_locks_is_told_link_by_link() -> None:
    scene = Scene()
    scene.add('a', Phase.SUSPENDED, awaited=('b',))
    scene.add('b', Phase.BLOCKED, deps=('c',))
    scene.add('c', Phase.LOCKED, locks=('free', 'disk'))
    scene.add('d', Phase.SUSPENDED, locks=('disk',), awaited=('a',))
    told = '"a" waits for "b", "b" depends on "c", "c" needs lock "disk" held by "d", "d" waits for "a"'
    assert scene.said('a') == told


def test_what_runs_holds_nobody_up_for_ever() -> None:
    scene = Scene()
    scene.add('a', Phase.SUSPENDED, awaited=('b',))
    scene.add('b', Phase.ACTIVE)
    scene.add('user', Phase.BLOCKED, deps=('a',))
    assert scene.said('a') is None


def test_a_lock_that_a_running_task_holds_becomes_free() -> None:
    scene = Scene()
    scene.add('a', Phase.SUSPENDED, locks=('own',), awaited=('b',))
    scene.add('b', Phase.LOCKED, locks=('disk',))
    scene.add('holder', Phase.ACTIVE, locks=('disk',))
    assert scene.said('a') is None


def test_what_is_over_holds_nobody_up() -> None:
    scene = Scene()
    scene.add('a', Phase.SUSPENDED, awaited=('b', 'done'))
    scene.add('done', Phase.ENDED, deps=('a',))
    scene.add('b', Phase.BLOCKED, deps=('done',))
    assert scene.said('a') is None


def test_a_ring_further_on_is_not_one_through_the_task() -> None:
    scene = Scene()
    scene.add('a', Phase.SUSPENDED, locks=('own',), awaited=('b',))
    scene.add('b', Phase.SUSPENDED, awaited=('c',))
    scene.add('c', Phase.BLOCKED, deps=('b',))
    assert scene.said('a') is None
    assert scene.said('b') == '"b" waits for "c", "c" depends on "b"'


def test_a_missing_dependency_is_no_deadlock() -> None:
    scene = Scene()
    scene.add('a', Phase.SUSPENDED, locks=('own',), awaited=('b',))
    task = scene.add('b', Phase.BLOCKED)
    scene.link()
    task.extra_deps = ('nowhere',)
    assert ring_from(scene.tasks['a'], scene.tasks, scene.locks) is None
