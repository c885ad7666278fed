"""The options of the command line, one row each; all that is said of an option anywhere follows from its row.

From here come what click accepts, ``--help``, the environment variables, what completion offers, the fields of
:class:`parproc.cli.command_line.CommandLine` and the table in the README.
"""

from __future__ import annotations

from parproc.cli.option_kinds import Answer, Flag, Opposite, Option, Options, Text, TextOrAuto, Texts
from parproc.declare.option_choices import MODES, OUTPUTS

GRAPHS = ('tree', 'mermaid', 'dot', 'json')
SHELLS = ('bash', 'zsh', 'fish', 'powershell')
COLOURS = ('auto', 'always', 'never')


class OptionTable(Options):
    """The rows, in the order in which ``--help`` shows them, each under the name of its field."""

    files = Texts(
        *('-f', '--file'), metavar='PATH', completes='file', help_text='Task file; may be given more than once.'
    )
    directory = Text(
        *('-C', '--directory'),
        metavar='DIR',
        completes='dir',
        help_text='Search for the task file from DIR.',
        more='The search goes upwards; the first folder that has one ends it.',
    )
    list_procs = Flag('-l', '--list', help_text='List procs and protos.')
    list_all = Flag('--all', help_text='With --list: every proc of a proto.')
    as_json = Flag('--json', help_text='With --list: as JSON.')
    show = Text(
        '--show',
        metavar='NAME',
        completes='name',
        help_text='Show one proc: arguments, choices, dependencies, place.',
        more='The commands that it runs, too.',
    )
    dry_run = Flag('-n', '--dry-run', help_text='Show what would run, in order; run nothing.')
    graph = Text(
        '--graph',
        choices=GRAPHS,
        bare='auto',
        help_text='Print the dependency graph.',
        more='Of the targets and what they need, or of everything; without a form a tree on a terminal, else Mermaid.',
    )
    jobs = Text(
        *('-j', '--jobs'),
        metavar='N|auto',
        offers=('auto',),
        help_text='How many procs run at once; auto: one for each usable CPU.',
        more="Without it the task file's number, else as with `auto`.",
    )
    mode = Text(
        '--mode',
        choices=MODES,
        help_text='Run procs in child processes, or all in this one.',
        more='`single` is for a debugger.',
    )
    timeout = Text('--timeout', metavar='TIME', help_text='Stop the whole run after TIME (30s, 5m, 1h); exit 124.')
    keep_going = Opposite('-k', '--keep-going', means='go on', help_text='After a failure: go on (default).')
    fail_fast = Opposite('-x', '--fail-fast', means='stop', help_text='After a failure: start nothing new.')
    last_failed = Flag('--lf', '--last-failed', help_text='What failed or never ran in the last run.')
    only = Flag('--only', help_text='Run the targets without their dependencies.')
    exclude = Texts('-X', '--exclude', metavar='GLOB', completes='glob', help_text='Leave GLOB out of the targets.')
    output = Text('-o', '--output', choices=OUTPUTS, help_text='How to show the run.', more='See below.')
    print_name = Text(
        '--print',
        metavar='NAME',
        completes='name',
        help_text="After the run, that proc's result as JSON.",
        more='On standard output.',
    )
    junit = Text(
        '--junit',
        metavar='FILE',
        completes='file',
        help_text='Write a JUnit XML report of the run.',
        more='Reports are written of a failed or interrupted run, too, into a folder that is there; one level is '
        'made in the project.',
    )
    trace = Text(
        '--trace',
        metavar='FILE',
        completes='file',
        help_text='Write a trace of the run for Perfetto or chrome://tracing.',
    )
    html = Text('--html', metavar='FILE', completes='file', help_text='Write a page about the run.')
    history = Text(
        '--history',
        metavar='[NAME]',
        bare='',
        completes='name',
        help_text='Show the last runs, or how a proc fared in them.',
        more='Of a proc also how long it usually takes.',
    )
    completion = Text(
        '--completion',
        metavar='SHELL',
        offers=SHELLS,
        help_text=f'Print the completion script for {", ".join(SHELLS[:-1])} or {SHELLS[-1]}.',
    )
    init = Flag('--init', help_text='Write a small tasks.py to start from.')
    quiet = Flag('-q', '--quiet', help_text='Show failures only.')
    verbose = Flag('-v', '--verbose', help_text='Show more, such as tracebacks of errors.')
    colour = TextOrAuto(
        '--color',
        choices=COLOURS,
        help_text='Use colour.',
        more='`NO_COLOR` and `FORCE_COLOR` in the environment count with `auto`.',
    )
    show_version = Answer('--version', help_text='Show the version and exit.')
    show_help = Answer('-h', '--help', help_text='Show this message and exit.')


OPTIONS = tuple(row for row in vars(OptionTable).values() if isinstance(row, Option))
OPTION_OF = {name: row for row in OPTIONS for name in row.names}
ENVIRONMENT = frozenset(row.environment for row in OPTIONS if row.environment)
