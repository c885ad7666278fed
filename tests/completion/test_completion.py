"""What completion offers, asked as shells ask, with an index, without one, and with one that is out of date."""

from __future__ import annotations

import os
import subprocess

import pytest

from parproc.cli.shell_words import bash_text, split_line
from tests.completion.conftest import Ask, CompletionProject

STATIC = {'lint', 'build::', 'test::', 'deploy::', 'odd name [1]', "quo'te", 'VERSION=', 'TARGET='} | {
    'pkg@one',
    'dollar$(touch mark)',
}


def test_without_an_index_the_file_is_read_and_not_run(ask: Ask) -> None:
    assert set(ask('parproc ')) == STATIC
    assert ask('parproc li') == {'lint': 'Look for mistakes.'}
    assert ask('parproc te') == {'test::': 'Test it.'}


def test_with_an_index_what_only_running_finds_is_known_too(ask: Ask, tasks: CompletionProject) -> None:
    ask.load()
    assert set(ask('parproc ')) == STATIC | {'loop1', 'loop2'}
    (index,) = tasks.cache.iterdir()
    assert index.stat().st_mode & 0o777 == 0o600 and tasks.cache.stat().st_mode & 0o777 == 0o700


def test_an_old_index_adds_what_reading_cannot_see(ask: Ask, tasks: CompletionProject) -> None:
    ask.load()
    tasks.write('tasks.py', (tasks.folder / 'tasks.py').read_text() + '\n@pp.Proc\ndef fresh(context): ...\n')
    assert {'fresh', 'loop1', 'lint'} <= set(ask('parproc '))


def test_an_index_is_old_when_what_the_file_imports_has_changed(ask: Ask, tasks: CompletionProject) -> None:
    tasks.write('names.py', "NAMES = ['one']\n")
    tasks.write(
        'tasks.py',
        """
        import parproc as pp
        import names
        for name in names.NAMES:
            pp.Proc(name, lambda context: 1)
        """,
    )
    assert set(ask('parproc ')) == set()
    tasks.run('-l')
    assert set(ask('parproc ')) == {'one'}
    from parproc.project.index import read_index

    files = [str(tasks.folder / 'tasks.py')]
    index = read_index(files)
    assert index is not None and index.fresh
    tasks.write('names.py', "NAMES = ['one', 'two']\n")
    index = read_index(files)
    assert index is not None and not index.fresh


@pytest.mark.parametrize('indexed', [False, True])
def test_placeholders_come_one_after_the_other(ask: Ask, indexed: bool) -> None:
    if indexed:
        ask.load()
    assert set(ask('parproc b')) == {'build::'}
    assert set(ask('parproc build::')) == {'build::dev', 'build::prod'}
    assert set(ask('parproc build::d')) == {'build::dev'}
    assert set(ask('parproc test::')) == {'test::dev::', 'test::prod::'}
    assert set(ask('parproc test::prod::')) == {'test::prod::unit', 'test::prod::all'}
    assert set(ask('parproc test::none::')) == set()
    assert set(ask('parproc deploy::w')) == {'deploy::west'}
    assert set(ask('parproc build::dev::')) == set()


def test_names_that_are_given_are_not_offered_again(ask: Ask) -> None:
    assert set(ask('parproc build::dev build::')) == {'build::prod'}
    assert 'VERSION=' not in ask('parproc VERSION=1 V')


@pytest.mark.parametrize(
    'line', ['parproc build::*', 'parproc lint -- ', 'parproc lint -- li', 'parproc VERSION=d', 'parproc --timeout ']
)
def test_where_nothing_can_be_offered_nothing_is(ask: Ask, line: str) -> None:
    assert ask(line) == {}


def test_options_and_their_values(ask: Ask) -> None:
    assert set(ask('parproc --o')) == {'--only', '--output'}
    assert set(ask('parproc -o ')) == {'auto', 'raw', 'live', 'plain', 'stream', 'group', 'quiet', 'json', 'github'}
    assert set(ask('parproc --output=p')) == {'--output=plain'}
    assert {'mermaid', 'dot', 'json', 'lint'} <= set(ask('parproc --graph '))
    assert set(ask('parproc -f ')) == {'<file>'} == set(ask('parproc --junit=x')) and set(ask('parproc -C ')) == {
        '<dir>'
    }
    assert set(ask('parproc --show li')) == {'lint'}
    assert '--version' in ask('parproc -')


