"""Being told that a child has ended where no descriptor says so: by SIGCHLD, or by looking every now and then.

Only the main thread may take a signal over. An executor that is driven by another thread is woken at short intervals.
"""

from __future__ import annotations

import os
import selectors
import signal
import threading
from collections.abc import Callable
from types import FrameType

from parproc.host import descriptors

LOOK_INTERVAL_SECONDS = 0.02
OWN_THREADS = 'parproc-'

_writers: set[int] = set()
_previous: object = None
_wakeup = -1


class SigchldWatch:
    """Calls back, out of the engine's one wait, after a child of this process may have ended.

    Args:
        selector: becomes readable then.
        call: takes nothing.
    """

    def __init__(self, selector: selectors.BaseSelector, call: Callable[[], None]) -> None:
        self._selector = selector
        self._call = call
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            descriptors.own(descriptor)
            os.set_blocking(descriptor, False)
        self._signalled = False
        self._closed = threading.Event()
        self._ticker: threading.Thread | None = None
        selector.register(self._reader, selectors.EVENT_READ, self._on_readable)

    def look(self) -> None:
        """Be told from now on, whichever thread asks for it; raises OSError when that is impossible."""
        if threading.current_thread() is threading.main_thread():
            if not self._signalled:
                self._signalled = True
                _listen(self._writer)
        elif self._ticker is None:
            ticker = threading.Thread(target=self._tick, name=f'{OWN_THREADS}exits', daemon=True)
            try:
                ticker.start()
            except RuntimeError as error:
                raise OSError(str(error)) from None
            self._ticker = ticker

    def close(self) -> None:
        """Release everything."""
        self._selector.unregister(self._reader)
        if self._signalled:
            _leave(self._writer)
        self._closed.set()
        if self._ticker is not None:
            self._ticker.join()
        descriptors.close(self._reader)
        descriptors.close(self._writer)

    def _tick(self) -> None:
        while not self._closed.wait(LOOK_INTERVAL_SECONDS):
            _write(self._writer)

    def _on_readable(self) -> None:
        try:
            while os.read(self._reader, 4096):
                pass
        except OSError:
            pass
        self._call()


def _listen(writer: int) -> None:
    """Write to ``writer`` whenever a child has ended; what the program does at SIGCHLD is done as well."""
    global _previous, _wakeup
    if not _writers:
        _previous = signal.signal(signal.SIGCHLD, _note)
        _wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        if _wakeup >= 0:
            signal.set_wakeup_fd(_wakeup)  # whoever is woken by it runs our handler as well
    _writers.add(writer)


def _leave(writer: int) -> None:
    """Undo :func:`_listen`; off the main thread, the handler stays and does nothing."""
    _writers.discard(writer)
    if threading.current_thread() is not threading.main_thread():
        return
    if _wakeup < 0:
        current = signal.set_wakeup_fd(next(iter(_writers), -1), warn_on_full_buffer=False)
        if current not in (writer, -1):
            signal.set_wakeup_fd(current)
    if not _writers and signal.getsignal(signal.SIGCHLD) is _note:
        signal.signal(signal.SIGCHLD, _previous)  # type: ignore[arg-type]


def _note(number: int, frame: FrameType | None) -> None:
    for writer in tuple(_writers):
        _write(writer)
    if callable(_previous):
        _previous(number, frame)


def _write(descriptor: int) -> None:
    try:
        os.write(descriptor, b'\0')
    except OSError:
        return
