"""The options of the command line, one row each; all that is said of an option anywhere follows from its row.

From here come what click accepts, ``--help``, the environment variables, what completion offers, the fields of
:class:`parproc.cli.command_line.CommandLine` and the table in the README. Completion and ``--help`` read this module at
each start, so it imports nothing that takes time, and its rows are plain objects.
"""

from __future__ import annotations

from parproc.declare.option_choices import MODES, OUTPUTS

GRAPHS = ('tree', 'mermaid', 'dot', 'json')
SHELLS = ('bash', 'zsh', 'fish', 'powershell')
COLOURS = ('auto', 'always', 'never')


class Option:
    """A row of the table. Each subclass says which type the value has that an option gives to its field.

    Args:
        names: as they are typed, short ones first.
        help: one sentence, for ``--help``; completion shows it without its full stop.
        more: what only the README adds to it.
        metavar: what stands for the value in ``--help``; empty where the choices say it, or there is no value.
        choices: all values there are.
        bare: the value that the option has when none follows it; None where one must follow. It may be one that
            is not among the choices.
        completes: what completion offers as a value: ``name`` of a proc, ``glob`` over them, ``file`` or ``dir``.
        offers: values that completion offers although others are possible.

    Attributes:
        field: the attribute of the command line that holds the value.
    """

    __slots__ = ('bare', 'choices', 'completes', 'field', 'help', 'metavar', 'more', 'names', 'offers')

    def __init__(
        self,
        *names: str,
        help: str,
        more: str = '',
        metavar: str = '',
        choices: tuple[str, ...] = (),
        bare: str | None = None,
        completes: str = '',
        offers: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self.help = help
        self.more = more
        self.metavar = metavar or (f'[{"|".join(choices)}]' if choices else '')
        self.choices = choices
        self.bare = bare
        self.completes = completes
        self.offers = offers or choices
        self.field = ''

    def __set_name__(self, owner: type[OptionTable], name: str) -> None:
        self.field = name

    @property
    def takes_value(self) -> bool:
        """Whether a value belongs to it, in the same word or in the next."""
        return bool(self.metavar)

    @property
    def environment(self) -> str:
        """The environment variable that is its default; empty for none."""
        return f'PARPROC_{self.names[-1].lstrip("-").upper().replace("-", "_")}'


class Flag(Option):
    """An option without a value: given or not."""

    __slots__ = ()

    def __get__(self, line: OptionTable, owner: type[OptionTable] | None = None) -> bool:
        return bool(line.given.get(self.field))


class Opposite(Option):
    """One of two options without a value, of which the last one given counts; None where neither is.

    Args:
        means: what the value that both share is when this one counts.
    """

    __slots__ = ('means',)
    shared = 'after_failure'

    def __init__(self, *names: str, help: str, more: str = '', means: str) -> None:
        super().__init__(*names, help=help, more=more)
        self.means = means

    def __get__(self, line: OptionTable, owner: type[OptionTable] | None = None) -> bool | None:
        value = line.given.get(self.shared)
        return None if value is None else value == self.means


class Text(Option):
    """An option with a value; None where it is not given."""

    __slots__ = ()

    def __get__(self, line: OptionTable, owner: type[OptionTable] | None = None) -> str | None:
        value = line.given.get(self.field)
        return value if isinstance(value, str) else None


class TextOrAuto(Option):
    """An option with a value, which is ``auto`` where it is not given."""

    __slots__ = ()

    def __get__(self, line: OptionTable, owner: type[OptionTable] | None = None) -> str:
        value = line.given.get(self.field)
        return value if isinstance(value, str) else 'auto'


class Texts(Option):
    """An option with a value that may be given more than once."""

    __slots__ = ()

    def __get__(self, line: OptionTable, owner: type[OptionTable] | None = None) -> tuple[str, ...]:
        value = line.given.get(self.field)
        return value if isinstance(value, tuple) else ()


class Answer(Option):
    """An option that is answered at once and asks for nothing else; the environment cannot give it."""

    __slots__ = ()

    @property
    def environment(self) -> str:
        """The environment variable that is its default: none."""
        return ''


class OptionTable:
    """The rows, in the order in which ``--help`` shows them, each under the name of its field.

    Attributes:
        given: field -> value, of the options that were given.
    """

    given: dict[str, str | bool | tuple[str, ...]]

    files = Texts(*('-f', '--file'), metavar='PATH', completes='file', help='Task file; may be given more than once.')
    directory = Text(
        *('-C', '--directory'),
        metavar='DIR',
        completes='dir',
        help='Search for the task file from DIR.',
        more='The search goes upwards; the first folder that has one ends it.',
    )
    list_procs = Flag('-l', '--list', help='List procs and protos.')
    list_all = Flag('--all', help='With --list: every proc of a proto.')
    as_json = Flag('--json', help='With --list: as JSON.')
    show = Text(
        '--show',
        metavar='NAME',
        completes='name',
        help='Show one proc: arguments, choices, dependencies, place.',
        more='The commands that it runs, too.',
    )
    dry_run = Flag('-n', '--dry-run', help='Show what would run, in order; run nothing.')
    graph = Text(
        '--graph',
        choices=GRAPHS,
        bare='auto',
        help='Print the dependency graph.',
        more='Of the targets and what they need, or of everything; without a form a tree on a terminal, else Mermaid.',
    )
    jobs = Text(
        *('-j', '--jobs'),
        metavar='N|auto',
        offers=('auto',),
        help='How many procs run at once; auto: one for each usable CPU.',
        more="Without it the task file's number, else as with `auto`.",
    )
    mode = Text(
        '--mode',
        choices=MODES,
        help='Run procs in child processes, or all in this one.',
        more='`single` is for a debugger.',
    )
    timeout = Text('--timeout', metavar='TIME', help='Stop the whole run after TIME (30s, 5m, 1h); exit 124.')
    keep_going = Opposite('-k', '--keep-going', means='go on', help='After a failure: go on (default).')
    fail_fast = Opposite('-x', '--fail-fast', means='stop', help='After a failure: start nothing new.')
    last_failed = Flag('--lf', '--last-failed', help='What failed or never ran in the last run.')
    only = Flag('--only', help='Run the targets without their dependencies.')
    exclude = Texts('-X', '--exclude', metavar='GLOB', completes='glob', help='Leave GLOB out of the targets.')
    output = Text('-o', '--output', choices=OUTPUTS, help='How to show the run.', more='See below.')
    print_name = Text(
        '--print',
        metavar='NAME',
        completes='name',
        help="After the run, that proc's result as JSON.",
        more='On standard output.',
    )
    junit = Text(
        '--junit',
        metavar='FILE',
        completes='file',
        help='Write a JUnit XML report of the run.',
        more='Reports are written of a failed or interrupted run, too, into a folder that is there; one level is '
        'made in the project.',
    )
    trace = Text(
        '--trace',
        metavar='FILE',
        completes='file',
        help='Write a trace of the run for Perfetto or chrome://tracing.',
    )
    html = Text('--html', metavar='FILE', completes='file', help='Write a page about the run.')
    history = Text(
        '--history',
        metavar='[NAME]',
        bare='',
        completes='name',
        help='Show the last runs, or how a proc fared in them.',
        more='Of a proc also how long it usually takes.',
    )
    completion = Text(
        '--completion',
        metavar='SHELL',
        offers=SHELLS,
        help=f'Print the completion script for {", ".join(SHELLS[:-1])} or {SHELLS[-1]}.',
    )
    init = Flag('--init', help='Write a small tasks.py to start from.')
    quiet = Flag('-q', '--quiet', help='Show failures only.')
    verbose = Flag('-v', '--verbose', help='Show more, such as tracebacks of errors.')
    colour = TextOrAuto(
        '--color',
        choices=COLOURS,
        help='Use colour.',
        more='`NO_COLOR` and `FORCE_COLOR` in the environment count with `auto`.',
    )
    show_version = Answer('--version', help='Show the version and exit.')
    show_help = Answer('-h', '--help', help='Show this message and exit.')


OPTIONS = tuple(row for row in vars(OptionTable).values() if isinstance(row, Option))
OPTION_OF = {name: row for row in OPTIONS for name in row.names}
ENVIRONMENT = frozenset(row.environment for row in OPTIONS if row.environment)
