"""What is printed once on a terminal: it fits, it is harmless, and where no terminal is it stays plain."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from parproc.cli.terminal_output import Screen, screen_of
from tests.conftest import Project
from tests.terminal import Terminal

WIDTHS = [40, 80, 200]
TASKS = """
    import parproc as pp

    SERVICES = ['auth', 'billing', 'search']
    pp.set_params(VERSION='dev')

    @pp.Proc(deps=['lint::*'])
    def native(context):
        \"\"\"Compile the native codec, which has [bold]no markup[/bold] in what is said of it.\"\"\"

    @pp.Proto('lint::[service]', arg_choices={'service': SERVICES})
    def lint(context, service):
        \"\"\"Check the style of one service.\"\"\"

    @pp.Proto('deploy::[service]::[env]', deps=['native', 'lint::[service]'],
              arg_choices={'service': SERVICES, 'env': ['dev', 'prod']}, locks=['servers'])
    def deploy(context, service, env):
        \"\"\"Deploy one service.\"\"\"

    pp.Proc('migrate::check-that-every-migration-can-be-undone', lambda context: 1, doc='Undo all.')
    pp.Proc('say[red]hello', lambda context: 1, deps=['native'], doc='Clear \\x1b[2J the \\u202e \\x9b31m screen \\x1b]0;x\\x07.')
    pp.Proc('\\u65e5\\u672c\\u8a9e', lambda context: 1)
"""
COLOUR = re.compile(rb'\x1b\[[0-9;]*m')
STRANGE = 'say[red]hello'


@pytest.fixture(scope='module')
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that one of its procs has run in; what these tests do changes nothing of it."""
    project = Project(tmp_path_factory.mktemp('project'))
    project.write('tasks.py', TASKS)
    assert project.run('-q', 'native').code == 0
    return project


def on_terminal(
    project: Project, *arguments: str, columns: int = 80, folder: Path | None = None, **environment: str
) -> tuple[list[str], bytes, int]:
    """What a terminal shows, what it was sent, and the exit code."""
    command = [sys.executable, '-m', 'parproc', *arguments]
    env = project.environment(**{'TERM': 'xterm-256color', **environment})
    with Terminal(command, columns=columns, lines=60, cwd=folder or project.folder, env=env) as screen:
        code = screen.finish()
        return screen.text().splitlines(), bytes(screen.raw), code


def test_a_list_has_names_beside_what_they_do_and_choices_below(tasks: Project) -> None:
    lines, _, code = on_terminal(tasks, '--list')
    assert code == 0
    assert lines == [
        '  native                    Compile the native codec, which has [bold]no',
        '                            markup[/bold] in what is said of it.',
        '  lint::[service]           Check the style of one service.',
        '  deploy::[service]::[env]  Deploy one service.',
        '  migrate::check-that-every-migration-can-be-undone',
        '                            Undo all.',
        '  say[red]hello             Clear \\x1b[2J the \\u202e \\x9b31m screen',
        '                            \\x1b]0;x\\x07.',
        '  日本語',
        '',
        '  service  auth billing search',
        '  env      dev prod',
        '  params   VERSION=dev',
        '',
        'run one: parproc lint::auth    all: parproc lint::    more: parproc --show NAME',
    ]


def test_a_list_on_a_narrow_terminal_goes_on_below(tasks: Project) -> None:
    lines, _, _ = on_terminal(tasks, '-l', columns=40)
    assert lines[5:11] == [
        '  lint::[service]  Check the style of',
        '                   one service.',
        '  deploy::[service]::[env]',
        '                   Deploy one service.',
        '  migrate::check-that-every-migration-ca',
        '    n-be-undone',
    ]
    assert lines[-3:] == ['run one: parproc lint::auth', 'all: parproc lint::', 'more: parproc --show NAME']


def test_all_procs_of_a_proto_are_listed_and_what_they_do_is_told_once(tasks: Project) -> None:
    lines, _, _ = on_terminal(tasks, '-l', '--all')
    assert lines[2:6] == [
        '  lint::auth             Check the style of one service.',
        '  lint::billing',
        '  lint::search',
        '  deploy::auth::dev      Deploy one service.',
    ]
    assert tasks.run('-l', '--all').out.count('Check the style of one service.') == 3