def test_the_task_file_that_is_named_counts(ask: Ask, tasks: CompletionProject) -> None:
    tasks.write('other/parproc.toml', '[proc.elsewhere]\ndoc = "There."\nrun = "x"\n[params]\nP = "1"\n')
    assert set(ask('parproc -f other/parproc.toml ')) == {'elsewhere', 'P='}
    assert set(ask('parproc --directory=other e')) == {'elsewhere'}
    assert set(ask('parproc e', PARPROC_DIRECTORY='other')) == {'elsewhere'}
    (tasks.folder / 'deep').mkdir()
    assert 'lint' in ask('parproc -C deep ')


def test_toml_is_data_with_includes(ask: Ask, tasks: CompletionProject) -> None:
    (tasks.folder / 'tasks.py').unlink()
    tasks.write('web/tasks.py', 'import parproc as pp\n@pp.Proc\ndef inner(context): ...\n')
    tasks.write(
        'pyproject.toml',
        """
        [tool.parproc]
        include = ["web/tasks.py"]
        [tool.parproc.proto."make::[x]"]
        run = "make {x}"
        arg_choices.x = ["a", 2]
        """,
    )
    assert set(ask('parproc ')) == {'make::', 'web::inner'}
    assert set(ask('parproc make::')) == {'make::a', 'make::2'}


def test_the_forms_of_the_shells(ask: Ask) -> None:
    assert ask.answer('parproc build::', 1, 'bash') == 'plain,build::dev\nplain,build::prod\n'
    assert ask.answer('parproc li', 1, 'zsh') == 'plain\nlint\nLook for mistakes.\n'
    assert ask.answer('parproc bui', 1, 'bash') == 'part,build::\n'
    assert ask.answer('parproc VER', kind='zsh').startswith('part\nVERSION=\n')
    assert ask.answer('parproc odd', 1, 'zsh') == 'plain\nodd name [1]\n_\n'
    assert ask.answer('parproc lint build::d', 1, 'bash') == 'plain,lint\n'
    assert ask.answer('parproc li', 1, 'powershell') == 'plain\tlint\tLook for mistakes.\n'


@pytest.mark.parametrize('text', ['(', 'import parproc as pp\npp.Proc(', '\x00', 'x = ' + '(' * 500])
def test_a_file_that_cannot_be_read_offers_nothing_and_breaks_nothing(
    ask: Ask, tasks: CompletionProject, text: str
) -> None:
    (tasks.folder / 'tasks.py').write_text(text)
    assert ask('parproc ') == {}


def test_every_way_to_declare_is_read(ask: Ask, tasks: CompletionProject) -> None:
    tasks.write(
        'tasks.py',
        """
        import parproc as pp
        ENVIRONMENTS = ['dev', 'prod']
        def migrate(context, env, *, table, limit=1):
            'Move it.'
        @pp.Proto('build::[env]', arg_choices={'env': ENVIRONMENTS})
        def build(context, env): ...
        pp.Proto('migrate', migrate, arg_choices={'env': ('a', 'b')}, args={'table': 'x'})
        kept = pp.Proc('assigned', migrate)
        pp.Proc('curried')(migrate)
        pp.Proc(name='keyword', doc='Said.')(migrate)
        pp.Proc(migrate)
        if input():
            pp.Proc('conditional', migrate)
        """,
    )
    assert ask('parproc ') == {
        'build::': '',
        'migrate::': 'Move it.',
        'assigned': 'Move it.',
        'curried': 'Move it.',
        'keyword': 'Said.',
        'migrate': 'Move it.',
    }
    assert set(ask('parproc build::')) == {'build::dev', 'build::prod'}
    assert set(ask('parproc migrate::')) == {'migrate::a', 'migrate::b'}


