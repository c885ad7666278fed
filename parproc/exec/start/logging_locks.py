"""Keeping other threads from writing log records while this one forks."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from parproc.exec.cpython import logging_handlers
from parproc.exec.supervision.sigchld import OWN_THREADS

LONGEST_WAIT_SECONDS = 0.1
LONGEST_HOLD_SECONDS = 0.25


class HeldLoggingLocks:
    """While it is entered, no thread writes a log record, as far as that can be had.

    A child has fresh locks on its handlers, but what a handler writes to would stay locked in it by a thread that it
    does not have. The locks are held by a thread made for that, which lets go after a while whatever happens: a fork
    waits for the locks of all that has hooks on forks, and whoever holds one of those may be waiting for a handler.
    """

    def __init__(self) -> None:
        self._held = threading.Event()
        self._over = threading.Event()
        self._holder: threading.Thread | None = None

    def __enter__(self) -> None:
        locks = [handler.lock for handler in logging_handlers() if getattr(handler, 'lock', None) is not None]
        if not locks:
            return
        holder = threading.Thread(target=self._hold, args=(locks,), name=f'{OWN_THREADS}quiet', daemon=True)
        try:
            holder.start()
        except RuntimeError:  # the system is short of threads: the risk is taken
            return
        self._holder = holder
        self._held.wait(LONGEST_HOLD_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._holder is not None:
            self._holder.join(LONGEST_HOLD_SECONDS)

    def _hold(self, locks: list[Any]) -> None:
        """Take the locks, each for which one need not wait for long, and keep them until the fork is over."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        held = [lock for lock in locks if lock.acquire(timeout=max(0.0, deadline - time.monotonic()))]
        try:
            self._held.set()
            self._over.wait(LONGEST_HOLD_SECONDS)
        finally:
            for lock in reversed(held):
                lock.release()
