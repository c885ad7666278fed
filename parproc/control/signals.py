"""Signals to parproc itself, turned into something the engine's one wait can see."""

from __future__ import annotations

import os
import selectors
import signal
import threading
from collections import deque
from types import FrameType, TracebackType
from typing import NoReturn

from parproc.host import descriptors

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalInbox:
    """Collects SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGUSR1 while entered as a context manager.

    Only signals that would have had their default effect are taken over: what the program ignores or handles by
    itself stays so. Off the main thread, where Python allows no handlers, it does nothing.

    Args:
        selector: becomes readable when a signal arrives.
        inline: tasks run in this process: a stopping signal is then raised in the task as well.
    """

    suspend: int = signal.SIGTSTP
    tell: int = signal.SIGUSR1
    stop: int = signal.SIGSTOP
    go_on: int = signal.SIGCONT

    def __init__(self, selector: selectors.BaseSelector, *, inline: bool = False) -> None:
        self.pending: deque[int] = deque()
        self.received = 0
        self._in_task = False
        self._selector = selector
        self._inline = inline
        self._previous: dict[int, object] = {}
        self._depth = 0
        self._previous_wakeup = -1
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            descriptors.own(descriptor)
            os.set_blocking(descriptor, False)
        selector.register(self._reader, selectors.EVENT_READ, self._drain)

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth += 1
        if self._depth > 1:
            return
        self._previous_wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in STOPPING if self._inline else (*STOPPING, signal.SIGTSTP, signal.SIGUSR1):
            previous = signal.getsignal(number)
            if previous in (signal.SIG_DFL, signal.default_int_handler):
                self._previous[number] = previous
                signal.signal(number, self._note)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth -= 1
        if self._depth:
            return
        for number, previous in self._previous.items():
            signal.signal(number, previous)  # type: ignore[arg-type]
        self._previous = {}
        signal.set_wakeup_fd(self._previous_wakeup)

    def is_for_us(self) -> bool:
        """Return whether a signal that stops the run is this thread's to hear of: the main one's, if that waits."""
        return not self._depth or threading.current_thread() is threading.main_thread()

    def wake(self) -> None:
        """Let whoever waits in the selector look around."""
        try:
            os.write(self._writer, b'\0')
        except BlockingIOError:
            return  # it has been woken often enough

    def take(self, number: int) -> None:
        """Note a signal that another thread was told of."""
        self._count(number)
        self.wake()

    def post(self, number: int) -> None:
        """Let the person at the terminal stop the run by a key, as if a signal had arrived.

        It does not count among those of which the third ends this process at once.
        """
        self.pending.append(number)

    def set_in_task(self, in_task: bool) -> bool:
        """Say whether a task runs in this process from here on, in which a signal is then raised; return what held."""
        outer, self._in_task = self._in_task, in_task
        return outer

    def close(self) -> None:
        """Give the descriptors back."""
        self._selector.unregister(self._reader)
        descriptors.close(self._reader)
        descriptors.close(self._writer)

    def stand_still(self) -> None:
        """Stop this process as Ctrl-Z would have, and return when it is continued."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            os.kill(os.getpid(), signal.SIGTSTP)
        finally:
            signal.signal(signal.SIGTSTP, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._count(number)
        self.wake()  # another thread may have looked between the signal and this
        if self._in_task:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            raise SystemExit(128 + number)

    def _count(self, number: int) -> None:
        self.pending.append(number)
        self.received += number in STOPPING

    def _drain(self) -> None:
        try:
            while os.read(self._reader, 4096):
                pass
        except BlockingIOError:
            pass


def end_as_by(number: int) -> NoReturn:
    """Let a program end as a signal would have ended it: by KeyboardInterrupt for SIGINT, else at once."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    die_by(number)


def die_by(number: int) -> NoReturn:
    """End this process by a signal, so that whoever waits for it sees which one."""
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    os._exit(128 + number)