@pytest.mark.parametrize(
    'fields',
    [
        "arg_choices={('a',): [1], ['b']: 2, **more, 'x': [1]}",
        "arg_choices={'x': [1]}, args=5",
        "arg_choices={'x': [1]}, doc=5",
    ],
)
def test_odd_declarations_are_read_as_far_as_they_go(ask: Ask, tasks: CompletionProject, fields: str) -> None:
    tasks.write('tasks.py', f"import parproc as pp\n@pp.Proto('odd::[x]', {fields})\ndef odd(context, x): ...\n")
    assert set(ask('parproc odd::')) == {'odd::1'}


def test_no_file_of_a_project_holds_a_press_of_tab_up(ask: Ask, tasks: CompletionProject) -> None:
    (tasks.folder / 'tasks.py').unlink()
    os.mkfifo(tasks.folder / 'pipe.py')
    os.mkfifo(tasks.folder / 'pyproject.toml')
    with open(tasks.folder / 'huge.py', 'w') as file:
        file.truncate(1 << 40)
    assert ask('parproc ') == {}
    tasks.write(
        'parproc.toml', 'include = ["pipe.py", "huge.py", "/dev/zero", "parproc.toml"]\n[proc.one]\nrun = "x"\n'
    )
    assert set(ask('parproc ')) == {'one'}
    assert ask('parproc -f pipe.py ') == {}


def test_a_folder_without_a_task_file_offers_options_only(ask: Ask, tasks: CompletionProject) -> None:
    (tasks.folder / 'tasks.py').unlink()
    assert ask('parproc ') == {} and '--help' in ask('parproc --h')


def test_nothing_with_control_characters_is_offered(ask: Ask, tasks: CompletionProject) -> None:
    tasks.write('parproc.toml', '[proc."a\\u001b]0;x\\u0007"]\nrun = "x"\n[proc."b\\nrm"]\nrun = "x"\n')
    (tasks.folder / 'tasks.py').unlink()
    assert ask('parproc ') == {}


def test_no_description_or_parameter_can_pass_for_a_line_of_the_answer(ask: Ask, tasks: CompletionProject) -> None:
    (tasks.folder / 'tasks.py').unlink()
    tasks.write(
        'parproc.toml',
        """
        [params]
        "A\\nplain,evil" = "1"
        [proc.one]
        run = "x"
        doc = "first\\nplain,evil\\u001b]0;x\\u0007"
        [proc."mir\\u202eror"]
        run = "x"
        [proc."--init"]
        run = "x"
        """,
    )
    assert ask('parproc ') == {'one': 'first plain,evil ]0;x '}
    assert ask.answer('parproc ', kind='zsh') == 'plain\none\nfirst plain,evil ]0;x \n'


@pytest.mark.parametrize(
    ('line', 'replaced', 'reply'),
    [
        ('parproc build::d', 'd', 'plain,dev'),
        ("parproc build::'d", 'd', 'part,dev'),
        ('parproc pkg@', '@', 'plain,@one'),
        ('parproc odd" "n', 'odd" "n', 'plain,odd\\ name\\ \\[1\\]'),
        ('parproc odd\\ n', 'odd\\ n', 'plain,odd\\ name\\ \\[1\\]'),
        ('parproc quo', 'quo', "plain,quo\\'te"),
        ("parproc 'quo", 'quo', None),
        ('parproc "do', 'do', 'part,dollar\\$(touch mark)'),
        ("parproc 'do", 'do', 'part,dollar$(touch mark)'),
        ('parproc do', 'do', 'plain,dollar\\$\\(touch\\ mark\\)'),
    ],
)
def test_what_bash_gets_fits_what_it_replaces(ask: Ask, line: str, replaced: str, reply: str | None) -> None:
    assert ask.answer(line, kind='bash', COMP_REPLACED=replaced) == ('' if reply is None else f'{reply}\n')


