"""The reporter that shows a run on a terminal: what is over scrolls up, what runs is drawn below and drawn anew."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Mapping

from parproc.core.events import Announcement, RunStopping, TaskFinished, TaskRetrying, TaskWanted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.view import HELD_BACK, EndedTask, Message, RunBegan, RunEnded, RunView, RunWarned, TaskLogged
from parproc.report.board.frame import FrameInputs, draw, rows_shown
from parproc.report.board.keys import BoardKeys
from parproc.report.board.last_lines import LastLines
from parproc.report.board.terminal_board import TerminalBoard
from parproc.report.board.time_left import TimeLeft
from parproc.report.logs.read_log import Ignored, failure_lines, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.style import Style
from parproc.report.summary import write_summary
from parproc.report.wait_over import WaitOver

FIRST_FRAME_SECONDS = 0.2
"""How long after the beginning the first frame is drawn: what is over sooner needs none."""
FRAME_SECONDS = 0.1
PULSE_SECONDS = 0.2
"""How often logs are looked at for a new last line, which nobody announces."""
RETRY_SECONDS = 0.02
FEWEST_LINES = 4


class LiveReporter(Reporter):
    """Shows a run on a terminal.

    In a program it is shown only from ``begin_wait`` to ``end_wait``: in between, the terminal is the program's, and what
    ends meanwhile is shown when the next wait begins.

    Args:
        style: where and how; its stream is a terminal.
        log_path: proc name -> its log.
        full_log: show a failed proc's whole log.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        usual: proc name -> seconds it usually takes, None when nobody knows.
        in_program: there is a summary after each wait, and none at the end of the run.
        clock: monotonic seconds.
        environ: tells which terminal it is.

    Raises:
        OSError: when the stream is not a terminal or the terminal cannot be opened.
    """

    draws_board = True

    def __init__(
        self,
        style: Style,
        log_path: Callable[[str], str],
        *,
        full_log: bool = False,
        ignored: Ignored = none_ignored,
        usual: Callable[[str], float | None] | None = None,
        in_program: bool = False,
        clock: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        style.stream.flush()
        self._board = TerminalBoard(style.stream.fileno(), clock, environ, is_placed=not in_program)
        self._text = io.StringIO()
        self._style = Style(self._text, colour=style.colour, links=style.colour)
        self._style.unicode = style.unicode
        self._keys = BoardKeys(self._style, log_path)
        self._log_path = log_path
        self._full_log = full_log
        self._ignored = ignored
        self._usual = usual
        self._last_lines = LastLines(log_path)
        self._time_left = TimeLeft(usual) if usual is not None else None
        self._due = 0.0
        self._pulse = 0.0
        self._changed = False
        self._in_program = in_program
        self._away = 1 if in_program else 0
        self._over = False

    @property
    def reset(self) -> bytes:
        """What to write to the terminal when nobody can take the board away any more."""
        return self._board.reset

    @property
    def unread(self) -> bool:
        """Whether the terminal has not taken all that was written."""
        return self._board.is_busy

    @property
    def written(self) -> int:
        """How many bytes the terminal has taken."""
        return self._board.written

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Note what there is to say about ``message``; the end of the run, and what comes later, is shown at once."""
        self._changed = True
        super().handle(message, view)
        self._collect()

    def on_run_began(self, message: RunBegan, view: RunView) -> None:
        """Draw the first frame a moment later: what is over sooner needs none."""
        self._due = message.time + FIRST_FRAME_SECONDS

    def on_task_wanted(self, message: TaskWanted, view: RunView) -> None:
        """Reckon with a task that was scheduled."""
        if self._time_left is not None:
            self._time_left.add(message)

    def on_task_retrying(self, message: TaskRetrying, view: RunView) -> None:
        """Write how an attempt failed, and when the next one starts."""
        self._style.line(self._style.retrying(message))

    def on_task_logged(self, message: TaskLogged, view: RunView) -> None:
        """Write what a task said to whoever watches."""
        for line in self._style.logged(message):
            self._style.line(line)

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Write how a task ended, with what matters of its log where it failed."""
        if self._time_left is not None:
            self._time_left.remove(message.name)
        if view.latest is not None:
            self._finished(view.latest, view)

    def on_run_warned(self, message: RunWarned, view: RunView) -> None:
        """Write the warning."""
        self._style.line(self._style.warning(message))

    def on_run_stopping(self, message: RunStopping, view: RunView) -> None:
        """Write why the run ends early, and what becomes of what runs."""
        self._style.line(self._style.stopping(message, len(view.running)))

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Replace the board by the summary, which waits for the terminal; a program has seen how its waits went."""
        self._collect()
        if self._in_program:
            self.close()
            return
        write_summary(self._style, view, message, self._log_path, self._usual)
        self._collect()
        self._over = True
        self._board.leave()

    def next_tick(self, view: RunView) -> float | None:
        """Return when the next frame is due."""
        if self._over or self._away:
            return self._due if self._board.is_busy else None
        if self._changed or self._board.is_busy:
            return self._due
        return max(self._pulse, self._due) if view.running else None

    def tick(self, now: float, view: RunView) -> None:
        """Draw a frame when one is due and the terminal takes it."""
        if now < self._due:
            return
        if self._board.is_busy:
            self._board.push()
        if self._board.is_busy:
            self._due = now + RETRY_SECONDS
            return
        if self._over or self._away or not (self._changed or now >= self._pulse):
            return
        size = self._board.size()
        self._board.draw(self._frame(now, view, *size), size, view)
        self._changed = False
        self._due, self._pulse = now + FRAME_SECONDS, now + PULSE_SECONDS

    def press(self, key: str, view: RunView) -> None:
        """Do what a key asks for, while the board is there."""
        if self._over or self._away or not self._keys.press(key, view):
            return
        self._changed = True
        self._due = 0.0
        self._collect()

    def begin_wait(self, now: float) -> None:
        """Show the board from the next frame on, which is a moment away: what is over sooner needs none."""
        self.resume()
        self._due = now + FIRST_FRAME_SECONDS

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Take the board off the screen, and say how a wait for several procs went."""
        line = wait.line(self._style)
        if line:
            self._style.line(line)
            self._collect()
        self.suspend()

    def close(self) -> None:
        """Leave the terminal for good, with all that it has not taken."""
        if not self._over:
            self._over = True
            self._board.leave()
        self._board.close()

    def say(self, text: str) -> bool:
        """Write text that is no part of the board, as a question is."""
        self._board.write(text)
        return True

    def suspend(self) -> None:
        """Take the board off the screen, for a question or a proc that has the terminal to itself."""
        self._away += 1
        if self._away == 1 and not self._over:
            self._board.leave()

    def resume(self) -> None:
        """Put the board back with the next frame, once each :meth:`suspend` has had its resume."""
        self._away -= 1
        self._changed = True

    def _finished(self, ended: EndedTask, view: RunView) -> None:
        """Write about a task that is over."""
        style, outcome = self._style, ended.outcome
        if self._keys.failures_only and outcome.state.is_good and not outcome.leaked:
            return
        path = self._log_path(ended.name) if ended.seconds is not None else ''
        style.line(style.ended(ended, min(view.name_width, self._board.columns // 2), path))
        for leak in style.leaks(ended):
            style.line(leak)
        failed = outcome.state is ProcState.FAILED and outcome.error not in HELD_BACK
        if failed and path and outcome.error is not ErrorKind.INTERRUPTED:
            bar = style.paint('│', 'red')
            for line in failure_lines(
                path, colour=style.colour, full=self._full_log, ignored=self._ignored(ended.name, False)
            ):
                style.line(f'    {bar} {line}'.rstrip())
                self._collect()

    def _collect(self) -> None:
        """Keep the lines just written for the next frame; after the end there is none, and they are shown at once."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        if self._over and text:
            self._board.write(text)
        elif text:
            self._board.scroll(text)

    def _frame(self, now: float, view: RunView, columns: int, lines: int) -> list[str]:
        """Return the lines of the board, a column narrower than the screen, so that none can wrap."""
        if lines < FEWEST_LINES or view.began is None:
            return []
        names = [name for name, running in rows_shown(view, lines) if not running.awaited]
        left = self._time_left.left(now, view) if self._time_left is not None else None
        usual = self._usual or _unknown
        return draw(view, now, self._style, FrameInputs(columns - 1, lines, self._last_lines.look(names), usual, left))


def _unknown(_name: str) -> None:
    """Return None: nobody knows how long it takes."""
