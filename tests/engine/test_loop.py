"""The loop, over an executor without processes and a clock that goes as the test says."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping

import pytest

from parproc.control.signals import SignalInbox
from parproc.core.events import RunStopping, TaskFinished, TaskStarted
from parproc.core.model import SUCCESS, ErrorKind, failure
from parproc.core.view import RunWarned, TaskLogged, TaskProgressed
from parproc.engine import loop
from parproc.errors import InternalError
from parproc.exec.protocol import (
    CreateAsked,
    Ended,
    InputAsked,
    Logged,
    Progressed,
    StartAsked,
    StartError,
    WaitAsked,
    Warned,
)
from tests.engine.conftest import Bench, BenchMaker
from tests.engine.scripted_executor import Step, ends

BROKEN = failure(ErrorKind.EXIT, 'exit 2')
DEADLINE_SECONDS = 10.0


# --- starting --------------------------------------------------------------------------------------------------------


def test_tasks_start_in_the_order_of_their_declaration_as_slots_come_free(make_bench: BenchMaker) -> None:
    bench = make_bench(parallel=2)
    for name in 'abcd':
        bench.tasks.declare(name)
    bench.executor.script('a', ends('a', 3.0))
    bench.run()
    assert bench.executor.starts == [('a', 1, 0.0), ('b', 1, 0.0), ('c', 1, 1.0), ('d', 1, 2.0)]


def test_a_task_starts_when_all_it_depends_on_has_ended(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.tasks.declare('c', ['a', 'b'])
    bench.executor.script('b', ends('b', 5.0))
    bench.run('c')
    assert bench.executor.starts[-1] == ('c', 1, 5.0)


def test_a_start_that_the_system_refuses_fails_the_task_with_the_reason(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.executor.refusals['a'] = [StartError('no such program', scarce=False)]
    bench.run()
    assert bench.ends() == [('a', 'could not start: no such program', 0.0)]
    assert not [message for message in bench.listener.messages if isinstance(message, TaskStarted)]


def test_a_start_for_which_the_system_is_short_is_tried_again_when_another_task_has_ended(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.refusals['b'] = [StartError('too many processes', scarce=True)]
    bench.run()
    assert bench.executor.starts == [('a', 1, 0.0), ('b', 1, 1.0)]
    assert [reason for _, reason, _ in bench.ends()] == ['', '']


def test_a_task_whose_start_fails_gives_the_terminal_back(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.interactive.add('a')
    bench.executor.refusals['a'] = [StartError('no', scarce=False)]
    bench.run()
    assert bench.listener.aside == [True, False]


def test_an_interactive_task_has_the_terminal_until_it_ends(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.interactive.add('a')
    seen: list[list[bool]] = []
    bench.world.at(0.5, lambda: seen.append(list(bench.listener.aside)))
    bench.run()
    assert (seen, bench.listener.aside) == ([[True]], [True, False])


# --- reports ---------------------------------------------------------------------------------------------------------


def test_the_end_of_a_task_that_nobody_knows_is_an_error_with_its_name(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.world.at(0.5, lambda: bench.executor.post(Ended('stranger', SUCCESS)))
    with pytest.raises(InternalError, match='stranger'):
        bench.run()


def test_a_second_end_of_the_same_attempt_is_an_error(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('b', ends('b', 9.0))
    bench.world.at(2.0, lambda: bench.executor.post(Ended('a', SUCCESS)))
    with pytest.raises(InternalError, match='a'):
        bench.run()


def test_what_tasks_say_is_passed_on_with_the_time(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.executor.script(
        'a',
        Step(1.0, Progressed('a', 0.5, 'half')),
        Step(2.0, Logged('a', 'said')),
        Step(3.0, Warned('odd')),
        ends('a', 4.0),
    )
    bench.run()
    said = [m for m in bench.listener.messages if isinstance(m, TaskProgressed | TaskLogged | RunWarned)]
    assert said == [TaskProgressed('a', 0.5, 'half', 1.0), TaskLogged('a', 'said', 2.0), RunWarned('odd')]


# --- questions of tasks ------------------------------------------------------------------------------------------------


def test_a_task_that_waits_goes_on_with_the_results_when_all_is_over(make_bench: BenchMaker) -> None:
    bench = make_bench(parallel=1)
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.tasks.declare('c')
    bench.executor.script('a', Step(1.0, WaitAsked('a', ('b', 'c'))), ends('a', 1.0))
    bench.executor.script('b', ends('b', 2.0, result=b'value'))
    bench.executor.script('c', ends('c', 2.0, BROKEN))
    bench.run('a')
    assert bench.executor.starts == [('a', 1, 0.0), ('b', 1, 1.0), ('c', 1, 3.0)]
    assert bench.executor.replies == [('a', {'names': ['b', 'c'], 'failed': {'c': 'exit 2'}})]
    assert bench.executor.results == [{'b': b'value'}]
    assert [(name, when) for name, _, when in bench.ends()] == [('b', 3.0), ('c', 5.0), ('a', 6.0)]


def test_tasks_that_wait_for_each_other_are_told_of_the_deadlock(bench: Bench) -> None:
    for name, other in ('ab', 'ba'):
        bench.tasks.declare(name)
        bench.executor.script(name, Step(1.0, WaitAsked(name, (other,))), ends(name, 1.0, BROKEN))
    bench.run()
    (refused, answer), (resumed, _) = bench.executor.replies
    assert (refused, resumed) == ('b', 'a')
    assert (answer['deadlock'], answer['error']) == (True, '"b" waits for "a", "a" waits for "b"')


def test_a_task_that_starts_others_is_answered_at_once(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('a', Step(1.0, StartAsked('a', ('b',))), ends('a', 0.5))
    bench.executor.script('b', ends('b', 9.0))
    bench.run('a')
    assert bench.executor.replies == [('a', {'names': ['b']})]
    assert [(name, when) for name, _, when in bench.ends()] == [('a', 1.5), ('b', 10.0)]


def test_a_task_that_creates_others_hears_their_names_and_none_of_them_starts(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('a', Step(1.0, CreateAsked('a', 'b', None, {'x': 1.0})), ends('a', 0.5))
    bench.run('a')
    assert bench.tasks.created == [('a', 'b', None, {'x': 1.0})]
    assert bench.executor.replies == [('a', {'names': ['b']})]
    assert bench.executor.names_started() == ['a']


@pytest.mark.parametrize(
    'asked',
    [
        CreateAsked('a', 'nowhere', None, {}),
        StartAsked('a', ('nowhere',)),
        WaitAsked('a', ('b', 'nowhere')),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_and_the_run_goes_on(
    bench: Bench, asked: CreateAsked | StartAsked | WaitAsked
) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('a', Step(1.0, asked), ends('a', 1.0))
    bench.run()
    refusal: Mapping[str, object] = {'error': 'no proc "nowhere"', 'hint': 'declare it'}
    assert bench.executor.replies == [('a', refusal)]
    assert sorted(name for name, reason, _ in bench.ends() if not reason) == ['a', 'b']


def test_a_question_to_the_person_is_forgotten_with_its_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tasks.declare('a', timeout=5.0)
    bench.executor.script('a', Step(1.0, InputAsked('a', 'name?', hidden=False)))
    reader, writer = os.pipe()  # a person who never answers
    monkeypatch.setattr('parproc.control.prompt.STDIN', reader)
    bench.run()
    os.close(reader)
    os.close(writer)
    assert ''.join(bench.listener.said).startswith('a: name?')
    assert bench.listener.aside == [True, False]
    assert not bench.executor.replies


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_failed_task_is_tried_again_after_its_delay_which_doubles(bench: Bench) -> None:
    bench.tasks.declare('a', retries=2, retry_delay=10.0)
    bench.executor.script('a', ends('a', 1.0, BROKEN))
    bench.executor.script('a', ends('a', 1.0, BROKEN))
    bench.run()
    assert bench.executor.starts == [('a', 1, 0.0), ('a', 2, 11.0), ('a', 3, 32.0)]
    assert bench.ends() == [('a', '', 33.0)]


def test_a_task_that_takes_too_long_is_asked_to_end_and_then_killed(make_bench: BenchMaker) -> None:
    bench = make_bench(grace=3.0)
    bench.tasks.declare('a', timeout=5.0)
    bench.executor.script('a', ends('a', 100.0))
    bench.executor.deaf.add('a')
    bench.run()
    assert bench.executor.kills == [('a', signal.SIGTERM), ('a', signal.SIGKILL)]
    ((_, reason, when),) = bench.ends()
    assert (reason, when) == ('timed out after 5 s', 8.0)


def test_a_run_that_takes_too_long_is_stopped(make_bench: BenchMaker) -> None:
    bench = make_bench(deadline=4.0)
    bench.tasks.declare('a')
    bench.tasks.declare('b', ['a'])
    bench.executor.script('a', ends('a', 100.0))
    bench.run()
    assert bench.engine.stop.timed_out
    assert bench.engine.stop.signal is None
    assert bench.executor.kills == [('a', signal.SIGTERM)]
    assert bench.executor.names_started() == ['a']
    assert bench.world.now == 4.0


def test_a_wait_with_a_limit_gives_up_and_the_tasks_go_on(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.executor.script('a', ends('a', 10.0))
    bench.engine.want(bench.tasks.wanted(['a']))
    assert not bench.engine.run(['a'], until=3.0)
    assert bench.world.now == 3.0
    assert bench.engine.run(['a'])
    assert bench.world.now == 10.0


# --- signals ---------------------------------------------------------------------------------------------------------


def send(bench: Bench, moment: float, number: int) -> None:
    """Let a signal arrive at a moment."""
    bench.world.at(moment, lambda: bench.engine.signals.take(number))


def test_the_first_signal_is_passed_on_and_starts_nothing_more(make_bench: BenchMaker) -> None:
    bench = make_bench(parallel=1)
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('a', ends('a', 9.0))
    send(bench, 2.0, signal.SIGINT)
    bench.run()
    assert bench.executor.kills == [('a', signal.SIGINT)]
    assert bench.executor.names_started() == ['a']
    assert bench.engine.stop.signal == signal.SIGINT
    assert [m.step for m in bench.listener.messages if isinstance(m, RunStopping)] == [1]


def test_who_does_not_end_by_the_signal_is_killed_after_the_grace(make_bench: BenchMaker) -> None:
    bench = make_bench(stop_grace=7.0)
    bench.tasks.declare('a')
    bench.executor.script('a', ends('a', 99.0))
    bench.executor.deaf.add('a')
    send(bench, 2.0, signal.SIGTERM)
    bench.run()
    assert bench.executor.kills == [('a', signal.SIGTERM), ('a', signal.SIGKILL)]
    assert bench.world.now == 9.0


def test_the_second_signal_kills_at_once(make_bench: BenchMaker) -> None:
    bench = make_bench(stop_grace=70.0)
    bench.tasks.declare('a')
    bench.executor.script('a', ends('a', 99.0))
    bench.executor.deaf.add('a')
    send(bench, 2.0, signal.SIGINT)
    send(bench, 3.0, signal.SIGTERM)
    bench.run()
    assert bench.executor.kills == [('a', signal.SIGINT), ('a', signal.SIGKILL)]
    assert bench.world.now == 3.0
    assert bench.engine.stop.signal == signal.SIGINT


class LeftError(Exception):
    """This process would have ended."""


def test_at_the_third_signal_the_process_ends_by_the_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(number: int) -> None:
        raise LeftError(number)

    monkeypatch.setattr(loop, 'die_by', leave)
    monkeypatch.setattr(bench.executor, 'kill', lambda name, signal: None)
    bench.tasks.declare('a')
    bench.executor.script('a', ends('a', 99.0))
    for moment, number in ((1.0, signal.SIGTERM), (2.0, signal.SIGINT), (3.0, signal.SIGINT)):
        send(bench, moment, number)
    with pytest.raises(LeftError) as caught:
        bench.run()
    assert caught.value.args == (signal.SIGTERM,)
    assert bench.world.now == 3.0


def test_ctrl_z_stops_the_tasks_too_and_counts_for_no_timeout(
    make_bench: BenchMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(deadline=20.0)
    bench.tasks.declare('a', timeout=5.0)
    bench.executor.script('a', ends('a', 999.0))

    def stand_still(inbox: SignalInbox) -> None:
        assert bench.executor.kills == [('a', signal.SIGSTOP)]
        bench.world.now += 100.0

    monkeypatch.setattr(SignalInbox, 'stand_still', stand_still)
    send(bench, 2.0, signal.SIGTSTP)
    bench.run()
    assert bench.executor.kills == [('a', signal.SIGSTOP), ('a', signal.SIGCONT), ('a', signal.SIGTERM)]
    assert bench.world.now == 105.0
    assert not bench.engine.stop.timed_out
    assert bench.listener.aside == [True, False]


def test_a_signal_that_asks_for_it_shows_how_the_run_stands(bench: Bench) -> None:
    bench.tasks.declare('a')
    send(bench, 0.5, signal.SIGUSR1)
    bench.run()
    assert bench.listener.shown == [0.5]
    assert bench.engine.stop.signal is None


# --- a listener that fails -------------------------------------------------------------------------------------------


def test_a_run_whose_output_nobody_reads_is_stopped(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('b', ends('b', 99.0))
    bench.listener.errors[TaskFinished] = BrokenPipeError()
    bench.run()
    assert bench.engine.output_closed
    assert bench.executor.kills == [('b', signal.SIGTERM)]
    assert bench.world.now == 1.0


def test_a_listener_that_fails_otherwise_breaks_the_wait_off_and_the_next_one_goes_on(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('b', ends('b', 5.0))
    bench.listener.errors[TaskFinished] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        bench.run()
    bench.listener.errors.clear()
    assert bench.engine.run()
    assert bench.world.now == 5.0


# --- what a program calls --------------------------------------------------------------------------------------------


def test_wanting_starts_at_once_and_pumping_takes_in_what_has_happened(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b', ['a'])
    assert bench.engine.want(bench.tasks.wanted(['b'])) is None
    assert bench.executor.names_started() == ['a']
    bench.world.now = 1.0
    assert bench.engine.pump() is None
    assert bench.executor.names_started() == ['a', 'b']


def test_what_is_cancelled_is_ended_with_its_dependents_and_nothing_else(bench: Bench) -> None:
    for name, deps in (('a', []), ('b', ['a']), ('c', [])):
        bench.tasks.declare(name, deps)
    bench.engine.want(bench.tasks.wanted(['b', 'c']))
    bench.engine.cancel(('a',))
    assert bench.engine.run()
    assert {name: reason for name, reason, _ in bench.ends()} == {'a': 'cancelled', 'b': 'cancelled', 'c': ''}
    assert bench.executor.kills == [('a', signal.SIGTERM)]


def test_what_is_dropped_is_ended_and_then_unknown(make_bench: BenchMaker) -> None:
    bench = make_bench(grace=2.0)
    bench.tasks.declare('a')
    bench.executor.script('a', ends('a', 99.0))
    bench.executor.deaf.add('a')
    bench.engine.want(bench.tasks.wanted(['a']))
    bench.engine.drop(['a'])
    assert 'a' not in bench.machine.tasks
    assert bench.executor.kills[-1] == ('a', signal.SIGKILL)
    assert not bench.executor.running


def test_closing_ends_the_executor_and_gives_all_descriptors_back() -> None:
    before = os.listdir('/dev/fd')
    bench = Bench()
    bench.tasks.declare('a')
    bench.run()
    bench.engine.close()
    assert bench.executor.closed == 1
    assert os.listdir('/dev/fd') == before


# --- two threads -----------------------------------------------------------------------------------------------------


class Waiting(threading.Thread):
    """A thread that waits for a task.

    One that is to sleep while another one drives has a limit, for which it looks at the time just before it sleeps.
    """

    def __init__(self, bench: Bench, name: str, until: float | None = None) -> None:
        super().__init__(daemon=True)
        self.over: bool | None = None
        self._bench = bench
        self._awaited = name
        self._until = until

    def run(self) -> None:
        self.over = self._bench.engine.run([self._awaited], until=self._until)

    def has_returned(self) -> bool:
        self.join(DEADLINE_SECONDS)
        return not self.is_alive()


def test_a_thread_that_waits_returns_when_another_one_has_driven_its_task_to_its_end(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('b', ends('b', 5.0))
    bench.engine.want(bench.tasks.wanted(['a', 'b']))
    waiting = Waiting(bench, 'a', until=100.0)
    over_at: list[float] = []

    def begin() -> None:  # this thread drives: the other one looks at the time, and sleeps
        waiting.start()
        assert bench.world.asked.wait(DEADLINE_SECONDS)

    def end() -> None:
        assert waiting.has_returned()
        over_at.append(bench.world.now)

    bench.world.at(0.5, begin)
    bench.world.at(3.0, end)
    assert bench.engine.run(['b'])
    assert (waiting.over, over_at) == (True, [3.0])


def test_another_thread_drives_on_when_the_one_that_did_is_done(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.tasks.declare('b')
    bench.executor.script('b', ends('b', 5.0))
    bench.engine.want(bench.tasks.wanted(['a', 'b']))
    waiting = Waiting(bench, 'b', until=100.0)

    def begin() -> None:
        waiting.start()
        assert bench.world.asked.wait(DEADLINE_SECONDS)

    bench.world.at(0.5, begin)
    assert bench.engine.run(['a'])
    assert waiting.has_returned() and waiting.over is True
    assert bench.world.now == 5.0


def test_what_a_second_thread_cancels_wakes_the_one_that_waits(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.executor.script('a')  # ends by nothing that it would say
    bench.engine.want(bench.tasks.wanted(['a']))
    waiting = Waiting(bench, 'a')
    waiting.start()
    assert bench.world.stands_still.wait(DEADLINE_SECONDS)
    bench.engine.cancel(('a',))
    assert waiting.has_returned() and waiting.over is True
    assert bench.executor.kills == [('a', signal.SIGTERM)]


def test_a_thread_that_waits_returns_when_the_engine_is_taken_over(bench: Bench) -> None:
    bench.tasks.declare('a')
    bench.executor.script('a')
    bench.engine.want(bench.tasks.wanted(['a']))
    waiting = Waiting(bench, 'a')
    waiting.start()
    assert bench.world.stands_still.wait(DEADLINE_SECONDS)
    bench.engine.take_over()
    assert waiting.has_returned() and waiting.over is False
