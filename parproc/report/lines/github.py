"""Output for GitHub's runner: what went well is folded, failures are open, marked in the code, and repeated last.

The commands are those of GitHub's documentation, "Workflow commands for GitHub Actions": lines that begin with ``::``.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable

from parproc.core.durations import format_duration
from parproc.core.events import Announcement, TaskStarted, TaskWanted
from parproc.core.model import Location
from parproc.core.terminal_text import plain_text
from parproc.core.view import EndedTask, Message, RunBegan, RunEnded, RunView, TaskLogged
from parproc.errors import UserError
from parproc.report.files.step_summary import StepSummary
from parproc.report.lines.group import LONGEST_OUTPUT_BYTES
from parproc.report.lines.log_copier import BURST_BYTES, CopyingReporter
from parproc.report.logs.follow import LogFollower
from parproc.report.logs.read_log import Ignored, failure_lines, has_output, none_ignored
from parproc.report.streams.sink import Sink
from parproc.report.style import Style
from parproc.report.summary import counts_text

MOST_ANNOTATIONS = 9
"""GitHub shows ten errors of a step, and may add one of its own; a line says how many more there are."""

_PLACES = (
    re.compile(
        r'^\s*([^\s:()][^:()]*):(\d+)(?::\d+)?:?\s+(?:\w+ )?(?:fatal )?error\b', re.IGNORECASE
    ),  # gcc, clang, mypy
    re.compile(r'^\s*([^\s:()][^:()]*)\((\d+)(?:,\d+)?\):? error\b'),  # tsc, msvc
    re.compile(r'^\s*--> ([^:]+):(\d+):\d+'),  # rustc
    re.compile(r'^([^\s:]+\.go):(\d+):\d+: '),
)
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+)')
_STRUCTURE = re.compile(r'^(\s*)::(?=(?:end)?group\b|stop-commands\b)', re.IGNORECASE | re.MULTILINE)
_COLOUR = re.compile(r'\x1b\[[0-9;:]*m')


class RunnerStyle(Style):
    """Lines in which the runner finds none of its older commands, ``##[…]``, which it looks for anywhere."""

    def printable(self, text: str) -> str:
        """Return ``text`` as the stream can take it."""
        return super().printable(text).replace('##[', '# #[')


