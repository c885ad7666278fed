"""The reaper process, kept alive and told of every session that lives."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterable

from parproc.exec.protocol import start_error
from parproc.exec.supervision import ownership
from parproc.exec.supervision.reaper import Reaper, terminal_modes


class Supervisor:
    """Sees to it that a reaper is there as long as tasks run.

    One that ends, whoever has killed it, is replaced at once; so is one that does not listen.

    Args:
        selector: tells of the reaper's end, where a descriptor does.
        sessions: returns the leaders of all sessions that live.
        run_id: as for :class:`Reaper`.
        reset: as for :class:`Reaper`.
    """

    def __init__(
        self, selector: selectors.BaseSelector, sessions: Callable[[], Iterable[int]], run_id: str, reset: bytes
    ) -> None:
        self._selector = selector
        self._sessions = sessions
        self._run_id = run_id
        self._modes = terminal_modes()
        self._reset = reset
        self._reaper: Reaper | None = None

    def writer(self) -> int:
        """Return the descriptor on which leaders announce themselves to a reaper that lives.

        Raises:
            StartError: when there is none and none can be made.
        """
        self.look()
        try:
            return (self._reaper or self._replace()).writer
        except OSError as error:
            raise start_error(error) from None

    def remember(self, pid: int) -> None:
        """Tell of a session that its leader does not announce."""
        if self._reaper is not None:
            self._reaper.remember(pid)

    def forget(self, pid: int) -> None:
        """Tell that a session is over."""
        if self._reaper is not None:
            self._reaper.forget(pid)
            if self._reaper.is_deaf:
                self._renew()

    def look(self) -> None:
        """See whether the reaper is still there; put another in its place while sessions live."""
        if self._reaper is not None and not self._reaper.is_alive():
            self._renew()

    def close(self) -> None:
        """Let the reaper go."""
        reaper, self._reaper = self._reaper, None
        if reaper is not None:
            if reaper.pidfd >= 0:
                self._selector.unregister(reaper.pidfd)
            reaper.close()
            ownership.spared.discard(reaper.pid)

    def _renew(self) -> None:
        """Do without the reaper there was; where none can be made now, the next start of a task tries again."""
        self.close()
        if any(True for _ in self._sessions()):
            try:
                self._replace()
            except OSError:
                return

    def _replace(self) -> Reaper:
        with ownership.making_processes():
            reaper = Reaper(self._run_id, self._modes, self._reset)
            ownership.spared.add(reaper.pid)
        self._reaper = reaper
        for pid in self._sessions():
            reaper.remember(pid)
        if reaper.pidfd >= 0:
            self._selector.register(reaper.pidfd, selectors.EVENT_READ, self.look)
        return reaper
