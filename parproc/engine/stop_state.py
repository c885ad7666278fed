"""Why a run is to end before everything is done: a signal, or its time is up."""

from __future__ import annotations


class StopState:
    """The signal that has stopped a run, and the time that it may take.

    Args:
        deadline: when the run's time is up, in seconds of the engine's clock; None for never.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._signal: int | None = None
        self._deadline = deadline
        self._timed_out = False

    @property
    def signal(self) -> int | None:
        """The first signal that has stopped the run; None when none did, or the program was told of it."""
        return self._signal

    @property
    def timed_out(self) -> bool:
        """True once the run has taken too long."""
        return self._timed_out

    @property
    def deadline(self) -> float | None:
        """When the run's time is up, in seconds of the engine's clock; None when it may take any time, or took too long."""
        return self._deadline

    @property
    def is_stopped(self) -> bool:
        """True when the run is to end before everything is done."""
        return self._signal is not None or self._timed_out

    def note_signal(self, signal: int) -> bool:
        """Note a signal that stops the run; return whether it is the first one."""
        if self._signal is not None:
            return False
        self._signal = signal
        return True

    def take_signal(self) -> int | None:
        """Return the signal that has stopped the run, and forget it: whoever takes it lets the program know."""
        signal, self._signal = self._signal, None
        return signal

    def check_time(self, now: float) -> bool:
        """Return whether the run's time is up at ``now``, which is true once only."""
        if self._deadline is None or now < self._deadline:
            return False
        self._deadline = None
        self._timed_out = True
        return True

    def postpone(self, seconds: float) -> None:
        """Give the run as much more time as it has stood still."""
        if self._deadline is not None:
            self._deadline += seconds
