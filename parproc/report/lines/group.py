"""Each proc's output in one piece, when it ends."""

from __future__ import annotations

from parproc.core.view import EndedTask, RunView
from parproc.report.lines.log_copier import BURST_BYTES, CopyingReporter
from parproc.report.logs.follow import LogFollower

INDENT = '    '
LONGEST_OUTPUT_BYTES = 16 * 1024 * 1024


class GroupReporter(CopyingReporter):
    """Writes how a proc ended, and all its output below, so that no two procs' lines mix.

    Of more than 16 MB, the beginning and the end: who reads it has the log, and nobody waits for a gigabyte of it.

    Args:
        out: receives the ends and the output.
        style: receives the other status lines, as plain has them.
        log_path: proc name -> its log.
        colour: whether ``out`` takes colour; as the style's stream when not given.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        in_program: there is a summary after each wait, and none at the end of the run.
    """

    _follower: LogFollower | None = None

    def _close(self, ended: EndedTask, view: RunView, *, patience: int) -> bool:
        if self._follower is None:
            lines = [self._style.ended(ended, view.name_width), *self._style.leaks(ended)]
            self._sink.put(''.join(f'{self._style.printable(line)}\n' for line in lines).encode())
            self._follower = LogFollower(self._log_path(ended.name), LONGEST_OUTPUT_BYTES)
            self._follower.finish()
            if ended.seconds is None:  # it never ran, and what lies at its path is not its log
                self._follower.close()
        good = ended.outcome.state.is_good
        return self._copy(
            self._follower, INDENT, BURST_BYTES, patience=patience, ignored=self._ignored(ended.name, good)
        )

    def _closed(self, ended: EndedTask, time: float, view: RunView) -> None:
        self._follower = None
        self._plain.spoken(time)