class GithubReporter(CopyingReporter):
    """Writes for GitHub's runner.

    A proc's own ``::`` commands work once, where its output stands; those that would open or close groups, or switch
    commands off, are shown as text.

    Args:
        out: receives everything.
        style: how lines are drawn; its stream is not written to.
        log_path: proc name -> its log.
        summary_path: file for the step's summary, None for none.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        home: folder that paths in annotations are relative to; the current one when not given.
    """

    def __init__(
        self,
        out: Sink,
        style: Style,
        log_path: Callable[[str], str],
        *,
        summary_path: str | None = None,
        ignored: Ignored = none_ignored,
        home: str | None = None,
    ) -> None:
        style = RunnerStyle(style.stream, colour=style.colour)
        super().__init__(out, style, log_path, ignored=ignored)
        self._style = style
        self._summary = None if summary_path is None else StepSummary(summary_path, log_path, ignored)
        self._home = os.path.realpath(home or os.getcwd())
        self._follower: LogFollower | None = None
        self._open_group = False

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Let the summary of the step have every message, and write about those that are worth a line on GitHub."""
        if self._summary is not None:
            try:
                self._summary.handle(message, view)
            except UserError as error:
                self._say(f'warning: {error.message}')
        if isinstance(message, RunBegan):
            self._plain.spoken(message.time)
        if not isinstance(message, (TaskStarted, TaskWanted, RunBegan, TaskLogged)):
            super().handle(message, view)

    def _close(self, ended: EndedTask, view: RunView, *, patience: int) -> bool:
        good = ended.outcome.state.is_good
        if self._follower is None:
            path = self._log_path(ended.name)
            self._follower = LogFollower(path, LONGEST_OUTPUT_BYTES)
            self._follower.finish()
            self._open_group = good and ended.seconds is not None and has_output(path)
            if ended.seconds is None:
                self._follower.close()
            line = self._style.ended(ended, view.name_width)
            self._say(f'::group::{line}' if self._open_group else line, *self._style.leaks(ended))
        if not self._copy(self._follower, '', BURST_BYTES, patience=patience, ignored=self._ignored(ended.name, good)):
            return False
        if self._open_group:
            self._open_group = False
            self._say('::endgroup::')
            self._sink.flush(patience)
        return True

    def _closed(self, ended: EndedTask, time: float, view: RunView) -> None:
        self._follower = None

    def _shown(self, lines: bytes, mark: str, ignored: re.Pattern[str] | None) -> str:
        text = super()._shown(lines, mark, ignored)
        return _STRUCTURE.sub(r'\1: :', text) if '::' in text else text

    def _status(self, message: Announcement | Message, view: RunView) -> None:
        if isinstance(message, RunEnded):
            self._end(message, view)
        else:
            super()._status(message, view)

    def _end(self, end: RunEnded, view: RunView) -> None:
        """Repeat the failures, annotate them, and say how it went."""
        if view.failures:
            self._say('')
            token = secrets.token_hex(16)
            self._say(f'::stop-commands::{token}')
            for ended in view.failures:
                self._say(self._style.ended(ended, view.name_width))
                for line in self._excerpt(ended):
                    self._say(f'    {line}'.rstrip())
            self._say(f'::{token}::')
            for ended in view.failures[:MOST_ANNOTATIONS]:
                self._say(self._annotation(ended))
            more = len(view.failures) - MOST_ANNOTATIONS
            if more > 0:
                self._say(f'and {more} more failed')
        began = view.began.time if view.began is not None else end.time
        self._say('', f'{counts_text(self._style, view)} in {format_duration(end.time - began)}')
        self._sink.flush()

    def _excerpt(self, ended: EndedTask) -> list[str]:
        if ended.seconds is None:
            return []
        path = self._log_path(ended.name)
        return list(failure_lines(path, colour=self._style.colour, ignored=self._ignored(ended.name, False)))

    def _annotation(self, ended: EndedTask) -> str:
        """Return the command that marks where a proc failed, as far as that is known."""
        place = ended.outcome.location or self._named_place(ended)
        fields = []
        if place is not None and (file := self._relative(place.file)) is not None:
            fields = [f'file={_property(file)}', f'line={place.line}']
        name = plain_text(ended.name)
        fields.append(f'title={_property(f"{name} failed")}')
        return f'::error {",".join(fields)}::{_data(plain_text(ended.outcome.reason) or "failed")}'

    def _named_place(self, ended: EndedTask) -> Location | None:
        """Return the first place that the log names as compilers do, else the last frame of a traceback in it."""
        lines = [_COLOUR.sub('', line) for line in self._excerpt(ended)]
        for line in lines:
            for pattern in _PLACES:
                if (found := pattern.match(line)) is not None:
                    return Location(found[1], int(found[2]))
        frames = [found for line in lines if (found := _FRAME.match(line)) is not None]
        own = [found for found in frames if self._relative(found[1]) is not None and 'site-packages' not in found[1]]
        return Location(own[-1][1], int(own[-1][2])) if own else None

    def _relative(self, file: str) -> str | None:
        """Return a path as GitHub wants it, from the repository's root; None for a file outside of it."""
        path = os.path.realpath(os.path.join(os.getcwd(), file))
        inside = os.path.relpath(path, self._home)
        return None if inside.startswith('..') else inside

    def _say(self, *lines: str) -> None:
        self._sink.put(''.join(f'{self._style.printable(line)}\n' for line in lines).encode())


def _data(text: str) -> str:
    return text.replace('%', '%25').replace('\r', '%0D').replace('\n', '%0A')


def _property(text: str) -> str:
    return _data(text).replace(':', '%3A').replace(',', '%2C')
