"""An output that a slow reader cannot make anybody wait for."""

from __future__ import annotations

import os
import select
import stat

PATIENCE = 10
FILE_SLICE = 1 << 18


class Sink:
    """Writes bytes to a descriptor as fast as they are read.

    What is not a file takes no more at a time than it says it can take at once, so that a slow reader holds back
    neither signals nor deadlines.

    Args:
        descriptor: where to; stays the caller's.

    Attributes:
        broken: nobody reads any more, and nothing is written any more.
        written: how many bytes went out.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._slice = FILE_SLICE if stat.S_ISREG(os.fstat(descriptor).st_mode) else select.PIPE_BUF
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._pending = memoryview(b'')
        self.broken = False
        self.written = 0

    @property
    def pending(self) -> int:
        """How many bytes are still to be written."""
        return len(self._pending)

    def put(self, data: bytes) -> None:
        """Have ``data`` written by the next :meth:`flush`, after what is still pending."""
        if not self.broken:
            self._pending = memoryview(b''.join((self._pending, data)) if self._pending else data)

    def flush(self, patience: int | None) -> bool:
        """Write what is pending.

        Args:
            patience: milliseconds to wait for a reader that does not take more, None for ever.

        Returns:
            Whether all of it is written.

        Raises:
            BrokenPipeError: once, when nobody reads any more.
        """
        while self._pending:
            if not self._poll.poll(patience):
                return False
            try:
                count = os.write(self._descriptor, self._pending[: self._slice])
            except BlockingIOError:
                if patience is not None:
                    return False
                continue
            except BrokenPipeError:
                self.broken = True
                self._pending = memoryview(b'')
                raise
            self.written += count
            self._pending = self._pending[count:]
        return True
