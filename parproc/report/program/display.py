"""What a program that runs procs shows: while it waits, for in between the terminal is its own."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TextIO, cast

from parproc.core.closed import assert_never
from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.view import Message, RunBegan, RunEnded, RunView, RunWarned, TaskLogged, TaskProgressed
from parproc.declare.options import Options
from parproc.host.interactive import is_interactive
from parproc.report.choose_reporters import ChosenReporter, OutputPlace, choose_for_program, version
from parproc.report.fanout import Reporters
from parproc.report.logs.read_log import Ignored, none_ignored
from parproc.report.program.program_stderr import ProgramStderr
from parproc.report.reporter import Reporter
from parproc.report.run_events.callback import CallbackReporter
from parproc.report.run_events.event_stream import EventStream
from parproc.report.streams.sink import Sink
from parproc.report.wait_over import WaitOver
from parproc.run_events import RunEvent

_OF_VIEW_ALONE = (
    TaskStarted,
    TaskProgressed,
    TaskLogged,
    TaskWaiting,
    TaskResumed,
    TaskRetrying,
    RunWarned,
    RunEnded,
)
"""The messages that neither begin a batch nor count in how a wait went."""

_terminal = threading.Lock()
"""Held by the one that has its board on the terminal: two at once would draw over each other."""


class ProgramDisplay(Reporters):
    """The reporters of a program's run as one.

    It takes all messages from the first on, a :class:`RunBegan`, to the last, a :class:`RunEnded`. What reporters draw is
    the batch that goes on: once all is over, what is wanted next begins a new one, so that a program that runs something
    a thousand times sees each time how far that is.

    Args:
        chosen: shows the run.

    Attributes:
        reset: what to write to the terminal when nobody can take the board away any more.
        environment: what procs are to know of where their output goes.
    """

    def __init__(self, chosen: ChosenReporter) -> None:
        super().__init__([chosen.reporter])
        self._main = chosen.reporter
        self.reset = chosen.reset
        self.environment: Mapping[str, str] = chosen.environment
        self._began: RunBegan | None = None
        self._batch: set[str] = set()
        self._waits = 0
        self._has_terminal = False
        self._raised: set[str] = set()
        self._wait_began = 0.0
        self._ended = RunView()
        self._ended_names: set[str] = set()
        self._first_wanted: float | None = None

    def add(self, reporter: Reporter) -> None:
        """Let a further reporter take all messages from now on."""
        self._reporters = [*self._reporters, reporter]

    def show_on(self, chosen: ChosenReporter) -> None:
        """Show what comes from now on in another way."""
        old, self._main = self._main, chosen.reporter
        others = [reporter for reporter in self._reporters if reporter is not old]
        self._reporters = [old]
        self._each(lambda reporter: reporter.close())
        self._reporters = [chosen.reporter]
        self._each(self._tell_so_far)
        self._give_terminal()
        if self._waits:
            self._begin(self._wait_began)
        self._reporters += others

    def _tell_so_far(self, reporter: Reporter) -> None:
        """Tell a reporter what it has to know that has missed the beginning."""
        if self._began is not None:
            reporter.handle(self._began, self.view)
        for name, running in self.view.running.items():
            reporter.handle(TaskStarted(name, running.attempt, running.began), self.view)

    def handle(self, message: Announcement | Message) -> None:
        """Let each reporter take one message. A program is not stopped because nobody reads what is shown of it."""
        with contextlib.suppress(BrokenPipeError):
            super().handle(message)
        if isinstance(message, RunEnded):
            self._give_terminal()

    def tick(self, now: float) -> None:
        """Let each reporter know that time has passed."""
        with contextlib.suppress(BrokenPipeError):
            super().tick(now)

    def begin_wait(self, now: float) -> None:
        """Show what goes on: the program waits, from ``now`` (monotonic seconds) on. Waits may be nested."""
        self._waits += 1
        if self._waits == 1:
            self._wait_began = now
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            self._begin(now)

    def _begin(self, now: float) -> None:
        """Begin to show, but draw no board where that of another session is."""
        draws_board = self._main.draws_board
        self._has_terminal = draws_board and _terminal.acquire(blocking=False)
        if self._has_terminal or not draws_board:
            self._each(lambda reporter: reporter.begin_wait(now))

    def end_wait(self, now: float, *, raised: Collection[str] | None = None) -> None:
        """Leave the terminal to the program, and say how a wait for several procs went.

        Args:
            now: monotonic seconds.
            raised: those of which an exception tells the program that they failed; None where none is to be raised, now
                or later, so that what is not shown yet has to be.
        """
        self._waits -= 1
        self._raised.update(raised or ())
        if self._waits:
            return
        began = now if self._first_wanted is None else self._first_wanted
        told, self._raised = self._raised, set()
        wait = WaitOver(self._ended, now - began, told, is_last_chance=raised is None)
        self._ended, self._ended_names = RunView(), set()
        if self.view.done == self.view.total:
            self._first_wanted = None
        if self._main.draws_board and not self._has_terminal:
            self._each(lambda reporter: reporter.begin_wait(now))  # only for the lines that there are to write
        self._each(lambda reporter: reporter.end_wait(wait, self.view))
        self._give_terminal()

    def _give_terminal(self) -> None:
        if self._has_terminal:
            self._has_terminal = False
            _terminal.release()

    def wants_keys(self) -> bool:
        """Return whether keys mean anything: only while the board is there to see what they do.

        Where somebody types at Python, what is typed meanwhile, or was pasted, is the program's next lines.
        """
        return self._has_terminal and super().wants_keys() and not is_interactive()

    def fold(self, message: Announcement | Message) -> None:
        """Take one message into the view of the batch that goes on, and note what ends."""
        if isinstance(message, RunBegan):
            self._began = message
        elif isinstance(message, TaskWanted):
            self._want(message)
        elif isinstance(message, TaskFinished):
            self._ended.take(message)
            self._ended_names.add(message.name)
        elif isinstance(message, RunStopping):
            self._ended.take(message)
        elif isinstance(message, TaskReopened):
            if message.name in self._ended_names:
                self._ended_names.discard(message.name)
                self._ended.take(message)
            if message.name not in self._batch:  # it is of a batch that is forgotten
                return
        elif not isinstance(message, _OF_VIEW_ALONE):
            assert_never(message)
        self.view.take(message)

    def _want(self, message: TaskWanted) -> None:
        if self._first_wanted is None:
            self._first_wanted = message.time
        if self._batch and self.view.done == self.view.total:
            self._batch = set()
            self.view = RunView()
            if self._began is not None:
                self.view.take(replace(self._began, time=message.time))
        self._batch.add(message.name)


def program_listener(
    options: Options,
    *,
    log_path: Callable[[str], str],
    usual: Callable[[str], float | None],
    ignored: Ignored = none_ignored,
    on_event: Callable[[RunEvent], object] | None = None,
) -> ProgramDisplay:
    """Return what shows a program's run.

    Args:
        options: those of its session.
        log_path: proc name -> where its log is, or would be.
        usual: proc name -> seconds it usually takes, None when nobody knows.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        on_event: the program's own function, called with each event.
    """
    listener = ProgramDisplay(program_reporter(options, log_path=log_path, usual=usual, ignored=ignored))
    if on_event is not None:
        stream = EventStream(log_path if options.run_mode.has_logs else (lambda _name: None), version=version())
        listener.add(CallbackReporter(on_event, stream, lambda text: listener.handle(RunWarned(text))))
    return listener


def program_reporter(
    options: Options,
    *,
    log_path: Callable[[str], str],
    usual: Callable[[str], float | None],
    ignored: Ignored = none_ignored,
) -> ChosenReporter:
    """Return what shows a program's run, as its options say; takes what :func:`program_listener` does."""
    status = cast('TextIO', ProgramStderr())
    place = OutputPlace(status, _output, log_path, usual, ignored, in_program=True)
    return choose_for_program(options, place)


def _output() -> Sink:
    """Return what writes to standard output; raises OSError when that is closed."""
    try:
        descriptor = sys.stdout.fileno()
    except Exception:  # none of the system's, as in a notebook
        descriptor = 1
    sink = Sink(descriptor)
    if sink.error is not None:
        raise sink.error
    return sink
