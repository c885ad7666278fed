"""Being told that a child has ended where no descriptor says so: SIGCHLD, made readable."""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable
from types import FrameType

from parproc import descriptors


class ExitSignal:
    """Calls back, out of the engine's one wait, after a child of this process has ended.

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
        self._previous = signal.signal(signal.SIGCHLD, self._note)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        if self._wakeup >= 0:
            signal.set_wakeup_fd(self._wakeup)  # whoever is woken by it runs our handler as well
        selector.register(self._reader, selectors.EVENT_READ, self._on_readable)

    def close(self) -> None:
        """Release everything."""
        self._selector.unregister(self._reader)
        signal.signal(signal.SIGCHLD, self._previous)
        if self._wakeup < 0:
            current = signal.set_wakeup_fd(-1)
            if current not in (self._writer, -1):
                signal.set_wakeup_fd(current)
        descriptors.close(self._reader)
        descriptors.close(self._writer)

    def _note(self, number: int, frame: FrameType | None) -> None:
        try:
            os.write(self._writer, b'\0')
        except OSError:
            return

    def _on_readable(self) -> None:
        try:
            while os.read(self._reader, 4096):
                pass
        except OSError:
            pass
        self._call()
