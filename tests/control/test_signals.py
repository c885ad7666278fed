"""Signals to this process, as the one wait of the engine sees them."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from parproc.control.signals import SignalInbox, end_as_by

DEADLINE_SECONDS = 10.0


class Waiting:
    """A selector with an inbox in it."""

    def __init__(self, *, inline: bool = False) -> None:
        self.selector = selectors.DefaultSelector()
        self.inbox = SignalInbox(self.selector, inline=inline)

    def is_woken(self, timeout: float = 0) -> bool:
        """Wait, and take in what has happened, as the engine does."""
        ready = self.selector.select(timeout)
        for key, _ in ready:
            key.data()
        return bool(ready)

    def close(self) -> None:
        self.inbox.close()
        self.selector.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Waiting]]:
    made: list[Waiting] = []

    def one(*, inline: bool = False) -> Waiting:
        made.append(Waiting(inline=inline))
        return made[-1]

    yield one
    for waiting in made:
        waiting.close()


@pytest.fixture
def waiting(make: Callable[..., Waiting]) -> Waiting:
    return make()


def raised(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_stops_is_kept_and_counted_and_wakes_the_wait(waiting: Waiting, number: int) -> None:
    with waiting.inbox:
        raised(number)
        assert waiting.is_woken(DEADLINE_SECONDS)
    assert (list(waiting.inbox.pending), waiting.inbox.received) == ([number], 1)
    assert not waiting.is_woken()


@pytest.mark.parametrize('number', [signal.SIGTSTP, signal.SIGUSR1])
def test_a_signal_that_does_not_stop_is_kept_and_does_not_count(waiting: Waiting, number: int) -> None:
    with waiting.inbox:
        raised(number)
    assert (list(waiting.inbox.pending), waiting.inbox.received) == ([number], 0)


def test_handlers_are_there_only_inside_and_nested_ones_end_with_the_outermost(waiting: Waiting) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    with waiting.inbox:
        with waiting.inbox:
            inner = [signal.getsignal(number) for number in numbers]
        assert [signal.getsignal(number) for number in numbers] == inner
        assert all(handler not in before for handler in inner)
    assert [signal.getsignal(number) for number in numbers] == before
    after = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(after)
    assert after == wakeup


@pytest.mark.parametrize('handler', [signal.SIG_IGN, lambda number, frame: None])
def test_what_the_program_ignores_or_handles_stays_so(waiting: Waiting, handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with waiting.inbox:
            assert signal.getsignal(signal.SIGTERM) is handler
            raised(signal.SIGTERM)
        assert not waiting.inbox.pending
    finally:
        signal.signal(signal.SIGTERM, before)


def test_off_the_main_thread_it_takes_no_signals_and_can_still_be_told_of_one(waiting: Waiting) -> None:
    before = signal.getsignal(signal.SIGINT)
    found: list[object] = []

    def enter() -> None:
        with waiting.inbox:
            found.append(signal.getsignal(signal.SIGINT))
            waiting.inbox.take(signal.SIGINT)
            found.append(waiting.inbox.is_for_us())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    assert found == [before, True]
    assert (list(waiting.inbox.pending), waiting.inbox.received) == ([signal.SIGINT], 1)
    assert waiting.is_woken()


def test_while_the_main_thread_is_inside_a_stop_is_for_it_alone(waiting: Waiting) -> None:
    found: list[bool] = []
    with waiting.inbox:
        thread = threading.Thread(target=lambda: found.append(waiting.inbox.is_for_us()))
        thread.start()
        thread.join(DEADLINE_SECONDS)
        assert waiting.inbox.is_for_us()
    assert found == [False]


def test_a_key_stops_like_a_signal_and_counts_towards_no_sudden_end(waiting: Waiting) -> None:
    waiting.inbox.post(signal.SIGINT)
    assert (list(waiting.inbox.pending), waiting.inbox.received) == ([signal.SIGINT], 0)


def test_waking_too_often_does_no_harm(waiting: Waiting) -> None:
    for _ in range(100_000):
        waiting.inbox.wake()
    assert waiting.is_woken()
    assert not waiting.is_woken()


@pytest.mark.parametrize(
    ('number', 'error'), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit), (signal.SIGHUP, SystemExit)]
)
def test_in_a_task_of_this_process_a_signal_is_raised_as_well(
    make: Callable[..., Waiting], number: int, error: type[BaseException]
) -> None:
    waiting = make(inline=True)
    with waiting.inbox:
        assert waiting.inbox.set_in_task(True) is False
        with pytest.raises(error) as caught:
            raised(number)
        assert waiting.inbox.set_in_task(False) is True
        if isinstance(caught.value, SystemExit):
            assert caught.value.code == 128 + number
        raised(number)
    assert list(waiting.inbox.pending) == [number, number]


def test_tasks_in_this_process_leave_ctrl_z_to_the_system(make: Callable[..., Waiting]) -> None:
    with make(inline=True).inbox:
        assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_ctrl_c_ends_a_program_as_it_would_have_without_us() -> None:
    with pytest.raises(KeyboardInterrupt):
        end_as_by(signal.SIGINT)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_another_signal_ends_the_program_so_that_its_parent_sees_which(number: int) -> None:
    code = f'from parproc.control.signals import end_as_by; end_as_by({int(number)})'
    assert subprocess.run([sys.executable, '-c', code], check=False, timeout=DEADLINE_SECONDS).returncode == -number


def test_standing_still_stops_this_process_until_it_is_continued() -> None:
    code = """
import os, selectors, sys
os.setpgid(0, 0)  # a group whose leader has its parent outside: such a one Ctrl-Z can stop
from parproc.control.signals import SignalInbox
inbox = SignalInbox(selectors.DefaultSelector())
with inbox:
    inbox.stand_still()
    print('goes on', flush=True)
    sys.exit(list(inbox.pending) != [])
"""
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTSTP
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
        assert (said, process.returncode) == (b'goes on\n', 0)
    finally:
        process.kill()
        process.wait()
