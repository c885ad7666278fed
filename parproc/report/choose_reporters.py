"""Which reporter shows a run: what was asked for decides, else where its output goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from parproc.declare.options import Options
from parproc.report.logs.read_log import Ignored, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.streams.sink import Sink
from parproc.report.style import Style

WITH_LOGS = frozenset({'live', 'plain', 'stream', 'group'})
"""How a run is shown by what stands in logs; where a mode has none, a line at each start and end does."""


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where a run is shown, and what is known of it there.

    Args:
        status: receives lines about the run, and the board.
        output: gives what receives what procs write.
        log_path: proc name -> where its log is, or would be.
        usual: proc name -> seconds it usually takes, None when nobody knows.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
        in_program: it is a program's run and not the command line's: shown while the program waits.
        colour: ``auto``, ``always`` or ``never``.
    """

    status: TextIO
    output: Callable[[], Sink]
    log_path: Callable[[str], str]
    usual: Callable[[str], float | None]
    ignored: Ignored = none_ignored
    in_program: bool = False
    colour: str = 'auto'


@dataclass(frozen=True, slots=True)
class ChosenReporter:
    """What shows a run, and what follows from that for others.

    Args:
        reporter: shows the run.
        reset: what to write to the terminal when nobody can take the board away any more.
        environment: what procs are to know of where their output goes.
    """

    reporter: Reporter
    reset: bytes = b''
    environment: Mapping[str, str] = field(default_factory=dict)


def choose_for_command(options: Options, place: OutputPlace, *, one: bool) -> ChosenReporter:
    """Return what shows a run of the command line; arguments as for :func:`mode_for_command`, and where it is shown."""
    return _chosen(mode_for_command(options, one=one), options, place)


def choose_for_program(options: Options, place: OutputPlace) -> ChosenReporter:
    """Return what shows the procs that a program runs, by its options and where it is shown."""
    try:
        return _chosen(mode_for_program(options, place.status), options, place)
    except OSError:  # standard output is closed
        return _chosen('silent', options, place)


def mode_for_command(options: Options, *, one: bool) -> str:
    """Return how to show a run of the command line.

    Args:
        options: those of its session.
        one: it is the run of one proc, whose output is all that matters.
    """
    mode = options.output
    if mode == 'auto':
        terminal = os.isatty(2)
        if 'PARPROC_RUN_ID' in os.environ:
            mode = 'plain'
        elif one:
            mode = 'raw'
        elif options.dynamic or (options.dynamic is None and terminal and os.environ.get('TERM') != 'dumb'):
            mode = 'live'
        elif os.environ.get('GITHUB_ACTIONS') == 'true':
            mode = 'github'
        elif not terminal and os.environ.get('CI', '').lower() not in {'', '0', 'false'}:
            mode = 'group'
        else:
            mode = 'plain'
    return _without_logs(mode, options)


def mode_for_program(options: Options, status: TextIO) -> str:
    """Return how to show what a program runs: where nothing else is asked for, only on a terminal.

    Args:
        options: those of its session.
        status: the program's standard error. What is none of the system's, as in a notebook, is no terminal.
    """
    mode = options.output
    if mode == 'auto':
        mode = 'silent'
        if options.dynamic is not False and status.isatty():
            plain = 'PARPROC_RUN_ID' in os.environ or os.environ.get('TERM') == 'dumb'
            mode = 'plain' if plain and not options.dynamic else 'live'
    return _without_logs(mode, options)


def _without_logs(mode: str, options: Options) -> str:
    return 'lines' if not options.run_mode.has_logs and mode in WITH_LOGS else mode


def _chosen(mode: str, options: Options, place: OutputPlace) -> ChosenReporter:
    """Return what shows a run.

    Args:
        mode: one of :data:`parproc.declare.option_choices.OUTPUTS` but ``auto``, or ``lines`` or ``silent``.
        options: those of the session.
        place: where.

    Raises:
        OSError: when that needs standard output, and it is closed.
    """
    coloured = wants_colour(place.colour, terminal=place.status.isatty())
    style = Style(place.status, colour=coloured)
    environment = {'FORCE_COLOR': '1', 'COLUMNS': _columns(place.status)} if coloured else {}
    if mode == 'live':
        board = _board(style, options, place, environment)
        if board is not None:
            return board
        mode = 'plain'  # the board was asked for where there is no terminal
    return ChosenReporter(_reporter(mode, style, options, place), environment=environment)


def _board(style: Style, options: Options, place: OutputPlace, environment: Mapping[str, str]) -> ChosenReporter | None:
    from parproc.report.board.live import LiveReporter

    try:
        board = LiveReporter(
            style,
            place.log_path,
            full_log=options.full_log_on_failure,
            ignored=place.ignored,
            usual=place.usual,
            in_program=place.in_program,
        )
    except OSError:
        return None
    return ChosenReporter(board, board.reset, environment)


def _reporter(mode: str, style: Style, options: Options, place: OutputPlace) -> Reporter:
    ignored = place.ignored
    log_path, in_program = place.log_path, place.in_program
    if mode == 'raw':
        from parproc.report.lines.raw import RawReporter

        return RawReporter(place.output(), style, log_path)
    if mode == 'stream':
        from parproc.report.lines.stream import StreamReporter

        out = place.output()
        colour = wants_colour(place.colour, terminal=out.isatty())
        return StreamReporter(out, style, log_path, colour=colour, ignored=ignored, in_program=in_program)
    if mode == 'group':
        from parproc.report.lines.group import GroupReporter

        out = place.output()
        colour = wants_colour(place.colour, terminal=out.isatty())
        return GroupReporter(out, style, log_path, colour=colour, ignored=ignored, in_program=in_program)
    if mode == 'github':
        from parproc.report.lines.github import GithubReporter

        return GithubReporter(
            place.output(),
            Style(place.status, colour=place.colour != 'never'),
            log_path,
            summary_path=os.environ.get('GITHUB_STEP_SUMMARY') or None,
            ignored=ignored,
            home=os.environ.get('GITHUB_WORKSPACE') or None,
        )
    if mode == 'json':
        from parproc.report.run_events.json_lines import JsonReporter

        has_logs = options.run_mode.has_logs
        return JsonReporter(place.output(), log_path if has_logs else (lambda _name: None), version=version())
    if mode == 'lines':
        from parproc.report.lines.start_and_end import StartAndEndReporter

        return StartAndEndReporter(style, in_program=in_program)
    from parproc.report.lines.plain import PlainReporter

    full = options.full_log_on_failure
    if mode == 'silent':
        from parproc.report.lines.silent import SilentReporter

        return SilentReporter(style, log_path, full_log=full, ignored=ignored)
    return PlainReporter(style, log_path, quiet=mode == 'quiet', full_log=full, ignored=ignored, in_program=in_program)


def version() -> str:
    """Return parproc's version, which stands in the package itself, above this room."""
    return str(getattr(sys.modules[__name__.partition('.')[0]], '__version__', ''))


def _columns(status: TextIO) -> str:
    """Return the width that procs may draw in."""
    try:
        return str(os.get_terminal_size(status.fileno()).columns)
    except (OSError, ValueError):
        return os.environ.get('COLUMNS', '80')


def wants_colour(asked: str, *, terminal: bool) -> bool:
    """Return whether to use colour: ``asked`` for (``always``, ``never``), else by the environment and the terminal."""
    if asked != 'auto':
        return asked == 'always'
    if os.environ.get('NO_COLOR'):
        return False
    if os.environ.get('FORCE_COLOR', '0') != '0':
        return True
    return terminal and os.environ.get('TERM') != 'dumb'
