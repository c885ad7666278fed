"""The scheduler: events in, actions out, and nothing else.

:class:`Machine` decides what starts when. It owns no clock, process or file: it is told what happened
(:meth:`Machine.handle`) and answers with what to do. The same events give the same actions, so a run can be replayed.

the invariants it keeps, stated in :mod:`parproc.core.invariants` and checked by the tests after every event:

- A task moves only along :data:`parproc.core.task.MOVES`; an illegal move raises with the task's story.
- At most ``parallel`` tasks are ACTIVE. A task that waits from inside gives its slot back and, when what it waits for
  is over, is the first to get one.
- A lock has one holder, and only a task that runs (or waits from inside) holds any.
- No event costs more than the tasks it moves and their edges; nothing ever scans all tasks but a stop, which moves them.
- As long as something can go on, something does. What can never go on is a deadlock, named at once, or a missing
  dependency, failed when :class:`~parproc.core.events.Settled` says that nobody will declare it any more.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias, cast

from parproc.core import deadlock, priority
from parproc.core.events import (
    Action,
    Cancelled,
    Changed,
    Dropped,
    Event,
    Finished,
    Interrupted,
    Kill,
    Launch,
    Resume,
    RunStopping,
    Settled,
    Slept,
    StartFailed,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
    Tick,
    WaitBegan,
    Wanted,
)
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.queues import LockTable, ReadyQueue
from parproc.core.task import HOLDING, MOVES, UNSTARTED, Phase, Task
from parproc.core.timers import Timer, TimerKind, Timers
from parproc.errors import InternalError

PASSED_OVER = frozenset({ErrorKind.NOT_RUN, ErrorKind.FAILURES_PRESENT})
SIGKILL = 9
SIGTERM = 15
STORY_LENGTH = 2000
Handler: TypeAlias = Callable[[Event], None]


def dependency_failed(name: str) -> Outcome:
    """Return the outcome of a task that cannot run because ``name``, which it depends on, failed."""
    return failure(ErrorKind.DEPENDENCY_FAILED, f'dependency failed: {name}')


class Machine:
    """Decides what runs when.

    Args:
        parallel: how many tasks may run at once.
        grace: seconds between SIGTERM and SIGKILL for a task that took too long.
        stop_grace: seconds between the first signal of a stop and SIGKILL.
        fail_fast: start nothing new after a failure.
        inline: tasks run inside one another's stack, in this process; then only what the innermost waiting task
            needs may start.
    """

    def __init__(
        self,
        *,
        parallel: int = 100,
        grace: float = 5.0,
        stop_grace: float = 10.0,
        fail_fast: bool = False,
        inline: bool = False,
    ) -> None:
        self.parallel = self.most_active = parallel
        self.grace = grace
        self.stop_grace = stop_grace
        self.fail_fast = fail_fast
        self.inline = inline
        self.tasks: dict[str, Task] = {}
        self.missing: dict[str, dict[Task, None]] = {}
        self._bereft: dict[str, list[Task]] = {}
        self._lives: dict[str, tuple[int, dict[Task, int] | None]] = {}
        self.open_count = 0
        self.active_count = 0
        self.suspended_count = 0
        self.failed_count = 0
        self.stopping = 0
        self._tripped = False
        self._ceiling = parallel
        self._recovered = 0
        self._ready = ReadyQueue()
        self._locks = LockTable()
        self._careful: dict[str, Task] = {}
        self._passed_over: dict[Task, None] = {}
        self._resuming: deque[Task] = deque()
        self._nest: list[Task] = []
        self._level = 0
        self._level_is_stale = False
        self.delayed_count = 0
        self._timers = Timers(self._timer_counts)
        self._tickets = itertools.count(1)
        self._time = 0.0
        self._actions: list[Action] = []
        self._story: deque[tuple[float, str, Phase, Phase]] = deque(maxlen=STORY_LENGTH)
        self._handlers: dict[type, Handler] = {
            Wanted: cast('Handler', self._wanted),
            Cancelled: cast('Handler', self._cancelled),
            Dropped: cast('Handler', self._dropped),
            Finished: cast('Handler', self._finished),
            StartFailed: cast('Handler', self._start_failed),
            WaitBegan: cast('Handler', self._wait_began),
            Interrupted: cast('Handler', self._interrupted),
            Changed: cast('Handler', self._changed),
            Slept: cast('Handler', self._on_slept),
            Tick: cast('Handler', self._tick),
            Settled: cast('Handler', self._settled),
        }

    # --- what callers use --------------------------------------------------------------------------------------

    def handle(self, event: Event) -> list[Action]:
        """Take in what happened and return what to do about it, in order.

        Raises:
            InternalError: when the event cannot be true of the task it names.
        """
        self._time = event.time
        self._handlers[type(event)](event)
        self._dispatch()
        actions, self._actions = self._actions, []
        return actions

    def state_of(self, name: str) -> ProcState | None:
        """Return the state of a task, None for one that was never scheduled."""
        task = self.tasks.get(name)
        return None if task is None else task.state

    @property
    def deadline(self) -> float | None:
        """The time of the next Tick that matters, None when there is none."""
        return self._timers.next()

    @property
    def quiet(self) -> bool:
        """True when nothing runs and nothing will start by itself."""
        return not (self.active_count or self._resuming or self.delayed_count)

    def resize(self, parallel: int) -> None:
        """Change how many tasks may run at once; more start with the next event."""
        self.parallel = self._ceiling = parallel
        self.most_active = max(self.active_count, parallel)

    def lock_holders(self) -> dict[str, Task]:
        """Return lock -> the task that holds it."""
        return self._locks.held()

    def story(self, name: str) -> str:
        """Return the latest moves of a task, one a line, for an error message."""
        return '\n'.join(f'{time:.3f} {old.name} -> {new.name}' for time, task, old, new in self._story if task == name)

    def open_tasks(self) -> Iterator[Task]:
        """Yield every task that is not over, in the order in which they were scheduled."""
        return (task for task in self.tasks.values() if not task.is_over)

    # --- events ------------------------------------------------------------------------------------------------

    def _wanted(self, event: Wanted) -> None:
        if event.forgiven:
            self._tripped = False
        added: list[Task] = []
        for spec in event.specs:
            if spec.name not in self.tasks:
                self.tasks[spec.name] = task = Task(spec)
                task.dependents = self._bereft.pop(spec.name, None)
                task.starts, task.waiters = self._lives.pop(spec.name, (0, None))
                added.append(task)
                self.open_count += 1
                self._ready.waves.enter(spec.wave)
                self._announce_wanted(task)
        if event.again:
            self._want_again([self.tasks[name] for name in event.again])
        for missing, names in event.resolved:
            self._resolve(missing, names)
        renewed = [task for task in added if task.waiters]
        for task in renewed:
            self._await_again(task)
        urgent = [(task, level) for task in added if (level := self._link_missing(task))] if self.missing else []
        for target, dep in event.injected:
            self._inject(self.tasks[target], dep)
        doomed = [(task, culprit) for task in added if (culprit := self._link(task)) is not None]
        for task in priority.raise_for(added, self.tasks):
            self._requeue(task)
        for task, level in urgent:
            self._make_urgent(task, level)
        self._hurry(renewed)
        for task, culprit in doomed:
            self._end(task, dependency_failed(culprit))
        for task in added:
            if task.phase is Phase.BLOCKED:
                self._admit(task)
        if urgent or event.injected or event.again or event.resolved:
            self._check_waits()

    def _resolve(self, missing: str, names: tuple[str, ...]) -> None:
        """Let those that waited for a name which nothing had depend on what it turned out to stand for."""
        for task in self.missing.pop(missing, ()):
            task.spec = replace(task.spec, deps=tuple(dep for dep in task.spec.deps if dep != missing))
            task.blockers -= 1
            for name in names:
                if task.phase in UNSTARTED:
                    self._inject(task, name)
            if task.phase is Phase.BLOCKED and not task.blockers:
                self._enqueue(task)

    def _cancelled(self, event: Cancelled) -> None:
        cancelled = failure(ErrorKind.CANCELLED, 'cancelled')
        named = [task for name in event.names if (task := self.tasks.get(name)) and not task.is_over]
        for task in named:
            if task.phase in HOLDING:
                self._stop(task, ErrorKind.CANCELLED)
        for task in self._unstarted_after(named):
            self._end(task, cancelled)

    def _unstarted_after(self, roots: list[Task]) -> list[Task]:
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

    def _stop(self, task: Task, error: ErrorKind) -> None:
        """End what runs, first by asking it to."""
        if task.stopped is None:
            task.stopped = error
            self._actions.append(Kill(task.spec.name, SIGTERM))
            self._arm(self.grace, task, TimerKind.KILL)

    def _dropped(self, event: Dropped) -> None:
        for name in event.names:
            task = self.tasks.get(name)
            if task is None:
                continue
            if task.phase in HOLDING:
                task.dropped = True
                self._stop(task, ErrorKind.CANCELLED)
            else:
                self._forget(task)

    def _finished(self, event: Finished) -> None:
        task = self._running(event.name)
        outcome = event.outcome if task.stopped is None else self._judge(task, event.outcome)
        if task.dropped:
            self._forget(task)
        elif task.stale and not self.stopping:
            self._run_again(task, outcome)
        elif outcome.state is ProcState.FAILED and self._may_retry(task, outcome):
            self._retry(task, outcome)
        else:
            self._end(task, outcome)
        if self._ceiling < self.parallel:
            self._recovered += 1
            if self._recovered >= self._ceiling:
                self._ceiling += 1
                self._recovered = 0

    def _start_failed(self, event: StartFailed) -> None:
        task = self._running(event.name)
        others = self.active_count - 1
        if not event.scarce or not others or task.stopped is not None:
            self._end(task, failure(ErrorKind.NOT_STARTED, f'could not start: {event.reason}'))
            return
        self._ceiling = others
        self._recovered = 0
        task.attempt -= 1
        task.started = None
        task.stale = False
        if self._is_held_back(task):
            return
        self._release(task, Phase.READY)
        self._ready.push(task, next(self._tickets))

    def _wait_began(self, event: WaitBegan) -> None:
        task = self._running(event.name)
        task.awaited = event.awaited
        awaited = {name: self.tasks[name] for name in event.awaited}
        unfinished = [other for other in awaited.values() if not other.is_over]
        task.ticket = next(self._tickets)
        for other in awaited.values():
            if other.waiters is None:
                other.waiters = {}
            other.waiters[task] = task.ticket
        if not unfinished:
            self._resume(task)
            return
        self._move(task, Phase.SUSPENDED)
        task.pending = len(unfinished)
        level = 1
        if self.inline:
            level = self._level = task.ticket
        for other in unfinished:
            self._make_urgent(other, level)
        self._actions.append(TaskWaiting(event.name, event.awaited, self._time))
        self._check_wait(task)

    def _interrupted(self, event: Interrupted) -> None:
        self.stopping += 1
        signal = event.signal if self.stopping == 1 else SIGKILL
        self._actions.append(RunStopping(event.reason, min(self.stopping, 2), self._time))
        for task in list(self.open_tasks()):
            if task.phase in HOLDING:
                task.stopped = task.stopped or ErrorKind.INTERRUPTED
                self._actions.append(Kill(task.spec.name, signal))
                self._arm(self.stop_grace, task, TimerKind.KILL)
            else:
                self._abandon(task, event.reason)
        if not self.open_count:
            self.stopping = 0

    def _on_slept(self, event: Slept) -> None:
        self._timers.shift(event.seconds)

    def _tick(self, event: Tick) -> None:
        for timer in self._timers.due(event.time):
            self._fire(self.tasks[timer.name], timer.kind)

    def _settled(self, _event: Settled) -> None:
        if self.quiet:
            for name in list(self.missing):
                for task in self.missing.pop(name, ()):
                    self._end(task, failure(ErrorKind.DEPENDENCY_MISSING, f'dependency "{name}" missing'))

    # --- becoming ready ----------------------------------------------------------------------------------------

    def _announce_wanted(self, task: Task) -> None:
        spec = task.spec
        self._actions.append(TaskWanted(spec.name, spec.expected, task.deps, self._time, spec.locks, spec.wave))

    def _link(self, task: Task) -> str | None:
        """Hang ``task`` onto its dependencies; return the first that failed already."""
        for dep in task.spec.deps:
            other = self.tasks.get(dep)
            if other is not None:
                other.add_dependent(task)
        return self._count_blockers(task)

    def _count_blockers(self, task: Task) -> str | None:
        """Count what holds a task back; return the first dependency that has failed."""
        task.blockers = 0
        culprit = None
        for dep in task.deps:
            other = self.tasks.get(dep)
            if other is None:
                self.missing.setdefault(dep, {})[task] = None
                task.blockers += 1
            elif not other.is_over:
                task.blockers += 1
            elif culprit is None and not other.satisfies:
                culprit = dep
        return culprit

    def _link_missing(self, task: Task) -> int:
        """Hang onto ``task`` those that waited for its name to appear; return how urgent that makes it."""
        waiting = self.missing.pop(task.spec.name, None)
        if waiting is None:
            return 0
        task.dependents = list(dict.fromkeys((*(task.dependents or ()), *waiting)))
        return max(other.urgency for other in waiting)

    def _inject(self, task: Task, dep: str) -> None:
        if task.phase not in UNSTARTED or task.attempt:
            raise InternalError(f'"{task.spec.name}" can take no further dependency\n{self.story(task.spec.name)}')
        if dep in task.deps:
            return
        other = self.tasks[dep]
        task.extra_deps += (dep,)
        other.add_dependent(task)
        if not other.is_over:
            task.blockers += 1
            if task.phase is not Phase.BLOCKED:
                self._leave_queue(task, Phase.BLOCKED)
            self._make_urgent(other, task.urgency)
        elif not other.satisfies:
            self._end(task, dependency_failed(dep))

    def _admit(self, task: Task) -> None:
        """Let a task that was just scheduled wait at its first gate."""
        if self.stopping or self._tripped:
            self._abandon(task, 'the run is stopping' if self.stopping else 'an earlier proc failed')
        elif task.spec.no_failures and self.failed_count:
            self._end(task, failure(ErrorKind.FAILURES_PRESENT, 'not run: an earlier proc failed (NO_FAILURES)'))
        else:
            if task.spec.no_failures:
                self._careful[task.spec.name] = task
            if not task.blockers:
                self._enqueue(task)

    def _enqueue(self, task: Task) -> None:
        self._move(task, Phase.READY)
        self._ready.push(task, next(self._tickets))

    def _requeue(self, task: Task) -> None:
        """Give a READY task its new place after its urgency or priority changed."""
        if task.phase is Phase.READY:
            self._ready.push(task, next(self._tickets))

    def _leave_queue(self, task: Task, phase: Phase) -> None:
        """Move a task away from the gates; a lock it may have been woken for goes to the next in line."""
        woken = task.phase is Phase.READY
        self._move(task, phase)
        if woken:
            self._wake_waiters(task)

    def _make_urgent(self, task: Task, level: int) -> None:
        """Let ``task`` and all it still needs skip the wave gate."""
        stack = [task]
        while stack:
            current = stack.pop()
            if current.urgency >= level or current.is_over:
                continue
            current.urgency = level
            if current.phase is Phase.LOCKED:
                self._enqueue(current)
            else:
                self._requeue(current)
            stack.extend(other for dep in current.deps if (other := self.tasks.get(dep)) is not None)

    # --- running -----------------------------------------------------------------------------------------------

    def _renew_level(self) -> None:
        """After a nested wait has ended, let only what the now innermost one needs be urgent enough to start.

        Without this, what only the ended wait needed could start on top of the stack and wait for what lies below.
        """
        self._level_is_stale = False
        self._level = next(self._tickets) if self._nest else 0
        for name in self._nest[-1].awaited if self._nest else ():
            if name in self.tasks:
                self._make_urgent(self.tasks[name], self._level)

    def _dispatch(self) -> None:
        if self._level_is_stale:
            self._renew_level()
        limit = min(self.parallel, self._ceiling)
        while self._resuming and self.active_count < limit:
            task = self._resuming.popleft()
            if task.phase is Phase.RESUMING:
                self._move(task, Phase.ACTIVE)
                self._actions.append(TaskResumed(task.spec.name, self._time))
                self._resume(task)
        while self.active_count < limit:
            ready = self._ready.pop(self._level)
            if ready is None:
                return
            lock = self._locks.busy(ready) if ready.spec.locks else None
            if lock is None:
                self._start(ready)
            else:
                self._locks.park(ready, lock, next(self._tickets))
                self._leave_queue(ready, Phase.LOCKED)

    def _start(self, task: Task) -> None:
        name = task.spec.name
        self._careful.pop(name, None)
        if task.spec.locks:
            self._locks.take(task)
        self._move(task, Phase.ACTIVE)
        task.attempt += 1
        task.starts += 1
        task.started = self._time
        task.stopped = None
        if task.spec.timeout is not None:
            self._arm(task.spec.timeout, task, TimerKind.TIMEOUT)
        self._actions.append(Launch(name, task.attempt))
        self._actions.append(TaskStarted(name, task.attempt, self._time))

    def _resume(self, task: Task) -> None:
        awaited = {name: self.tasks.get(name) for name in task.awaited}
        failed = tuple(name for name, other in awaited.items() if other is None or not other.satisfies)
        self._actions.append(Resume(task.spec.name, task.awaited, failed, task.deadlock))
        task.awaited = ()
        task.deadlock = ''

    def _check_waits(self) -> None:
        if self.suspended_count:
            for task in list(self.open_tasks()):
                self._check_wait(task)

    def _check_wait(self, task: Task) -> None:
        """Break the wait of ``task`` when it closes a ring of tasks that wait for each other."""
        if task.phase is Phase.SUSPENDED:
            ring = deadlock.ring_from(task, self.tasks, self._locks)
            if ring:
                task.deadlock = deadlock.describe(ring, self.tasks, self._locks)
                self._move(task, Phase.RESUMING)
                self._resuming.append(task)

    # --- ending ------------------------------------------------------------------------------------------------

    @staticmethod
    def _judge(task: Task, outcome: Outcome) -> Outcome:
        """Overrule how an attempt ended when it ended because it was told to stop."""
        if task.stopped is ErrorKind.TIMEOUT:
            remark = f' ({outcome.remark})' if outcome.remark else ''
            reason = f'timed out after {task.spec.timeout:g} s{remark}'
            return replace(outcome, state=ProcState.FAILED, error=ErrorKind.TIMEOUT, reason=reason)
        if task.stopped is ErrorKind.CANCELLED:
            return replace(outcome, state=ProcState.FAILED, error=ErrorKind.CANCELLED, reason='cancelled', retry=False)
        if task.stopped is ErrorKind.INTERRUPTED and outcome.state is ProcState.FAILED:
            return replace(outcome, error=ErrorKind.INTERRUPTED, reason='interrupted', retry=False)
        return outcome

    def _may_retry(self, task: Task, outcome: Outcome) -> bool:
        return outcome.retry and task.attempt <= task.spec.retries and not self.stopping and not self._tripped

    def _retry(self, task: Task, outcome: Outcome) -> None:
        delay = task.spec.retry_delay * 2 ** (task.attempt - 1)
        task.last = outcome
        task.awaited = ()
        self._actions.append(TaskRetrying(task.spec.name, task.attempt, outcome, self._time + delay, self._time))
        if self._is_held_back(task):
            return
        self._release(task, Phase.DELAYED)
        if delay > 0:
            self._arm(delay, task, TimerKind.RETRY)
        else:
            self._enqueue(task)

    def _is_held_back(self, task: Task) -> bool:
        """Return whether a task that is to start another attempt has to wait for, or end with, what runs again."""
        culprit = self._count_blockers(task)
        if culprit is not None:
            self._end(task, dependency_failed(culprit))
        elif task.blockers:
            self._release(task, Phase.BLOCKED)
        return culprit is not None or task.blockers > 0

    def _abandon(self, task: Task, reason: str) -> None:
        """End a task that will not get to its next, or first, attempt."""
        self._end(task, task.last or failure(ErrorKind.NOT_RUN, f'not run: {reason}'))

    def _end(self, task: Task, outcome: Outcome) -> None:
        """End ``task`` and, one after the other, all that cannot run because of that."""
        ending = deque([(task, outcome)])
        while ending:
            current, end = ending.popleft()
            if current.is_over:
                continue
            self._close(current, end)
            name = current.spec.name
            dependents = current.dependents or ()
            if end.state is ProcState.FAILED:
                reason = dependency_failed(name)
                for dependent in dependents:
                    dependent.blockers -= 1
                    if dependent.phase not in HOLDING:  # a stale one learns of it when it is to run again
                        ending.append((dependent, reason))
                ending.extend(self._after_failure(end))
                continue
            for dependent in dependents:
                dependent.blockers -= 1
                if not dependent.blockers and dependent.phase is Phase.BLOCKED:
                    self._enqueue(dependent)
        if not self.open_count:
            self.stopping = 0

    def _close(self, task: Task, outcome: Outcome) -> None:
        """Do the book-keeping of one task's end."""
        task.awaited = ()
        task.stale = False
        if task.phase in HOLDING:
            self._release(task, Phase.ENDED)
        else:
            self._leave_queue(task, Phase.ENDED)
        task.outcome = SUCCESS if outcome.state is ProcState.SUCCEEDED else outcome  # what it used up is announced only
        task.last = None
        self.open_count -= 1
        self._ready.waves.leave(task.spec.wave)
        self._careful.pop(task.spec.name, None)
        self._actions.append(TaskFinished(task.spec.name, outcome, task.attempt, task.started, self._time))
        if outcome.error in PASSED_OVER:
            self._passed_over[task] = None
        for waiter, ticket in task.waiters.items() if task.waiters else ():
            if waiter.phase is Phase.SUSPENDED and waiter.ticket == ticket:
                waiter.pending -= 1
                if not waiter.pending:
                    self._move(waiter, Phase.RESUMING)
                    self._resuming.append(waiter)

    def _after_failure(self, outcome: Outcome) -> list[tuple[Task, Outcome]]:
        """Count a failure and return what must end because of the first one."""
        self.failed_count += 1
        reason = failure(ErrorKind.FAILURES_PRESENT, 'not run: an earlier proc failed (NO_FAILURES)')
        ending = [(task, reason) for task in self._careful.values()]
        self._careful = {}
        if self.fail_fast and not self._tripped and outcome.error is not ErrorKind.CANCELLED:
            self._tripped = True
            not_run = failure(ErrorKind.NOT_RUN, 'not run: an earlier proc failed')
            ending += [(task, task.last or not_run) for task in self.open_tasks() if task.phase in UNSTARTED]
        return ending

    # --- living once more --------------------------------------------------------------------------------------

    def _changed(self, event: Changed) -> None:
        """Let what was changed, and all that has used it, run again; what had not started will see the change anyway."""
        if self.stopping:
            return
        roots = [self.tasks[name] for name, when in event.changes if self._has_missed(name, when)]
        if not roots:
            return
        if not self.open_count:
            self._tripped = False
        affected = self._affected_by([*roots, *self._passed_over])
        for task in affected:
            task.stale = task.phase in HOLDING
        self._live_again(affected)
        self._check_waits()

    def _want_again(self, tasks: list[Task]) -> None:
        """Let tasks that are over run once more; what depends on them and has not started waits for that."""
        affected = {task: None for task in tasks if task.is_over}
        for task in list(affected):
            affected.update((other, None) for other in task.dependents or () if not other.is_over)
        self._live_again(list(affected))

    def _live_again(self, tasks: list[Task]) -> None:
        """Reopen those of ``tasks`` that are over, and let the others wait for what they depend on of these."""
        reopened = [task for task in tasks if task.is_over]
        for task in reopened:
            self._reopen(task)
        if not self.failed_count:
            self._tripped = False
        doomed = {task: culprit for task in tasks if (culprit := self._count_blockers(task)) is not None}
        for task in tasks:
            if task.phase in UNSTARTED and task.phase is not Phase.BLOCKED and task.blockers:
                self._leave_queue(task, Phase.BLOCKED)
        self._hurry(tasks)
        for task in reopened:
            if task in doomed:
                self._end(task, dependency_failed(doomed[task]))
        for task in reopened:
            if task.phase is Phase.BLOCKED:
                self._admit(task)

    def _has_missed(self, name: str, when: float) -> bool:
        """Return whether a task has done without a change that was made at ``when``."""
        task = self.tasks.get(name)
        return task is not None and task.phase not in UNSTARTED and (task.started is None or task.started <= when)

    def _affected_by(self, roots: list[Task]) -> list[Task]:
        """Return tasks and all that has started or ended with what they gave, or that waits to start with it."""
        found: dict[Task, None] = {}
        while roots:
            task = roots.pop()
            if task in found or self.tasks.get(task.spec.name) is not task:  # a forgotten one has waited for others too
                continue
            found[task] = None
            if task.phase not in UNSTARTED:
                roots.extend(task.dependents or ())
                for waiter, ticket in (task.waiters or {}).items():
                    waits_still = waiter.phase is Phase.SUSPENDED and waiter.ticket == ticket
                    if task.is_over or not waits_still:
                        roots.append(waiter)
        return list(found)

    def _reopen(self, task: Task) -> None:
        """Let a task that is over be wanted once more."""
        outcome = task.outcome
        assert outcome is not None, 'only a task that is over is reopened'
        self._move(task, Phase.BLOCKED)
        self._passed_over.pop(task, None)
        self.open_count += 1
        self._ready.waves.enter(task.spec.wave)
        if outcome.state is ProcState.FAILED:
            self.failed_count -= 1
        task.urgency = 0
        self._begin_again(task, outcome)
        self._await_again(task)

    def _await_again(self, task: Task) -> None:
        """Let those that wait from inside for a task wait for its new life as well."""
        for waiter, ticket in (task.waiters or {}).items():
            if waiter.ticket == ticket and waiter.phase in {Phase.SUSPENDED, Phase.RESUMING}:
                waiter.pending += 1
                if waiter.phase is Phase.RESUMING:
                    self._move(waiter, Phase.SUSPENDED)

    def _run_again(self, task: Task, outcome: Outcome) -> None:
        """Start a task afresh that was running while what it reads was changed."""
        self._release(task, Phase.BLOCKED)
        self._begin_again(task, outcome)
        culprit = self._count_blockers(task)
        if culprit is not None:
            self._end(task, dependency_failed(culprit))
        else:
            self._admit(task)
            self._check_waits()

    def _forget(self, task: Task) -> None:
        """Know a task no longer; what has not started and depends on it waits for its name."""
        name = task.spec.name
        if not task.is_over:
            self._close(task, failure(ErrorKind.CANCELLED, 'declared again'))
        elif task.state is ProcState.FAILED:
            self.failed_count -= 1
        outcome = task.outcome
        assert outcome is not None, 'what is closed has an outcome'
        self._lives[name] = (task.starts, task.waiters)
        self._passed_over.pop(task, None)
        self._actions.append(TaskReopened(name, outcome, task.attempt, self._time))
        del self.tasks[name]
        for dep in task.deps:
            other = self.tasks.get(dep)
            dependents = self._bereft.get(dep) if other is None else other.dependents
            if dependents and task in dependents:
                dependents.remove(task)
            if dep in self.missing:
                self.missing[dep].pop(task, None)
                if not self.missing[dep]:
                    del self.missing[dep]
        if task.dependents:
            self._bereft[name] = task.dependents
        waiting = {other: None for other in task.dependents or () if other.phase in UNSTARTED}
        if waiting:
            self.missing[name] = waiting
        for other in waiting:
            self._count_blockers(other)
            if other.phase is not Phase.BLOCKED:
                self._leave_queue(other, Phase.BLOCKED)

    def _begin_again(self, task: Task, outcome: Outcome) -> None:
        self._actions.append(TaskReopened(task.spec.name, outcome, task.attempt, self._time))
        self._announce_wanted(task)
        task.begin_again()

    def _hurry(self, tasks: list[Task]) -> None:
        """Pass urgency on to what was reopened: from those that wait for it, and from those that depend on it."""
        for task in tasks:
            if not task.is_over:
                for waiter, ticket in (task.waiters or {}).items():
                    if waiter.phase is Phase.SUSPENDED and waiter.ticket == ticket:
                        self._make_urgent(task, waiter.ticket if self.inline else 1)
                for dep in task.deps if task.urgency else ():
                    if dep in self.tasks:
                        self._make_urgent(self.tasks[dep], task.urgency)

    # --- moves and timers --------------------------------------------------------------------------------------

    def _running(self, name: str) -> Task:
        task = self.tasks.get(name)
        if task is None or task.phase not in HOLDING:
            raise InternalError(f'"{name}" is not running\n{self.story(name)}')
        return task

    def _move(self, task: Task, phase: Phase) -> None:
        old = task.phase
        self._story.append((self._time, task.spec.name, old, phase))
        if phase not in MOVES[old]:
            raise InternalError(f'"{task.spec.name}" made an illegal move\n{self.story(task.spec.name)}')
        task.phase = phase
        if old is Phase.ACTIVE:
            self.active_count -= 1
        elif phase is Phase.ACTIVE:
            self.active_count += 1
        if old is Phase.SUSPENDED:
            self.suspended_count -= 1
            if self.inline:
                self._nest.remove(task)
                self._level_is_stale = True
        elif phase is Phase.SUSPENDED:
            self.suspended_count += 1
            if self.inline:
                self._nest.append(task)
        if phase is Phase.DELAYED:
            self.delayed_count += 1
        elif old is Phase.DELAYED:
            self.delayed_count -= 1

    def _release(self, task: Task, phase: Phase) -> None:
        """Move a task out of running: its locks go to the next in line."""
        self._move(task, phase)
        if task.spec.locks:
            self._locks.drop(task)
            self._wake_waiters(task)

    def _wake_waiters(self, task: Task) -> None:
        """Let the best waiter of each free lock of ``task`` try again."""
        for waiter in self._locks.next_waiters(task):
            self._enqueue(waiter)

    def _arm(self, delay: float, task: Task, kind: TimerKind) -> None:
        self._timers.arm(self._time + delay, task.spec.name, task.starts, kind)

    def _timer_counts(self, timer: Timer) -> bool:
        task = self.tasks.get(timer.name)
        if task is None:
            return False
        right = task.phase is Phase.DELAYED if timer.kind is TimerKind.RETRY else task.phase in HOLDING
        return right and task.starts == timer.starts

    def _fire(self, task: Task, kind: TimerKind) -> None:
        if kind is TimerKind.RETRY:
            self._enqueue(task)
        elif kind is TimerKind.KILL:
            self._actions.append(Kill(task.spec.name, SIGKILL))
        elif task.stopped is None:
            task.stopped = ErrorKind.TIMEOUT
            self._actions.append(Kill(task.spec.name, SIGTERM))
            self._arm(self.grace, task, TimerKind.KILL)