def test_a_text_of_several_lines_is_shown_as_several_and_a_path_from_where_the_user_is(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        [proc.one]
        doc = '''
        First line.

        Second line.'''
        run = '''
        make x
        make y
        '''
        """,
    )
    deeper = project.folder / 'deeper'
    deeper.mkdir()
    lines, _, _ = on_terminal(project, '-C', str(project.folder), '--show', 'one', folder=deeper)
    assert lines == [
        'one',
        '  description  First line.',
        '',
        '               Second line.',
        '  runs         make x',
        '               make y',
        '  defined at   ../parproc.toml:2',
    ]
    assert str(project.folder) in project.run('--show', 'one').out


def test_placeholders_of_one_name_with_other_choices_are_told_apart_and_the_default_is_marked(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        default = ["one"]
        [proc.one]
        doc = "First."
        run = "x"
        [proto."a::[x]"]
        run = "x {x}"
        arg_choices.x = ["p"]
        [proto."b::[x]"]
        run = "x {x}"
        arg_choices.x = ["q"]
        """,
    )
    lines, _, _ = on_terminal(project, '-l')
    assert lines[:6] == [
        '  one     First.  default',
        '  a::[x]',
        '  b::[x]',
        '',
        '  x of a::[x]  p',
        '  x of b::[x]  q',
    ]


@pytest.mark.parametrize('columns', WIDTHS)
@pytest.mark.parametrize(
    'arguments',
    [
        *('-l', '-l --all', '--show deploy::auth::dev', f'--show {STRANGE}', f'-n {STRANGE} deploy::auth::*'),
        *('--graph', f'--graph {STRANGE}', '--history', '--history native', 'nope', '--output nope', '--show nope'),
    ],
)
def test_nothing_is_wider_than_the_terminal_and_nothing_but_colour_is_sent(
    tasks: Project, arguments: str, columns: int
) -> None:
    lines, sent, code = on_terminal(tasks, *arguments.split(), columns=columns)
    assert code == (2 if 'nope' in arguments else 0)
    assert lines
    text = COLOUR.sub(b'', sent).decode()
    assert not re.search(r'[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]', text)
    assert COLOUR.search(sent)
    assert all(len(line) <= columns for line in text.replace('\r', '').split('\n'))


def test_words_of_an_error_are_not_cut_and_a_path_is_left_whole(tasks: Project) -> None:
    lines, sent, code = on_terminal(tasks, '--output', 'nothing-of-the-kind', columns=40)
    assert code == 2 and lines[0].startswith('parproc: error: Invalid value for')
    path = tasks.folder / 'a-folder-with-a-name-that-no-line-of-this-terminal-holds' / 'tasks.py'
    _, sent, _ = on_terminal(tasks, '-f', str(path), '-l', columns=40)
    assert str(path).encode() in COLOUR.sub(b'', sent)


def test_a_plan_is_numbered_and_says_what_each_waits_for(tasks: Project) -> None:
    lines, _, _ = on_terminal(tasks, '-n', 'deploy::auth::dev')
    assert lines == [
        '  1. lint::auth',
        '  2. lint::billing',
        '  3. lint::search',
        '  4. native             after lint::auth, lint::billing, lint::search',
        '  5. deploy::auth::dev  after native, lint::auth; lock servers',
    ]


def test_a_name_that_no_line_of_a_plan_holds_goes_on_beside_its_number(project: Project) -> None:
    project.write('parproc.toml', '[proc."日本語の文書を作る日本語の文書を作る"]\nrun = "x"\n')
    lines, _, _ = on_terminal(project, '-n', '*', columns=30)
    assert lines == ['  1. 日本語の文書を作る日本語', '     の文書を作る']


def test_of_many_deps_a_plan_names_three(project: Project) -> None:
    names = [f'dep{number}' for number in range(6)]
    procs = ''.join(f'[proc.{name}]\nrun = "x"\n' for name in names)
    project.write('parproc.toml', f'{procs}[proc.all]\ndeps = {names}\n')
    lines, _, _ = on_terminal(project, '-n', 'all')
    assert lines[-1] == '  7. all   after dep0, dep1, dep2, 3 more'
    assert 'dep5' in project.run('-n', 'all').out.splitlines()[-1]


TREE = [
    'deploy::auth::dev',
    '├── native',
    '│   ├── lint::auth',
    '│   ├── lint::billing',
    '│   └── lint::search',
    '└── lint::auth',
    'say[red]hello',
    '└── native (see above)',
]


def test_a_graph_is_a_tree_on_a_terminal_and_for_programs_elsewhere(tasks: Project) -> None:
    targets = ['deploy::auth::dev', STRANGE]
    assert on_terminal(tasks, '--graph', *targets)[0] == TREE
    assert on_terminal(tasks, '--graph', 'mermaid', *targets)[0][0] == 'flowchart LR'
    assert tasks.run('--graph', *targets).out.startswith('flowchart LR\n')
    assert tasks.run('--graph', 'tree', *targets).out.splitlines() == TREE
    ascii_only = tasks.run('--graph', 'tree', 'native', PYTHONIOENCODING='ascii').out.splitlines()
    assert ascii_only == ['native', '+-- lint::auth', '+-- lint::billing', '`-- lint::search']


