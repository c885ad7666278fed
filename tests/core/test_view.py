"""The fold that every reporter draws, against sums over the whole story."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.view import RunView, TaskProgressed

FAILURE = failure(ErrorKind.EXIT, 'exit 2')


def ran(
    view: RunView, name: str, start: float, end: float, outcome: Outcome = SUCCESS, deps: tuple[str, ...] = ()
) -> None:
    view.take(TaskWanted(name, 1.0, deps, 0.0))
    view.take(TaskStarted(name, 1, start))
    view.take(TaskFinished(name, outcome, 1, start, end))


def never_ran(view: RunView, name: str, error: ErrorKind) -> None:
    view.take(TaskWanted(name, 1.0, (), 0.0))
    view.take(TaskFinished(name, failure(error, error.value), 0, None, 5.0))


def test_it_counts_what_is_wanted_running_and_over() -> None:
    view = RunView()
    ran(view, 'a', 0.0, 1.0)
    ran(view, 'b', 0.0, 1.0, Outcome(ProcState.SKIPPED))
    view.take(TaskWanted('c', 1.0, (), 0.0))
    view.take(TaskStarted('c', 1, 2.0))
    assert (view.total, view.done, list(view.running)) == (3, 2, ['c'])
    assert view.counts == {ProcState.SUCCEEDED: 1, ProcState.SKIPPED: 1}
    assert view.latest is not None
    assert view.latest.name == 'b'


@pytest.mark.parametrize(
    'error', [ErrorKind.EXIT, ErrorKind.DEPENDENCY_MISSING, ErrorKind.NOT_STARTED, ErrorKind.DEADLOCK]
)
def test_what_failed_by_itself_is_a_root_failure_even_when_it_never_ran(error: ErrorKind) -> None:
    view = RunView()
    never_ran(view, 'a', error)
    assert [ended.name for ended in view.failures] == ['a']
    assert not view.held_back


@pytest.mark.parametrize('error', [ErrorKind.DEPENDENCY_FAILED, ErrorKind.FAILURES_PRESENT, ErrorKind.NOT_RUN])
def test_what_others_held_back_is_counted_apart(error: ErrorKind) -> None:
    view = RunView()
    never_ran(view, 'a', error)
    never_ran(view, 'b', error)
    assert not view.failures
    assert view.held_back == {error: 2}
    assert view.counts == {ProcState.FAILED: 2}


def test_what_a_stop_ended_is_no_failure_of_its_own() -> None:
    view = RunView()
    view.take(RunStopping('SIGINT', 1, 0.5))
    ran(view, 'a', 0.0, 1.0, failure(ErrorKind.INTERRUPTED, 'interrupted'))
    assert not view.failures
    assert [ended.name for ended in view.interrupted] == ['a']
    assert view.stopped == 'SIGINT'


def test_failures_keep_their_order() -> None:
    view = RunView()
    for name in 'cab':
        ran(view, name, 0.0, 1.0, FAILURE)
    assert [ended.name for ended in view.failures] == ['c', 'a', 'b']


def test_attempts_count_together_and_the_delay_between_them_is_no_work() -> None:
    view = RunView()
    view.take(TaskWanted('a', 1.0, (), 0.0))
    view.take(TaskStarted('a', 1, 1.0))
    view.take(TaskRetrying('a', 1, FAILURE, 6.0, 3.0))
    assert view.running['a'].again_at == 6.0
    view.take(TaskStarted('a', 2, 6.0))
    again = view.running['a']
    assert (again.attempt, again.began, again.again_at) == (2, 1.0, None)
    view.take(TaskFinished('a', SUCCESS, 2, 6.0, 7.0))
    assert view.latest is not None
    assert (view.latest.seconds, view.latest.attempts, view.summed) == (6.0, 2, 3.0)


def test_waiting_for_others_is_no_work() -> None:
    view = RunView()
    view.take(TaskStarted('a', 1, 0.0))
    view.take(TaskWaiting('a', ('b',), 1.0))
    assert view.running['a'].awaited == ('b',)
    view.take(TaskResumed('a', 9.0))
    resumed = view.running['a']
    assert resumed.awaited == ()
    view.take(TaskFinished('a', SUCCESS, 1, 0.0, 10.0))
    assert view.summed == 2.0


def test_progress_is_kept_while_it_runs_and_forgotten_with_the_attempt() -> None:
    view = RunView()
    view.take(TaskProgressed('a', 0.5, 'too early', 0.0))
    view.take(TaskStarted('a', 1, 0.0))
    view.take(TaskProgressed('a', 0.5, 'half', 1.0))
    assert (view.running['a'].fraction, view.running['a'].message) == (0.5, 'half')
    view.take(TaskRetrying('a', 1, FAILURE, 2.0, 2.0))
    view.take(TaskStarted('a', 2, 2.0))
    assert (view.running['a'].fraction, view.running['a'].message) == (None, '')


def test_a_task_without_length_does_not_break_the_longest_chain() -> None:
    view = RunView()
    ran(view, 'a', 0.0, 2.0)
    ran(view, 'b', 2.0, 2.0, deps=('a',))
    ran(view, 'c', 2.0, 3.0, deps=('b', 'missing'))
    ran(view, 'other', 0.0, 2.5)
    assert view.critical_path() == (['a', 'b', 'c'], 3.0)


def test_a_run_of_nothing_has_no_longest_chain() -> None:
    assert RunView().critical_path() == ([], 0.0)


STORIES = st.lists(st.tuples(st.integers(0, 20), st.sets(st.integers(0, 30)), st.booleans()), max_size=30)


@given(STORIES)
def test_sums_slowest_and_longest_chain_agree_with_the_whole_story(story: list[tuple[int, set[int], bool]]) -> None:
    view = RunView()
    longest: dict[int, float] = {}
    for number, (seconds, wanted_deps, good) in enumerate(story):
        deps = sorted(dep for dep in wanted_deps if dep < number)
        ran(view, str(number), 100.0, 100.0 + seconds, SUCCESS if good else FAILURE, tuple(map(str, deps)))
        longest[number] = seconds + max((longest[dep] for dep in deps), default=0.0)
    path, length = view.critical_path()
    lengths = [seconds for seconds, _, _ in story]
    assert length == max(longest.values(), default=0.0) == sum(story[int(name)][0] for name in path)
    assert all(int(dep) in story[int(name)][1] for dep, name in pairwise(path))
    assert [ended.seconds for ended in view.slowest] == sorted(lengths, reverse=True)[:5]
    assert view.summed == sum(lengths)
    assert len(view.failures) == sum(not good for _, _, good in story)


def test_what_has_not_started_waits_for_deps_a_lock_a_wave_or_its_turn() -> None:
    view = RunView()
    for message in (
        TaskWanted('a', 1.0, (), 0.0, ('db',)),
        TaskWanted('b', 1.0, (), 0.0, ('db',)),
        TaskWanted('c', 1.0, ('a', 'b'), 0.0),
        TaskWanted('d', 1.0, (), 0.0, (), 2),
        TaskWanted('e', 1.0, (), 0.0),
        TaskStarted('a', 1, 0.0),
    ):
        view.take(message)
    held = {name: view.held_by(name) for name in view.waiting}
    assert held == {'b': 'the lock db, which a holds', 'c': 'a, b', 'd': 'wave 0', 'e': ''}
    view.take(TaskFinished('a', SUCCESS, 1, 0.0, 1.0))
    assert (view.held_by('b'), view.held_by('c')) == ('', 'b')
    for name in ('b', 'c', 'e'):
        view.take(TaskStarted(name, 1, 1.0))
        view.take(TaskFinished(name, SUCCESS, 1, 1.0, 2.0))
    assert view.held_by('d') == '' and list(view.waiting) == ['d']


def test_what_is_reopened_counts_no_longer() -> None:
    view = RunView()
    wanted = [TaskWanted(name, 1.0, (), 0.0, ('db',)) for name in 'abcde']
    not_run = failure(ErrorKind.NOT_RUN, 'not run')
    messages: list[Announcement] = [
        *wanted,
        TaskStarted('a', 1, 0.0),
        TaskFinished('a', SUCCESS, 1, 0.0, 1.0),
        TaskStarted('b', 1, 1.0),
        TaskFinished('b', FAILURE, 1, 1.0, 2.0),
        TaskFinished('c', failure(ErrorKind.INTERRUPTED, 'interrupted'), 0, None, 2.0),
        TaskFinished('d', not_run, 0, None, 2.0),
        TaskStarted('e', 1, 2.0),
        TaskReopened('a', SUCCESS, 1, 4.0),
        TaskReopened('b', FAILURE, 1, 4.0),
        TaskReopened('c', failure(ErrorKind.INTERRUPTED, 'interrupted'), 0, 4.0),
        TaskReopened('d', not_run, 0, 4.0),
        TaskReopened('e', SUCCESS, 1, 4.0),
        *wanted,
    ]
    for message in messages:
        view.take(message)
    assert (view.total, view.done, sum(view.counts.values()), sum(view.held_back.values())) == (5, 0, 0, 0)
    assert (view.failures, view.interrupted, dict(view.running)) == ([], [], {})
    assert list(view.waiting) == list('abcde')
    assert view.summed == 4.0
    assert {view.held_by(name) for name in view.waiting} == {''}
