"""A run: how it is shown, and what it exits with."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from parproc.cli.command_line import CommandLine
from parproc.cli.output import has_room, note
from parproc.core.durations import parse_duration
from parproc.core.terminal_text import plain_text
from parproc.engine.command_run import PlannedRun, RunOutcome, execute
from parproc.engine.display import Display
from parproc.engine.workspace import Workspace
from parproc.errors import UserError
from parproc.exec.child.streams import flush
from parproc.host.descriptors import close, own
from parproc.report.choose_reporters import ChosenReporter, OutputPlace, choose_for_command
from parproc.report.fanout import Reporters
from parproc.report.reporter import Reporter
from parproc.report.streams.outputs import Outputs, write_out

FEWEST_FILES = 22
LAST_WORDS_SECONDS = 1.0
"""For the result of a run that was stopped to be read."""


def run(workspace: Workspace, targets: Sequence[str], asked: CommandLine, home: str) -> int:
    """Run procs; return the exit code, or the negative number of the signal to die by.

    Args:
        workspace: has loaded the task files.
        targets: full names.
        asked: the command line.
        home: the folder that the user is in, where reports are written.
    """
    _refuse_without_room()
    timeout = None if asked.timeout is None else parse_duration(asked.timeout, '--timeout')
    printed = asked.print_name
    if printed is not None:
        _check_printed(workspace, targets, asked, printed)

    outputs = Outputs()

    def display(planned: PlannedRun) -> Display:
        one = len(planned.names) == 1 and printed is None
        screen = _screen(workspace, asked, outputs, planned, one=one)
        reporters = [screen.reporter, *_reporters(workspace, asked, home, planned)]
        return Display(Reporters(reporters, outputs), screen.environment, screen.reset)

    began = time.monotonic()

    asked_for = printed is not None or workspace.options.output == 'json'
    with _output_aside() if asked_for and not workspace.options.run_mode.has_logs else nullcontext():
        outcome = execute(
            workspace,
            targets,
            display=display,
            only=asked.only,
            timeout=timeout,
            wanted=() if printed is None else (printed,),
            rerun=_beginning(asked),
        )
    if outcome.output_closed:
        return -signal.SIGPIPE
    code, lost = outcome.exit_code, outputs.out.lost
    if printed is not None and printed in outcome.results:
        deadline = None if timeout is None else began + timeout
        code, unread = _print_result(printed, outcome, deadline)
        lost = unread or lost
    if outcome.signal is not None and code != 124:
        return -outcome.signal
    if lost is not None:
        note(f'parproc: write error: {lost.strerror}')
    return code or int(lost is not None)


def _print_result(name: str, outcome: RunOutcome, deadline: float | None) -> tuple[int, OSError | None]:
    """Write a proc's result as JSON on standard output; return the exit code then, and the error that kept it back.

    Args:
        name: whose.
        outcome: of the run.
        deadline: when the run's time is up, on the monotonic clock; one that was stopped has a little of its own.
    """
    from parproc.cli.result_json import NotJsonError, json_text

    code = outcome.exit_code
    try:
        text = json_text(outcome.results[name])
    except NotJsonError as error:
        note(f'parproc: error: --print {plain_text(name)}: no JSON can be made of it: {error}')
        return code or 1, None
    stopped = code == 124 or outcome.signal is not None
    taken, lost = write_out(f'{text}\n'.encode(), time.monotonic() + LAST_WORDS_SECONDS if stopped else deadline)
    return code if taken or stopped else 124, lost


def _refuse_without_room() -> None:
    """Raise UserError where so few files may be open that a run would fail half way."""
    if not has_room(FEWEST_FILES):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        raise UserError(
            f'too few files may be open at once: a run needs {FEWEST_FILES} beside what is open, of {limit} altogether',
            hint='allow more, as with: ulimit -n 1024',
        )


def _check_printed(workspace: Workspace, targets: Sequence[str], asked: CommandLine, printed: str) -> None:
    """Raise UserError unless the proc whose result is asked for is part of the run."""
    if printed in {spec.name for spec in workspace.plan(targets, only=asked.only).order}:
        return
    if workspace.catalog.lookup(printed, workspace.params) is None:
        unknown = workspace.catalog.unknown(printed)
        raise UserError(f'--print {printed}: {unknown.message}', hint=unknown.hint)
    raise UserError(
        f'--print {printed}: it is no part of this run',
        hint='nothing that was named depends on it: name it as a target, too',
    )


@contextmanager
def _output_aside() -> Iterator[None]:
    """Let what procs in this very process print go to standard error: standard output is for what was asked for."""
    sys.stdout.flush()
    saved = own(os.dup(1))
    os.dup2(2, 1)
    try:
        yield
    finally:
        flush((sys.stdout,))
        os.dup2(saved, 1)
        close(saved)


def _beginning(asked: CommandLine) -> tuple[str, ...]:
    """Return what a command begins with that runs a proc of this run again, from where the user is."""
    words = ['parproc']
    for path in asked.files:
        words += ['-f', path]
    if asked.directory is not None:
        words += ['-C', asked.directory]
    return (*words, *(f'{name}={value}' for name, value in asked.params.items()))


def _reporters(workspace: Workspace, asked: CommandLine, home: str, planned: PlannedRun) -> list[Reporter]:
    """Return what writes of the run, beside what shows it."""
    reporters: list[Reporter] = []
    log_path, ignored = planned.folder.log_path, workspace.definitions.ignored
    if workspace.history is not None:
        from parproc.report.history_recorder import HistoryRecorder

        reporters.append(HistoryRecorder(workspace.history, time.time() - time.monotonic()))
    if asked.junit is not None:
        from parproc.report.files.junit import JunitReporter

        separator = workspace.options.name_param_separator
        path = os.path.join(home, asked.junit)
        reporters.append(JunitReporter(path, log_path, separator=separator, ignored=ignored))
    if asked.html is not None:
        from parproc.report.files.html_page import HtmlReporter

        reporters.append(HtmlReporter(os.path.join(home, asked.html), log_path, ignored=ignored))
    if asked.trace is not None:
        from parproc.report.files.trace import TraceReporter

        reporters.append(TraceReporter(os.path.join(home, asked.trace)))
    return reporters


def _screen(
    workspace: Workspace, asked: CommandLine, outputs: Outputs, planned: PlannedRun, *, one: bool
) -> ChosenReporter:
    """Return what shows the run; ``one``: it is of one proc, whose output is all that matters."""
    place = OutputPlace(
        outputs.status,
        lambda: outputs.out,
        planned.folder.log_path,
        planned.usual.get,
        workspace.definitions.ignored,
        colour=asked.colour,
    )
    return choose_for_command(workspace.options, place, one=one)
