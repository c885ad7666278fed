"""What the command line can do: list, show the plan, run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from parproc.api import default_session
from parproc.cli.cpus import usable_cpus
from parproc.cli.request import CommandLine
from parproc.core.durations import parse_duration
from parproc.core.screen import plain_text
from parproc.core.targets import expand
from parproc.errors import UserError
from parproc.project.find import find_task_files, named_task_files
from parproc.project.load import load_python
from parproc.report.fanout import Reporter, Reporters
from parproc.report.plain import PlainReporter
from parproc.report.raw import RawReporter
from parproc.report.style import Style
from parproc.session import Session


def act(asked: CommandLine) -> int:
    """Do what is asked; return the exit code, or the negative number of the signal to die by."""
    session = default_session()
    _load(session, asked)
    if asked.list_procs:
        _print_list(session)
        return 0
    targets = _targets(session, asked)
    if not targets:
        _print_list(session)
        raise UserError('no target was named', hint='name one, such as: parproc NAME')
    if asked.dry_run:
        _print_plan(session, targets, asked)
        return 0
    return _run(session, targets, asked)


def _load(session: Session, asked: CommandLine) -> None:
    """Find and load the task files, and settle the options: command line, then task file, then built in."""
    start = asked.directory or os.getcwd()
    if not os.path.isdir(start):
        raise UserError(f'not a directory: {start}')
    if asked.files:
        files = named_task_files([os.path.join(start, path) for path in asked.files])
    else:
        files = find_task_files(start)
    os.environ.setdefault('PARPROC_INVOCATION_DIR', os.getcwd())
    os.chdir(os.path.dirname(files[0]))
    session.fixed_params = frozenset(asked.params)
    session.params.update(asked.params)
    session.extra_args = asked.extra_args
    fixed: dict[str, object] = {}
    if asked.jobs is not None:
        fixed['parallel'] = _jobs(asked.jobs)
    if asked.mode is not None:
        fixed['mode'] = asked.mode
    if asked.fail_fast is not None:
        fixed['fail_fast'] = asked.fail_fast
    built_in = {
        'parallel': usable_cpus(),
        'state_dir': os.path.join(os.getcwd(), '.parproc'),
        'allow_missing_deps': False,
    }
    session.options = session.options.updated(**{**built_in, **fixed})
    session.fixed_options = frozenset(fixed)
    session.loading = True
    try:
        for path in files:
            load_python(path)
    finally:
        session.loading = False


def _jobs(text: str) -> int:
    if text == 'auto':
        return usable_cpus()
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise UserError(f'--jobs takes a number from 1, or auto, not "{text}"')
    return count


def _targets(session: Session, asked: CommandLine) -> list[str]:
    words: Sequence[str] = asked.words or list(session.now)
    return expand(words, session.catalog, params=session.params, exclude=asked.exclude)


def _run(session: Session, targets: list[str], asked: CommandLine) -> int:
    timeout = None if asked.timeout is None else parse_duration(asked.timeout, '--timeout')

    def listener(total: int) -> Reporters:
        return Reporters([_reporter(session, asked, single=total == 1)])

    outcome = session.execute(targets, listener=listener, only=asked.only, timeout=timeout)
    if outcome.output_closed:
        return -signal.SIGPIPE
    if outcome.signal is not None and outcome.exit_code != 124:
        return -outcome.signal
    return outcome.exit_code


def _reporter(session: Session, asked: CommandLine, *, single: bool) -> Reporter:
    """Choose how the run is shown; ``auto`` is raw for a single proc, plain otherwise."""
    status = open(os.dup(2), 'w', encoding=sys.stderr.encoding, errors='backslashreplace')  # noqa: SIM115
    colour = _wants_colour(asked.colour, terminal=os.isatty(2))
    if colour:
        session.task_environment.update(FORCE_COLOR='1', COLUMNS=_columns())
    style = Style(status, colour=colour)

    def log_path(name: str) -> str:
        return session.folder.log_path(name)

    mode = 'quiet' if asked.quiet else asked.output
    if mode == 'auto':
        mode = 'raw' if single and 'PARPROC_RUN_ID' not in os.environ else 'plain'
    if mode == 'raw':
        return RawReporter(open(os.dup(1), 'wb'), style, log_path)
    full = session.options.full_log_on_failure
    return PlainReporter(style, log_path, quiet=mode == 'quiet', full_log=full)


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


def _print_list(session: Session) -> None:
    catalog = session.catalog
    rows = [(name, task.declaration.doc) for name, task in catalog.procs.items()]
    for text, declaration in catalog.protos.items():
        choices = declaration.arg_choices
        shown = [declaration.doc] if declaration.doc else []
        if isinstance(choices, dict):
            for key, values in choices.items():
                shown.append(f'{key}: ' + ('…' if callable(values) else ', '.join(map(str, values))))
        rows.append((text, '; '.join(shown)))
    width = min(40, max((len(name) for name, _ in rows), default=0))
    for name, doc in rows:
        line = f'{plain_text(name).ljust(width)}  {plain_text(doc)}'.rstrip()
        print(line)
    if not rows:
        print('no procs are declared', file=sys.stderr)


def _print_plan(session: Session, targets: list[str], asked: CommandLine) -> None:
    plan = session.plan(targets, only=asked.only)
    names = {spec.name for spec in plan.order}
    for number, spec in enumerate(plan.order, 1):
        waits = [name for name in spec.deps if name in names]
        notes = [f'after {", ".join(waits)}'] if waits else []
        if spec.wave:
            notes.append(f'wave {spec.wave}')
        if spec.locks:
            notes.append(f'lock {", ".join(spec.locks)}')
        print(f'{number:>3}. {plain_text(spec.name)}' + (f'  ({plain_text("; ".join(notes))})' if notes else ''))
