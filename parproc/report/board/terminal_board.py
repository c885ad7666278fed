"""The board's place on a terminal: lines at its bottom that are drawn anew, below those that have scrolled up.

The cursor rests on the empty line above the board, not below it. Whatever else is written there (a warning, what the
user types, a shell's message) scrolls up like a finished proc, and however a terminal rearranges its lines when it is
resized, the board is what lies below the cursor: no rows have to be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parproc.core.view import RunView
from parproc.report.board.backlog import Backlog
from parproc.report.board.taskbar import Taskbar
from parproc.report.board.tty import Tty

PATIENCE_SECONDS = 0.2
"""For how long a terminal may take the board off before somebody else writes there; else that comes when it does."""

HIDE, SHOW = '\x1b[?25l', '\x1b[?25h'
TOGETHER, AT_ONCE = '\x1b[?2026h', '\x1b[?2026l'
BELOW, REST = '\x1b[J', '\x1b[K'


class TerminalBoard:
    """Draws a frame where the last one was, and lets lines scroll up above it.

    Args:
        descriptor: an open terminal.
        clock: monotonic seconds.
        environ: tells which terminal it is.
        is_placed: the cursor stands at the beginning of a line that is the board's; False where a program may have left
            it anywhere.

    Attributes:
        columns: width of the terminal when the board was last drawn.

    Raises:
        OSError: when it is no terminal or cannot be opened.
    """

    def __init__(
        self, descriptor: int, clock: Callable[[], float], environ: Mapping[str, str], *, is_placed: bool
    ) -> None:
        self._tty = Tty(descriptor, clock)
        self._taskbar = Taskbar(environ)
        self._backlog = Backlog()
        self._shown: list[str] = []
        self._size = (0, 0)
        self._is_placed = is_placed
        self.columns = self._tty.size()[0]

    @property
    def reset(self) -> bytes:
        """What to write to the terminal when nobody can take the board away any more."""
        return f'{AT_ONCE}{SHOW}{self._taskbar.at_end()}\r\n'.encode()

    @property
    def is_busy(self) -> bool:
        """Whether the terminal has not taken all that was written."""
        return self._tty.busy

    @property
    def written(self) -> int:
        """How many bytes the terminal has taken."""
        return self._tty.written

    def size(self) -> tuple[int, int]:
        """Return columns and lines of the terminal as they are now."""
        return self._tty.size()

    def scroll(self, text: str) -> None:
        """Keep whole lines that are to scroll up with the next frame."""
        self._backlog.add(text)

    def write(self, text: str) -> None:
        """Write text at once, where the cursor is."""
        self._tty.write(text)

    def push(self) -> None:
        """Hand over what the terminal did not take before, as long as it takes it quickly."""
        self._tty.push()

    def draw(self, frame: list[str], size: tuple[int, int], view: RunView) -> None:
        """Draw a frame in place of the last one, and what is to scroll up above it; nothing when nothing has changed.

        Args:
            frame: its lines, each narrower than the terminal.
            size: columns and lines of the terminal that it was made for.
            view: the run that it shows.
        """
        scrolled = self._backlog.take()
        if not scrolled and size == self._size and frame == self._shown:
            return
        self._shown, self._size, self.columns = frame, size, size[0]
        parts = ['\r', BELOW if scrolled else REST, scrolled]
        parts += [f'\r\n{line}{REST}' for line in frame]
        parts.append(f'{BELOW}\x1b[{len(frame)}A\r' if frame else '')
        self._place(''.join(parts) + self._taskbar.update(view))

    def leave(self) -> None:
        """Leave the terminal to others: without the board, and with all there was to say."""
        said = self._backlog.take()
        if self._is_placed or said:
            self._shown, self._size = [], (0, 0)
            self._place(f'\r{BELOW}{self._taskbar.clear()}{said}')
            self._tty.drain(PATIENCE_SECONDS)
        self._is_placed = False

    def close(self) -> None:
        """Give the terminal up, with all that it has not taken."""
        self._tty.close()

    def _place(self, text: str) -> None:
        """Write where the board begins: on a line of its own, wherever others have left the cursor."""
        if not self._is_placed:
            self._is_placed = True
            text = f'{" " * self._tty.size()[0]}\r{REST}{text}'  # of a line that is begun, it fills the rest and more
        self._tty.write(f'{TOGETHER}{HIDE}{text}{SHOW}{AT_ONCE}')
