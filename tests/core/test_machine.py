"""The machine, driven through random lives and held against a slow, obvious oracle."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import DataObject

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
    Settled,
    Slept,
    StartFailed,
    TaskFinished,
    TaskReopened,
    Tick,
    WaitBegan,
    Wanted,
)
from parproc.core.machine import Machine
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, TaskSpec, failure
from parproc.core.plan import build
from parproc.core.task import Phase
from parproc.errors import InternalError, UserError

GOOD = {ProcState.SUCCEEDED, ProcState.SKIPPED, ProcState.UP_TO_DATE}
BROKEN = failure(ErrorKind.EXCEPTION, 'broken')


def launched(actions: Sequence[Action]) -> list[str]:
    return [action.name for action in actions if isinstance(action, Launch)]


def want(machine: Machine, *specs: TaskSpec, time: float = 0.0) -> list[Action]:
    return machine.handle(Wanted(build(specs).order, time=time))


def done(machine: Machine, name: str, outcome: Outcome = SUCCESS, time: float = 0.0) -> list[Action]:
    return machine.handle(Finished(name, outcome, time))


def outcome_of(machine: Machine, name: str) -> Outcome:
    outcome = machine.tasks[name].outcome
    assert outcome is not None
    return outcome


def test_independent_tasks_fill_the_slots_in_order_of_declaration() -> None:
    machine = Machine(parallel=2)
    specs = [TaskSpec(name, order=index) for index, name in enumerate('abc')]
    assert launched(want(machine, *specs)) == ['a', 'b']
    assert launched(done(machine, 'a')) == ['c']


def test_the_longest_remaining_path_goes_first() -> None:
    machine = Machine(parallel=1)
    specs = [TaskSpec('short', order=0), TaskSpec('head', order=1), TaskSpec('tail', ('head',), order=2)]
    assert launched(want(machine, *specs)) == ['head']


def test_a_timeout_tells_what_is_known_of_its_cause() -> None:
    machine = Machine()
    want(machine, TaskSpec('a', timeout=1.0))
    machine.handle(Tick(1.0))
    done(machine, 'a', replace(BROKEN, remark='it may wait for a library'), time=2.0)
    assert outcome_of(machine, 'a').reason == 'timed out after 1 s (it may wait for a library)'


def test_a_failure_fails_what_depends_on_it_and_nothing_else() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('a'), TaskSpec('b', ('a',), order=1), TaskSpec('c', ('b',), order=2), TaskSpec('d', order=3))
    actions = done(machine, 'a', BROKEN)
    assert launched(actions) == ['d']
    ended = {action.name: action.outcome for action in actions if isinstance(action, TaskFinished)}
    assert ended['b'].error is ended['c'].error is ErrorKind.DEPENDENCY_FAILED
    assert ended['c'].reason == 'dependency failed: b'


def test_a_wave_opens_when_the_lower_ones_are_over() -> None:
    machine = Machine(parallel=4)
    assert launched(want(machine, TaskSpec('low', wave=-1), TaskSpec('high', wave=2), TaskSpec('mid', wave=0))) == [
        'low'
    ]
    assert launched(done(machine, 'low')) == ['mid']
    assert launched(done(machine, 'mid', BROKEN)) == ['high']


def test_a_lock_has_one_holder() -> None:
    machine = Machine(parallel=4)
    specs = [TaskSpec(name, locks=('disk',), order=index) for index, name in enumerate('abc')]
    assert launched(want(machine, *specs)) == ['a']
    assert launched(done(machine, 'a', BROKEN)) == ['b']


def test_a_parked_task_does_not_hide_another_lock_that_is_free() -> None:
    machine = Machine(parallel=4)
    want(machine, TaskSpec('x', locks=('one',)), TaskSpec('y', locks=('two',), order=1))
    want(machine, TaskSpec('both', locks=('one', 'two'), order=2), TaskSpec('single', locks=('one',), order=3))
    assert launched(done(machine, 'x')) == ['single']
    assert launched(done(machine, 'y')) == []
    assert launched(done(machine, 'single')) == ['both']


def test_a_timeout_is_a_ladder_of_two_signals_and_overrules_the_outcome() -> None:
    machine = Machine(grace=5.0)
    want(machine, TaskSpec('slow', timeout=10.0))
    assert machine.deadline == 10.0
    assert Kill('slow', 15) in machine.handle(Tick(10.0))
    assert Kill('slow', 9) in machine.handle(Tick(15.0))
    (ended,) = [action for action in done(machine, 'slow', time=15.1) if isinstance(action, TaskFinished)]
    assert (ended.outcome.error, ended.outcome.reason) == (ErrorKind.TIMEOUT, 'timed out after 10 s')


def test_time_asleep_counts_for_no_timeout() -> None:
    machine = Machine()
    want(machine, TaskSpec('slow', timeout=10.0))
    machine.handle(Slept(100.0, 105.0))
    assert machine.deadline == 110.0
    assert machine.handle(Tick(109.0)) == []


def test_retries_wait_twice_as_long_each_time() -> None:
    machine = Machine()
    want(machine, TaskSpec('flaky', retries=2, retry_delay=1.0))
    done(machine, 'flaky', BROKEN, time=10.0)
    assert (machine.deadline, machine.state_of('flaky')) == (11.0, ProcState.RUNNING)
    assert machine.handle(Tick(11.0))[0] == Launch('flaky', 2)
    done(machine, 'flaky', BROKEN, time=20.0)
    assert machine.deadline == 22.0
    machine.handle(Tick(22.0))
    done(machine, 'flaky', BROKEN, time=23.0)
    assert machine.state_of('flaky') is ProcState.FAILED


def test_a_waiting_task_gives_its_slot_to_what_it_waits_for_across_waves() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('parent'))
    want(machine, TaskSpec('child', wave=7, order=1))
    assert launched(machine.handle(WaitBegan('parent', ('child',)))) == ['child']
    assert Resume('parent', ('child',), ()) in done(machine, 'child')


def test_a_child_that_needs_its_parents_lock_is_a_deadlock_at_once() -> None:
    machine = Machine()
    want(machine, TaskSpec('parent', locks=('disk',)), TaskSpec('busy', order=5))
    want(machine, TaskSpec('child', locks=('disk',), order=1))
    (resume,) = [action for action in machine.handle(WaitBegan('parent', ('child',))) if isinstance(action, Resume)]
    assert resume.deadlock == '"parent" waits for "child", "child" needs lock "disk" held by "parent"'


def test_two_tasks_that_wait_for_each_other_are_a_deadlock() -> None:
    machine = Machine()
    want(machine, TaskSpec('a'), TaskSpec('b', order=1))
    assert not any(isinstance(action, Resume) for action in machine.handle(WaitBegan('a', ('b',))))
    (resume,) = [action for action in machine.handle(WaitBegan('b', ('a',))) if isinstance(action, Resume)]
    assert resume.deadlock == '"b" waits for "a", "a" waits for "b"'


def test_a_task_between_attempts_that_needs_its_waiters_lock_is_a_deadlock() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('flaky', locks=('disk',), retries=1, retry_delay=1.0))
    done(machine, 'flaky', BROKEN)
    want(machine, TaskSpec('waiter', locks=('disk',), order=1))
    (resume,) = [action for action in machine.handle(WaitBegan('waiter', ('flaky',))) if isinstance(action, Resume)]
    assert resume.deadlock


def test_in_one_process_what_only_an_ended_wait_needed_does_not_start_on_the_stack() -> None:
    machine = Machine(parallel=1, inline=True)
    want(machine, TaskSpec('t0'), TaskSpec('t1', order=1), TaskSpec('t2', retries=1, order=2))
    assert launched(machine.handle(WaitBegan('t0', ('t2',)))) == ['t2']
    (resume,) = [a for a in machine.handle(WaitBegan('t2', ('t0', 't1'))) if isinstance(a, Resume)]
    assert resume.deadlock
    assert launched(done(machine, 't2', BROKEN)) == ['t2']
    assert Resume('t0', ('t2',), ()) in done(machine, 't2')


def test_a_missing_dependency_waits_until_nobody_can_declare_it() -> None:
    machine = Machine()
    want(machine, TaskSpec('user', ('later',)), TaskSpec('maker', order=1))
    assert machine.handle(Settled()) == []
    assert launched(want(machine, TaskSpec('later', order=2))) == ['later']
    assert launched(done(machine, 'later')) == ['user']
    want(machine, TaskSpec('other', ('never',), order=3))
    done(machine, 'user'), done(machine, 'maker')
    (ended,) = machine.handle(Settled())
    assert isinstance(ended, TaskFinished)
    assert ended.outcome.reason == 'dependency "never" missing'


def test_scarce_starts_run_fewer_at_a_time_and_lose_nothing() -> None:
    machine = Machine(parallel=4)
    specs = [TaskSpec(f't{index}', order=index) for index in range(4)]
    want(machine, *specs)
    assert launched(machine.handle(StartFailed('t3', 'no', scarce=True))) == []
    assert launched(done(machine, 't0')) == ['t3']
    assert machine.state_of('t3') is ProcState.RUNNING


def test_a_start_that_fails_with_nothing_else_running_fails_the_task() -> None:
    machine = Machine()
    want(machine, TaskSpec('only'))
    machine.handle(StartFailed('only', 'no memory', scarce=True))
    assert machine.tasks['only'].outcome == failure(ErrorKind.NOT_STARTED, 'could not start: no memory')


def test_fail_fast_starts_nothing_new() -> None:
    machine = Machine(parallel=2, fail_fast=True)
    want(machine, *[TaskSpec(f't{index}', order=index) for index in range(4)])
    assert launched(done(machine, 't0', BROKEN)) == []
    done(machine, 't1')
    assert machine.state_of('t1') is ProcState.SUCCEEDED
    assert outcome_of(machine, 't3').error is ErrorKind.NOT_RUN


def test_no_failures_holds_only_while_nothing_failed() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('bad'), TaskSpec('careful', no_failures=True, order=1))
    done(machine, 'bad', BROKEN)
    assert outcome_of(machine, 'careful').error is ErrorKind.FAILURES_PRESENT


def test_a_stop_signals_what_runs_and_abandons_the_rest() -> None:
    machine = Machine(parallel=1, stop_grace=10.0)
    want(machine, TaskSpec('a'), TaskSpec('b', order=1))
    assert Kill('a', 2) in machine.handle(Interrupted(2, 1.0))
    assert outcome_of(machine, 'b').error is ErrorKind.NOT_RUN
    assert Kill('a', 9) in machine.handle(Tick(11.0))
    done(machine, 'a', BROKEN, time=12.0)
    assert outcome_of(machine, 'a').error is ErrorKind.INTERRUPTED
    assert machine.stopping == 0


def test_an_event_about_a_task_that_does_not_run_raises_with_its_story() -> None:
    machine = Machine()
    want(machine, TaskSpec('a'))
    done(machine, 'a')
    with pytest.raises(InternalError, match='ACTIVE -> ENDED'):
        done(machine, 'a')


def test_an_injected_dependency_goes_before_a_wanted_task() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('first'), TaskSpec('target', order=1))
    machine.handle(Wanted((TaskSpec('before', order=2),), (('target', 'before'),)))
    assert launched(done(machine, 'first')) == ['before']
    assert launched(done(machine, 'before')) == ['target']


def test_what_was_changed_runs_again_and_then_what_depends_on_it() -> None:
    machine = Machine()
    want(machine, TaskSpec('a'), TaskSpec('b', ('a',), order=1), TaskSpec('c', ('b',), order=2), TaskSpec('d', order=3))
    for name in 'abcd':
        done(machine, name)
    actions = machine.handle(Changed((('a', 5.0),), 6.0))
    assert [action.name for action in actions if isinstance(action, TaskReopened)] == ['a', 'b', 'c']
    assert launched(actions) == ['a']
    assert machine.state_of('c') is ProcState.WANTED
    assert launched(done(machine, 'a', time=7.0)) == ['b']
    assert launched(done(machine, 'b', BROKEN, time=8.0)) == []
    assert outcome_of(machine, 'c').reason == 'dependency failed: b'
    assert machine.tasks['d'].outcome is SUCCESS
    assert launched(machine.handle(Changed((('b', 9.0),), 9.0))) == ['b']


def test_a_change_from_before_the_start_has_been_seen() -> None:
    machine = Machine()
    want(machine, TaskSpec('a'), time=5.0)
    assert machine.handle(Changed((('a', 4.0), ('unknown', 9.0)), 6.0)) == []
    assert not machine.tasks['a'].stale
    done(machine, 'a', time=7.0)
    assert machine.handle(Changed((('a', 4.0),), 8.0)) == []
    assert launched(machine.handle(Changed((('a', 5.0),), 8.0))) == ['a']


def test_what_changes_while_it_runs_runs_again_and_its_dependents_wait_for_that() -> None:
    machine = Machine()
    want(machine, TaskSpec('a', timeout=10.0), TaskSpec('b', ('a',), order=1))
    assert machine.handle(Changed((('a', 1.0),), 1.0)) == []
    actions = done(machine, 'a', time=2.0)
    assert launched(actions) == ['a']
    assert not any(isinstance(action, TaskFinished) for action in actions)
    assert machine.deadline == 12.0
    assert machine.handle(Tick(10.0)) == []
    assert launched(done(machine, 'a', time=11.0)) == ['b']


def test_what_waited_from_inside_for_a_change_runs_again() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('parent'), TaskSpec('child', wave=7, order=1))
    machine.handle(WaitBegan('parent', ('child',)))
    done(machine, 'child')
    assert launched(machine.handle(Changed((('child', 1.0),), 1.0))) == []
    assert launched(done(machine, 'parent', time=2.0)) == ['parent']
    assert launched(machine.handle(WaitBegan('parent', ('child',), 3.0))) == ['child']
    assert Resume('parent', ('child',), ()) in done(machine, 'child', time=4.0)
    done(machine, 'parent', time=5.0)
    assert machine.open_count == 0


def test_a_stop_ends_what_was_to_run_again() -> None:
    machine = Machine()
    want(machine, TaskSpec('a'), TaskSpec('b', ('a',), order=1))
    machine.handle(Changed((('a', 1.0),), 1.0))
    machine.handle(Interrupted(2, 2.0))
    done(machine, 'a', BROKEN, time=3.0)
    assert outcome_of(machine, 'a').error is ErrorKind.INTERRUPTED
    assert machine.open_count == 0


def test_a_change_gives_what_a_failure_kept_from_running_another_chance() -> None:
    machine = Machine(parallel=1, fail_fast=True)
    want(machine, TaskSpec('a'), TaskSpec('b', order=1), TaskSpec('c', no_failures=True, order=2))
    done(machine, 'a', BROKEN)
    assert launched(machine.handle(Changed((('a', 1.0),), 1.0))) == ['a']
    assert launched(done(machine, 'a', time=2.0)) == ['b']
    assert launched(done(machine, 'b', time=3.0)) == ['c']


def test_a_name_scheduled_anew_that_depends_on_who_waits_for_it_is_a_deadlock() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('waiter'), TaskSpec('other', order=1), TaskSpec('awaited', order=2))
    assert launched(machine.handle(WaitBegan('waiter', ('awaited',)))) == ['other']
    machine.handle(Dropped(('awaited',)))
    want(machine, TaskSpec('awaited', ('waiter',), order=3))
    (resume,) = [action for action in done(machine, 'other') if isinstance(action, Resume)]
    assert resume.deadlock == '"waiter" waits for "awaited", "awaited" depends on "waiter"'


def test_a_wait_that_a_deadlock_has_ended_stays_ended_when_what_it_was_for_is_scheduled_anew() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('waiter'), TaskSpec('other', order=1), TaskSpec('awaited', order=2))
    machine.handle(WaitBegan('waiter', ('awaited',)))
    machine.handle(Wanted((), (('awaited', 'waiter'),)))
    machine.handle(Dropped(('awaited',)))
    want(machine, TaskSpec('awaited', order=3))
    machine.validate()
    (resume,) = [action for action in done(machine, 'other') if isinstance(action, Resume)]
    assert resume.deadlock == '"waiter" waits for "awaited", "awaited" depends on "waiter"'


def test_an_attempt_knows_nothing_of_the_deadlock_that_the_one_before_was_in() -> None:
    machine = Machine(parallel=1)
    want(machine, TaskSpec('waiter', retries=1), TaskSpec('other', order=1), TaskSpec('awaited', order=2))
    machine.handle(WaitBegan('waiter', ('awaited',)))
    machine.handle(Wanted((), (('awaited', 'waiter'),)))
    done(machine, 'waiter', BROKEN)
    assert launched(done(machine, 'other')) == ['waiter']
    assert machine.handle(WaitBegan('waiter', ('other',))) == [Resume('waiter', ('other',), ())]


NAMES = [f't{index}' for index in range(12)]


class Lives(RuleBasedStateMachine):
    """Random graphs with waves, locks, limits, failures, retries, waits from inside, and tasks that come later."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.running: dict[str, int] = {}
        self.waiting: dict[str, tuple[str, ...]] = {}
        self.unused = list(NAMES)
        self.moments = itertools.count(1)
        self.launched: dict[str, int] = {}
        self.finished: dict[str, int] = {}
        self.changed: dict[str, int] = {}
        self.again: set[str] = set()

    @initialize(parallel=st.integers(1, 4), fail_fast=st.booleans(), inline=st.booleans())
    def begin(self, parallel: int, fail_fast: bool, inline: bool) -> None:
        self.machine = Machine(parallel=1 if inline else parallel, fail_fast=fail_fast, inline=inline)

    def feed(self, event: Event) -> None:
        for action in self.machine.handle(event):
            if isinstance(action, Launch):
                self.check_launch(action)
                self.running[action.name] = action.attempt
                self.launched[action.name] = next(self.moments)
            elif isinstance(action, Resume):
                self.waiting.pop(action.name, None)

    def check_launch(self, launch: Launch) -> None:
        """The oracle: look at everything, slowly, and say whether this task may start now."""
        task = self.machine.tasks[launch.name]
        for dep in task.deps:
            assert self.machine.state_of(dep) in GOOD, f'{launch.name} started before {dep}'
        for other in self.running:
            assert not set(task.spec.locks) & set(self.machine.tasks[other].spec.locks), 'a lock was shared'
        assert launch.name not in self.running

    @rule(data=st.data(), count=st.integers(1, 4))
    def schedule(self, data: DataObject, count: int) -> None:
        specs: list[TaskSpec] = []
        names = self.unused[:count]
        for name in names:
            dependents = [task for task in self.machine.tasks.values() if name in task.deps]
            cap = min((task.spec.wave for task in dependents), default=99)
            tasks = self.machine.tasks
            pool = [
                other
                for other in NAMES[: NAMES.index(name)]
                if (other in tasks and tasks[other].spec.wave <= cap) or other in names
            ]
            deps = data.draw(st.lists(st.sampled_from(pool), max_size=3, unique=True)) if pool else []
            highest = max(
                (self.machine.tasks[dep].spec.wave for dep in deps if dep in self.machine.tasks),
                default=0,
            )
            highest = max([highest, *(spec.wave for spec in specs if spec.name in deps)])
            deps = [dep for dep in deps if all(spec.wave <= cap for spec in specs if spec.name == dep)]
            highest = min(highest, cap)
            specs.append(
                TaskSpec(
                    name,
                    tuple(deps),
                    tuple(data.draw(st.lists(st.sampled_from(['x', 'y']), max_size=2, unique=True))),
                    data.draw(st.integers(highest, min(highest + 1, cap))),
                    no_failures=data.draw(st.booleans()) and data.draw(st.booleans()),
                    retries=data.draw(st.integers(0, 1)),
                    retry_delay=data.draw(st.sampled_from([0.0, 1.0])),
                    order=NAMES.index(name),
                )
            )
        self.unused = self.unused[count:]
        if specs:
            self.feed(Wanted(build(specs).order, time=self.time))

    def free(self) -> list[str]:
        """Tasks that run and do not wait; within one process, only the innermost."""
        names = [name for name in self.running if name not in self.waiting]
        return names[-1:] if self.machine.inline else names

    @precondition(lambda self: self.free())
    @rule(data=st.data(), outcome=st.sampled_from([SUCCESS, SUCCESS, BROKEN]))
    def finish(self, data: DataObject, outcome: Outcome) -> None:
        self.end(data.draw(st.sampled_from(self.free())), outcome)

    def end(self, name: str, outcome: Outcome) -> None:
        del self.running[name]
        if name not in self.again:  # else who used what it gave before is not asked to run again
            self.finished[name] = next(self.moments)
        self.feed(Finished(name, outcome, self.time))
        if self.machine.state_of(name) in {ProcState.SUCCEEDED, ProcState.FAILED}:
            self.again.discard(name)
        self.take_back()

    def take_back(self) -> None:
        """Whatever was dropped may be scheduled anew."""
        gone = [name for name in NAMES if name not in self.machine.tasks and name not in self.unused]
        self.unused = [name for name in NAMES if name in self.unused or name in gone]
        self.again.update(gone)

    @rule(data=st.data())
    def want_again(self, data: DataObject) -> None:
        over = [task.spec.name for task in self.machine.tasks.values() if task.outcome is not None]
        if not over:
            return
        wanted = data.draw(st.lists(st.sampled_from(over), min_size=1, max_size=2, unique=True))
        for name in wanted:  # grows while it is gone through
            task = self.machine.tasks[name]
            wanted += [
                dep
                for dep in task.deps
                if dep in over and dep not in wanted and self.machine.state_of(dep) is ProcState.FAILED
            ]
        self.again.update(wanted)
        self.feed(Wanted((), time=self.time, again=tuple(wanted), forgiven=data.draw(st.booleans())))
        for name in wanted:
            assert self.machine.state_of(name) is not ProcState.SUCCEEDED, f'{name} was to run again'

    @rule(data=st.data())
    def cancel(self, data: DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
        open_before = {task.spec.name for task in self.machine.open_tasks()}
        self.feed(Cancelled(tuple(names), self.time))
        for name in open_before.intersection(names):
            assert name in self.running or self.machine.state_of(name) is ProcState.FAILED

    @rule(data=st.data())
    def drop(self, data: DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
        self.feed(Dropped(tuple(names), self.time))
        for name in names:
            assert name not in self.machine.tasks or name in self.running
        self.take_back()

    @rule(data=st.data(), ago=st.sampled_from([0.0, 0.0, 1.0]))
    def change(self, data: DataObject, ago: float) -> None:
        names = data.draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
        for name in names:
            task = self.machine.tasks.get(name)
            if task is not None and task.started is not None and task.started <= self.time - ago:
                self.again.discard(name)
                self.changed[name] = next(self.moments)
        self.feed(Changed(tuple((name, self.time - ago) for name in names), self.time))

    @precondition(lambda self: self.free())
    @rule(data=st.data())
    def wait(self, data: DataObject) -> None:
        name = data.draw(st.sampled_from(self.free()))
        others = [other for other in self.machine.tasks if other != name]
        if others:
            awaited = tuple(data.draw(st.lists(st.sampled_from(others), min_size=1, max_size=2)))
            self.waiting[name] = awaited
            self.feed(WaitBegan(name, awaited, self.time))

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def tick(self, seconds: float) -> None:
        self.time += seconds
        self.feed(Tick(self.time))

    @rule()
    def settle(self) -> None:
        self.feed(Settled(self.time))

    @invariant()
    def lawful(self) -> None:
        if hasattr(self, 'machine'):
            self.machine.validate()
            self.check_busy()

    def check_busy(self) -> None:
        """The oracle: no slot is idle while some task could start."""
        machine = self.machine
        if machine.active_count >= machine.parallel or (machine.inline and self.waiting):
            return
        open_waves = [task.spec.wave for task in machine.open_tasks()]
        held = {lock for name in self.running for lock in machine.tasks[name].spec.locks}
        for task in machine.open_tasks():
            startable = (
                task.phase not in (Phase.DELAYED, Phase.ACTIVE, Phase.SUSPENDED, Phase.RESUMING)
                and all(machine.state_of(dep) in GOOD for dep in task.deps)
                and not held & set(task.spec.locks)
                and (task.urgency or task.spec.wave == min(open_waves))
            )
            assert not startable, f'{task.spec.name} could start but does not'

    def teardown(self) -> None:
        """Whatever happened, it comes to an end: nothing is idle for ever."""
        if not hasattr(self, 'machine'):
            return
        for _ in range(500):
            if not self.machine.open_count:
                break
            if self.free():
                self.end(self.free()[0], SUCCESS)
            elif self.machine.deadline is not None:
                self.time = self.machine.deadline
                self.feed(Tick(self.time))
            else:
                assert self.machine.quiet
                self.feed(Settled(self.time))
            self.machine.validate()
        assert not self.machine.open_count, [
            (task.spec.name, task.phase, task.awaited) for task in self.machine.open_tasks()
        ]
        self.check_fresh()

    def check_fresh(self) -> None:
        """The oracle: whatever ended well began after the last change of what it reads, and after what it depends on."""
        for name, task in self.machine.tasks.items():
            if task.state in GOOD:
                assert self.launched[name] > self.changed.get(name, 0), f'{name} missed a change'
                for dep in task.deps:
                    if dep in self.machine.tasks:
                        assert self.launched[name] > self.finished.get(dep, 0), f'{name} has an old result of {dep}'


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


def test_a_plan_names_the_cycle() -> None:
    specs = [TaskSpec('a', ('b',)), TaskSpec('b', ('c',), order=1), TaskSpec('c', ('a',), order=2)]
    with pytest.raises(UserError, match='a -> b -> c -> a'):
        build(specs)


def test_a_dependency_in_a_higher_wave_is_refused() -> None:
    with pytest.raises(UserError, match='higher wave 3'):
        build([TaskSpec('a', ('b',), wave=1), TaskSpec('b', wave=3)])