def test_a_tree_that_is_deeper_than_the_terminal_is_wide_says_where_it_stops(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        for number in range(2000):
            pp.Proc(f'n{number}', lambda context: 1, deps=[f'n{number - 1}'] if number else [])
        """,
    )
    lines, _, code = on_terminal(project, '--graph', 'n1999', columns=40)
    assert code == 0 and len(lines) < 10
    assert lines[-1].endswith('(needs 1 more)')


def test_a_history_shows_times_of_today_and_fits(tasks: Project) -> None:
    lines, _, _ = on_terminal(tasks, '--history', columns=40)
    assert re.fullmatch(r'\d\d:\d\d  good  \d+\.\ds  native', lines[0]), lines
    lines, _, _ = on_terminal(tasks, '--history', 'native')
    assert re.fullmatch(r'native  usually \d+\.\ds', lines[0])
    assert re.fullmatch(r'\d\d:\d\d  succeeded  \d+\.\ds  ▇+  \d+ MB  cpu \d+\.\ds', lines[1])


def test_a_history_counts_the_targets_that_have_no_room(project: Project) -> None:
    project.write('parproc.toml', '[proto."lint::[service]"]\nrun = "true"\n')
    assert project.run('-q', *(f'lint::service{number}' for number in range(6))).code == 0
    lines, _, _ = on_terminal(project, '--history')
    assert re.fullmatch(r'\d\d:\d\d  good  \d+\.\ds  lint::service0 lint::service1 lint::service2 and 3 more', lines[0])
    lines, _, _ = on_terminal(project, '--history', columns=21)
    assert re.fullmatch(r'\d\d:\d\d  good  \d+\.\ds', lines[0])
    assert lines[1:] == ['  lint::service0 and', '  5 more']


@pytest.mark.parametrize('listing', ['-l', '--show native', '-n native', '--graph', '--history', 'nope'])
@pytest.mark.parametrize('unwanted', ['environment', 'option'])
def test_there_is_no_colour_where_none_is_wanted(tasks: Project, listing: str, unwanted: str) -> None:
    if unwanted == 'environment':
        _, sent, _ = on_terminal(tasks, *listing.split(), NO_COLOR='1')
    else:
        _, sent, _ = on_terminal(tasks, '--color', 'never', *listing.split())
    assert b'\x1b' not in sent


@pytest.mark.parametrize('listing', ['-l', '--show native', '-n native', '--graph', '--history native', 'nope'])
def test_what_programs_read_does_not_change_with_colour_and_loads_no_rich(tasks: Project, listing: str) -> None:
    words = listing.split()
    plain, coloured = tasks.run(*words), tasks.run('--color', 'always', *words, FORCE_COLOR='1')
    assert (plain.out, plain.err) == (coloured.out, coloured.err) and '\x1b' not in plain.out + plain.err
    report = 'import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules)))'
    program = f'{report}; sys.argv[1:] = {words!r}; from parproc.__main__ import main; main()'
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=tasks.folder,
        env=tasks.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    modules = done.stdout.splitlines()[-1].split()
    assert 'parproc.cli.main' in modules and 'rich' not in modules


def test_a_terminal_that_can_only_take_lines_gets_what_a_pipe_gets(tasks: Project) -> None:
    lines, sent, _ = on_terminal(tasks, '-l', columns=200, TERM='dumb')
    assert b'\x1b' not in sent
    assert sent.decode().replace('\r\n', '\n') == tasks.run('-l').out
    assert lines


def test_what_a_terminal_cannot_spell_is_escaped(tasks: Project) -> None:
    for arguments in (['-l'], ['--graph'], ['--history']):
        _, sent, code = on_terminal(tasks, *arguments, PYTHONIOENCODING='ascii')
        assert code == 0 and sent.isascii()


def test_a_terminal_that_does_not_say_how_wide_it_is_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TERM', 'xterm')
    keeper, terminal = pty.openpty()
    try:
        with os.fdopen(terminal, 'w') as stream:
            assert screen_of(stream, 'auto') is None
    finally:
        os.close(keeper)


def test_a_screen_draws_what_texts_say_and_nothing_of_it_acts() -> None:
    screen = Screen(30, colour=True)
    drawn = screen.draw(screen.text('[red]\x1b[2J:smile: 1\n2'), screen.text('a', 'bold'))
    assert drawn == '[red]\\x1b[2J:smile: 1\\n2\n\x1b[1ma\x1b[0m\n'
    assert drawn.splitlines()[0] in screen.draw(screen.text('[red]\x1b[2J:smile: 1\n2'))


def test_definitions_stand_in_line_by_the_columns_that_characters_need() -> None:
    screen = Screen(40, colour=False)
    rows = [(screen.text('日本'), screen.text('wide')), (screen.text('name'), screen.text('as wide'))]
    assert screen.draw(*screen.definitions(rows)) == '  日本  wide\n  name  as wide\n'