def test_what_bash_gets_is_the_value_again_in_bash() -> None:
    values = [
        'x$(echo no)y',
        '`id`',
        'a"b',
        'q\\r',
        '$HOME',
        'ümläut',
        '~root',
        '{a,b}',
        'a;b|c&d>e<f',
        '#x',
        '[a]*?',
        'p^q%',
    ]
    assert bash_text('a!b', '"') is None and bash_text('a!b', '') == 'a\\!b' and bash_text("a'b", "'") is None
    for quote in ('', '"', "'"):
        for value in values:
            text = bash_text(value, quote)
            assert text is not None
            word = quote + text + quote
            done = subprocess.run(
                ['bash', '-c', f'printf %s {word}'], capture_output=True, text=True, timeout=20, check=True
            )
            assert done.stdout == value, (quote, word)


def test_values_of_options_are_no_given_names(ask: Ask, tasks: CompletionProject) -> None:
    tasks.write('parproc.toml', '[proc.plain]\nrun = "x"\n')
    assert set(ask('parproc -o plain pl')) == {'plain'}
    assert set(ask('parproc plain pl')) == set()
    assert set(ask('parproc --graph lint li')) == set()
    assert set(ask('parproc --history li')) == {'lint'} and '--version' in ask('parproc --history --')


def test_after_a_redirection_come_files(ask: Ask) -> None:
    for operator in ('>', '>>', '2>', '<', '&>'):
        assert set(ask(f'parproc lint {operator} li')) == {'<file>'}


def test_a_separator_of_ones_own(ask: Ask, tasks: CompletionProject) -> None:
    (tasks.folder / 'tasks.py').unlink()
    tasks.write(
        'parproc.toml',
        """
        options.name_param_separator = "_"
        [proto."make_[my_env]_[b]"]
        run = "x {my_env} {b}"
        arg_choices = {my_env = ["one", "two"], b = ["x"]}
        """,
    )
    assert ask.answer('parproc ', kind='bash') == 'part,make_\n'
    assert ask.answer('parproc make_', kind='bash') == 'part,make_one_\npart,make_two_\n'
    assert ask.answer('parproc make_one_', kind='bash') == 'plain,make_one_x\n'


def test_more_choices_than_anybody_would_look_at_take_no_time(ask: Ask, tasks: CompletionProject) -> None:
    (tasks.folder / 'tasks.py').unlink()
    many = [str(number) for number in range(3000)]
    tasks.write(
        'parproc.toml', f'[proto."big::[a]-[b]-[c]"]\nrun = "x"\narg_choices = {{a = {many}, b = {many}, c = {many}}}\n'
    )
    assert set(ask('parproc big::')) == set()


def test_a_damaged_index_is_none(ask: Ask, tasks: CompletionProject) -> None:
    ask.load()
    (index,) = tasks.cache.iterdir()
    index.write_text(index.read_text().replace('\tLook for mistakes.\n', '\n'))
    assert set(ask('parproc ')) == STATIC


def test_a_cache_that_cannot_be_written_breaks_nothing(ask: Ask, tasks: CompletionProject) -> None:
    tasks.cache.parent.mkdir(exist_ok=True)
    tasks.cache.write_text('a file where the folder should be')
    assert tasks.run('--list').code == 0


def test_a_planted_index_in_the_repository_is_not_looked_at(ask: Ask, tasks: CompletionProject) -> None:
    tasks.write('.parproc/index', 'proc\tevil\t\n')
    assert 'evil' not in ask('parproc ')


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('parproc a b', ['parproc', 'a', 'b']),
        ('parproc a ', ['parproc', 'a', '']),
        ("parproc 'a b", ['parproc', 'a b']),
        ('parproc "a b"c\\ d', ['parproc', 'a bc d']),
        ('parproc "a\\"b\\c"', ['parproc', 'a"b\\c']),
        ('', ['']),
    ],
)
def test_words_are_split_as_shells_do(text: str, words: list[str]) -> None:
    assert split_line(text)[0] == words


def test_the_index_is_written_only_when_it_changes(ask: Ask, tasks: CompletionProject) -> None:
    ask.load()
    (index,) = tasks.cache.iterdir()
    before = index.stat().st_ino
    ask.load()
    assert index.stat().st_ino == before
    os.utime(tasks.folder / 'tasks.py', (1, 1))
    ask.load()
    assert index.stat().st_ino != before
