"""A run: how it is shown, and what it exits with."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Sequence

from parproc import __version__
from parproc.cli.request import CommandLine
from parproc.core.durations import parse_duration
from parproc.errors import UserError
from parproc.options import ignored_lines
from parproc.report.fanout import Reporter, Reporters
from parproc.report.style import Style
from parproc.session import Session


def run(session: Session, targets: Sequence[str], asked: CommandLine) -> int:
    """Run procs; return the exit code, or the negative number of the signal to die by."""
    timeout = None if asked.timeout is None else parse_duration(asked.timeout, '--timeout')
    printed = asked.print_name
    if printed is not None and printed not in {spec.name for spec in session.plan(targets, only=asked.only).order}:
        raise UserError(f'--print {printed}: it is no part of this run', hint=session.catalog.nearest(printed))

    def listener(total: int) -> Reporters:
        return Reporters(_reporters(session, asked, single=total == 1))

    outcome = session.execute(
        targets,
        listener=listener,
        only=asked.only,
        timeout=timeout,
        wanted=() if printed is None else (printed,),
        rerun=_beginning(asked),
    )
    if outcome.output_closed:
        return -signal.SIGPIPE
    if printed is not None and printed in outcome.results:
        import json

        print(json.dumps(outcome.results[printed], default=str))
    if outcome.signal is not None and outcome.exit_code != 124:
        return -outcome.signal
    return outcome.exit_code


def _beginning(asked: CommandLine) -> tuple[str, ...]:
    """Return what a command begins with that runs a proc of this run again, from where the user is."""
    words = ['parproc']
    for path in asked.files:
        words += ['-f', path]
    if asked.directory is not None:
        words += ['-C', asked.directory]
    return (*words, *(f'{name}={value}' for name, value in asked.params.items()))


def _reporters(session: Session, asked: CommandLine, *, single: bool) -> list[Reporter]:
    """Return what shows the run, and what writes of it."""
    reporters = [_screen(session, asked, single=single)]
    if session.history is not None:
        from parproc.report.recorder import HistoryRecorder

        reporters.append(HistoryRecorder(session.history, time.time() - time.monotonic()))
    home = os.environ['PARPROC_INVOCATION_DIR']
    if asked.junit is not None:
        from parproc.report.junit import JunitReporter

        separator = session.options.name_param_separator
        path = os.path.join(home, asked.junit)
        reporters.append(JunitReporter(path, session.folder.log_path, separator=separator))
    if asked.html is not None:
        from parproc.report.htmlpage import HtmlReporter

        reporters.append(HtmlReporter(os.path.join(home, asked.html), session.folder.log_path))
    if asked.trace is not None:
        from parproc.report.trace import TraceReporter

        reporters.append(TraceReporter(os.path.join(home, asked.trace)))
    return reporters


def output_mode(asked: CommandLine, *, single: bool, dynamic: bool | None) -> str:
    """Return how to show a run: as asked, else by where the output goes.

    Args:
        asked: the command line.
        single: just one proc runs.
        dynamic: the option that turns the board on or off, None for neither.
    """
    mode = 'quiet' if asked.quiet else asked.output
    if mode != 'auto':
        return mode
    if 'PARPROC_RUN_ID' in os.environ:
        return 'plain'
    if single and asked.print_name is None:
        return 'raw'
    terminal = os.isatty(2) and os.environ.get('TERM') != 'dumb'
    if dynamic or (dynamic is None and terminal):
        return 'live'
    if os.environ.get('GITHUB_ACTIONS') == 'true':
        return 'github'
    if os.isatty(2):
        return 'plain'
    return 'group' if os.environ.get('CI', '').lower() not in {'', '0', 'false'} else 'plain'


def _screen(session: Session, asked: CommandLine, *, single: bool) -> Reporter:
    status = open(os.dup(2), 'w', encoding=sys.stderr.encoding, errors='backslashreplace')  # noqa: SIM115
    colour = _wants_colour(asked.colour, terminal=os.isatty(2))
    if colour:
        session.task_environment.update(FORCE_COLOR='1', COLUMNS=_columns())
    style = Style(status, colour=colour)
    full = session.options.full_log_on_failure

    def log_path(name: str) -> str:
        return session.folder.log_path(name)

    def ignored(name: str, succeeded: bool) -> re.Pattern[str] | None:
        task = session.catalog.procs.get(name)
        own = () if task is None else task.declaration.log_ignore
        return ignored_lines((*session.options.log_ignore, *own), succeeded=succeeded)

    mode = output_mode(asked, single=single, dynamic=session.options.dynamic)
    if mode == 'raw':
        from parproc.report.raw import RawReporter

        return RawReporter(open(os.dup(1), 'wb'), style, log_path)
    out_colour = _wants_colour(asked.colour, terminal=os.isatty(1))
    if mode == 'stream':
        from parproc.report.stream import StreamReporter

        return StreamReporter(os.dup(1), style, log_path, colour=out_colour, ignored=ignored)
    if mode == 'group':
        from parproc.report.group import GroupReporter

        return GroupReporter(os.dup(1), style, log_path, colour=out_colour, ignored=ignored)
    if mode == 'live':
        from parproc.report.live import LiveReporter

        try:
            board = LiveReporter(style, log_path, full_log=full, ignored=ignored, usual=session.usual.get)
        except OSError:  # asked for where there is no terminal
            mode = 'plain'
        else:
            session.terminal_reset = board.reset
            return board
    if mode == 'github':
        from parproc.report.github import GithubReporter

        return GithubReporter(
            os.dup(1),
            Style(sys.stdout, colour=asked.colour != 'never'),
            log_path,
            summary_path=os.environ.get('GITHUB_STEP_SUMMARY') or None,
            ignored=ignored,
            home=os.environ.get('GITHUB_WORKSPACE') or None,
        )
    if mode == 'json':
        from parproc.report.jsonl import JsonReporter

        return JsonReporter(os.dup(1), log_path, version=__version__)
    from parproc.report.plain import PlainReporter

    return PlainReporter(style, log_path, quiet=mode == 'quiet', full_log=full, ignored=ignored)


def _columns() -> str:
    """Return the width that procs may draw in."""
    try:
        return str(os.get_terminal_size(2).columns)
    except OSError:
        return os.environ.get('COLUMNS', '80')


def _wants_colour(asked: str, *, terminal: bool) -> bool:
    if asked != 'auto':
        return asked == 'always'
    if os.environ.get('NO_COLOR'):
        return False
    if os.environ.get('FORCE_COLOR', '0') != '0':
        return True
    return terminal and os.environ.get('TERM') != 'dumb'
