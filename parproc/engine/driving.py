"""Which thread drives: one at a time waits for what happens, the others sleep until it is done or their wait is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from signal import SIGINT

from parproc.control.signals import SignalInbox
from parproc.engine.stop_state import StopState


class DriverSeat:
    """Held by the thread that drives; a call within its own drive holds it as well.

    Args:
        lock: guards everything; the seat is taken and left under it.
        signals: wake the thread that drives.
        stop: of the run.
        clock: monotonic seconds.
    """

    def __init__(
        self, lock: threading.RLock, signals: SignalInbox, stop: StopState, clock: Callable[[], float]
    ) -> None:
        self._lock = lock
        self._signals = signals
        self._stop = stop
        self._clock = clock
        self._news = threading.Condition(lock)
        self._driver: int | None = None
        self._is_closing = False

    @property
    def is_closing(self) -> bool:
        """True once every thread that waits is to return."""
        return self._is_closing

    def is_taken(self) -> bool:
        """Return whether another thread drives."""
        return self._driver not in {None, threading.get_ident()}

    def take(self) -> int | None:
        """Become the thread that drives, under the lock and where no other one does; returns what :meth:`leave` takes.

        That is None, but for a call within this thread's own drive.
        """
        outer, self._driver = self._driver, threading.get_ident()
        return outer

    def leave(self, outer: int | None) -> None:
        """Let the thread drive that did before :meth:`take`, if any did, and wake those that sleep."""
        with self._lock:
            self._driver = outer
            self._news.notify_all()

    def notify(self) -> None:
        """Wake the threads that sleep, under the lock, so that each looks whether its wait is over."""
        self._news.notify_all()

    def drive_until(self, is_done: Callable[[], bool], until: float | None, drive: Callable[[], bool]) -> bool:
        """Block until ``is_done``, driving as soon as no other thread does; return whether it is.

        Args:
            is_done: asked under the lock.
            until: when to give up, in seconds of the clock; None for never.
            drive: drives until ``is_done`` or ``until``, and returns whether it is.

        Raises:
            KeyboardInterrupt: when Ctrl-C came while this thread slept; the run was told of it and has stopped.
        """
        is_interrupted = False
        while True:
            with self._lock:
                if self._is_closing or is_done():
                    break
                if self.is_taken():
                    left = None if until is None else until - self._clock()
                    if left is not None and left <= 0:
                        return False
                    try:
                        self._news.wait(left)
                    except KeyboardInterrupt:
                        is_interrupted = True
                        self._signals.take(SIGINT)
                    continue
                outer = self.take()
            try:
                return drive()
            finally:
                self.leave(outer)
        if is_interrupted:
            self._stop.take_signal()
            raise KeyboardInterrupt
        return not self._is_closing

    def take_over(self) -> None:
        """Let every thread that waits return, and block until no other one drives."""
        with self._lock:
            self._is_closing = True
            self._signals.wake()
            while self.is_taken():
                self._news.wait()

    def abandon(self) -> None:
        """Let nothing be done any more, in a process that was forked from the one that drives."""
        self._is_closing = True
