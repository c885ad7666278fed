"""The gates a task passes on its way to a slot: its wave, then its locks, then the order among the ready.

No operation looks at more than the tasks it moves: waves and readiness are counters and heaps with lazy deletion
(an entry counts only while the task still carries the ticket it was queued with).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TypeAlias

from parproc.core.task import Phase, Task

Entry: TypeAlias = tuple[int, int, float, int, int, Task]


class Queue:
    """Tasks of one kind of waiting, best first: most urgent, lower wave, longer remaining path, declared earlier."""

    __slots__ = ('_heap', '_phase')

    def __init__(self, phase: Phase) -> None:
        self._heap: list[Entry] = []
        self._phase = phase

    def push(self, task: Task, ticket: int) -> None:
        """Queue ``task``; ``ticket`` is unique and makes its older entries void."""
        task.ticket = ticket
        spec = task.spec
        heapq.heappush(self._heap, (-task.urgency, spec.wave, -task.priority, spec.order, ticket, task))

    def best(self) -> Entry | None:
        """Return the best entry without taking it."""
        heap = self._heap
        while heap:
            entry = heap[0]
            task = entry[5]
            if task.ticket == entry[4] and task.phase is self._phase:
                return entry
            heapq.heappop(heap)
        return None

    def pop(self) -> Task | None:
        """Take the best task."""
        entry = self.best()
        if entry is None:
            return None
        heapq.heappop(self._heap)
        return entry[5]


class Waves:
    """Counts open tasks per wave; the lowest one with any is the one that may start tasks."""

    __slots__ = ('_heap', '_open')

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._heap: list[int] = []

    def enter(self, wave: int) -> None:
        """Count one more wanted task of ``wave``."""
        count = self._open.get(wave)
        if count is None:
            heapq.heappush(self._heap, wave)
            count = 0
        self._open[wave] = count + 1

    def leave(self, wave: int) -> None:
        """Count one task of ``wave`` as over."""
        self._open[wave] -= 1

    def lowest(self) -> int | None:
        """Return the lowest wave with an open task, None when nothing is open."""
        while self._heap:
            wave = self._heap[0]
            if self._open[wave]:
                return wave
            heapq.heappop(self._heap)
            del self._open[wave]
        return None


class ReadyQueue:
    """Tasks that wait for nothing but their wave and a slot."""

    __slots__ = ('_by_wave', '_urgent', 'waves')

    def __init__(self) -> None:
        self.waves = Waves()
        self._by_wave: dict[int, Queue] = {}
        self._urgent = Queue(Phase.READY)

    def push(self, task: Task, ticket: int) -> None:
        """Queue a READY task; an urgent one skips the wave gate."""
        if task.urgency:
            self._urgent.push(task, ticket)
            return
        queue = self._by_wave.get(task.spec.wave)
        if queue is None:
            queue = self._by_wave[task.spec.wave] = Queue(Phase.READY)
        queue.push(task, ticket)

    def pop(self, minimum_urgency: int = 0) -> Task | None:
        """Take the task to start next, None when no wave that is open has one.

        Args:
            minimum_urgency: leave tasks that are less urgent than this.
        """
        urgent = self._urgent.best()
        if minimum_urgency:
            return self._urgent.pop() if urgent is not None and -urgent[0] >= minimum_urgency else None
        wave = self.waves.lowest()
        queue = None if wave is None else self._by_wave.get(wave)
        normal = None if queue is None else queue.best()
        if queue is None or normal is None:
            return self._urgent.pop()
        if urgent is None or normal[1:4] < urgent[1:4]:
            return queue.pop()
        return self._urgent.pop()


class LockTable:
    """Who holds which lock and who waits for it."""

    __slots__ = ('_holders', '_waiters')

    def __init__(self) -> None:
        self._holders: dict[str, Task] = {}
        self._waiters: dict[str, Queue] = {}

    def holder(self, lock: str) -> Task | None:
        """Return the task that holds ``lock``."""
        return self._holders.get(lock)

    def busy(self, task: Task) -> str | None:
        """Return the first lock of ``task`` that another task holds."""
        for lock in task.spec.locks:
            if lock in self._holders:
                return lock
        return None

    def take(self, task: Task) -> None:
        """Give ``task`` all of its locks."""
        for lock in task.spec.locks:
            self._holders[lock] = task

    def drop(self, task: Task) -> None:
        """Take the locks of ``task`` back."""
        for lock in task.spec.locks:
            del self._holders[lock]

    def park(self, task: Task, lock: str, ticket: int) -> None:
        """Let ``task`` wait for ``lock``."""
        queue = self._waiters.get(lock)
        if queue is None:
            queue = self._waiters[lock] = Queue(Phase.LOCKED)
        queue.push(task, ticket)

    def next_waiters(self, task: Task) -> Iterator[Task]:
        """Take, for each lock of ``task`` that is free, the best task that waits for it."""
        for lock in task.spec.locks:
            queue = self._waiters.get(lock)
            if queue is not None and lock not in self._holders:
                waiter = queue.pop()
                if waiter is None:
                    del self._waiters[lock]
                else:
                    yield waiter

    def held(self) -> dict[str, Task]:
        """Return a copy of lock -> holder."""
        return dict(self._holders)
