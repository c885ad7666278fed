"""What the command line prints, however odd the names, the values and the encoding are; and how much it says."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NoReturn

import pytest

from tests.conftest import DEADLINE, Project

FOREIGN = """
import parproc as pp
@pp.Proc('größe☃')
def size(context):
    '''Größe ☃ messen.'''
    return 'ß☃'
@pp.Proc('kaputt☃', deps=['größe☃'])
def broken(context):
    raise pp.ProcFailedError('kaputt ☃')
@pp.Proto('p☃::[ä]', arg_choices={'ä': ['ö☃']})
def member(context, ä): return ä
"""
RESULTS = """
import dataclasses, datetime, decimal, enum, math, pathlib
import parproc as pp
@dataclasses.dataclass
class Point:
    x: int
    inner: object = None
class Colour(enum.Enum):
    RED = (1, 2)
class Quits:
    def __str__(self): raise SystemExit(0)
class Array:
    def tolist(self): return [1, math.nan]
def ring():
    made = [1]
    made.append({'again': made})
    return made
def deep():
    made = []
    for _ in range(100_000):
        made = [made]
    return made
VALUES = {
    'keys': lambda: {(1, 2): 'a', 3: 'b', None: 'c', True: 'd', Colour.RED: 'e', 2.5: 'f'},
    'numbers': lambda: [math.nan, math.inf, -math.inf, 1.5, 2**70, True],
    'bytes': lambda: {'a': b'text', 'b': b'\\xff', 'c': bytearray(b'x')},
    'sets': lambda: [{3, 1, 2}, frozenset({'b', 'a'})],
    'classes': lambda: [Point(1, Point(2)), Colour.RED, Array(), pathlib.Path('/a'), decimal.Decimal('1.10')],
    'twice': lambda: [[shared := [1], shared], shared],
    'text': lambda: 'ß☃\\ud800',
    'nothing': lambda: None,
}
for name, make in VALUES.items():
    pp.Proc(name, lambda context, make=make: make())
pp.Proc('ring', lambda context: ring())
pp.Proc('quits', lambda context: [Quits()])
pp.Proc('huge', lambda context: 10**5000)
pp.Proc('dep', lambda context: 1)
pp.Proc('top', lambda context: 1, deps=['dep'])
"""
EXPECTED = {
    'keys': {'(1, 2)': 'e', '3': 'b', 'null': 'c', 'true': 'd', '2.5': 'f'},
    'numbers': [None, None, None, 1.5, 2**70, True],
    'bytes': {'a': 'text', 'b': '\\xff', 'c': 'x'},
    'sets': [[1, 2, 3], ['a', 'b']],
    'classes': [{'x': 1, 'inner': {'x': 2, 'inner': None}}, [1, 2], [1, None], '/a', '1.10'],
    'twice': [[[1], [1]], [1]],
    'text': 'ß☃\ud800',
    'nothing': None,
}


def test_foreign_names_are_shown_where_the_encoding_has_no_letters_for_them(project: Project) -> None:
    project.write('tasks.py', FOREIGN)
    for arguments, code in (
        (['-l'], 0),
        (['-l', '--all'], 0),
        (['-l', '--json', '--all'], 0),
        (['--show', 'größe☃'], 0),
        (['--show', 'p☃::ö☃'], 0),
        (['--show', 'grösse☃'], 2),
        (['-n', 'kaputt☃'], 0),
        *((['--graph', form, 'kaputt☃'], 0) for form in ('mermaid', 'dot', 'json')),
        *((['-o', mode, 'kaputt☃'], 1) for mode in ('plain', 'stream', 'group', 'json', 'github', 'quiet')),
        (['--print', 'größe☃', 'kaputt☃'], 1),
        (['--history'], 0),
        (['--history', 'größe☃'], 0),
        (['größe☃', 'x☃=1'], 2),
        (['-f', 'ö☃.py'], 2),
    ):
        ran = project.run(*arguments, PYTHONIOENCODING='ascii:strict')
        assert ran.code == code, (arguments, ran)
        assert 'Traceback' not in ran.err and 'bug' not in ran.err and 'codec' not in ran.err, (arguments, ran)


def test_what_an_encoding_has_is_shown_as_it_is(project: Project) -> None:
    project.write('tasks.py', FOREIGN)
    done = subprocess.run(
        [sys.executable, '-m', 'parproc', '-l'],
        cwd=project.folder,
        env=project.environment(PYTHONIOENCODING='latin-1'),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout.decode('latin-1').startswith('größe\\u2603   Größe \\u2603 messen.\n')


@pytest.mark.parametrize('name', EXPECTED)
def test_print_gives_valid_json_of_every_result(project: Project, name: str) -> None:
    project.write('tasks.py', RESULTS)

    def refuse(word: str) -> NoReturn:
        raise AssertionError(word)

    ran = project.run('--print', name)
    assert (ran.code, ran.out.count('\n')) == (0, 1), ran
    assert json.loads(ran.out, parse_constant=refuse) == EXPECTED[name]


@pytest.mark.parametrize(
    ('name', 'said'), [('ring', 'contains itself'), ('quits', 'SystemExit'), ('huge', 'ValueError')]
)
def test_what_is_no_json_is_one_clear_line(project: Project, name: str, said: str) -> None:
    project.write('tasks.py', RESULTS)
    ran = project.run('--print', name, '-q')
    assert (ran.code, ran.out) == (1, '')
    (line,) = ran.err.splitlines()
    assert line.startswith(f'parproc: error: --print {name}: ') and said in line


def test_print_says_why_there_is_nothing_to_print(project: Project) -> None:
    project.write('tasks.py', RESULTS)
    ran = project.run('--print', 'top', 'dep')
    assert ran.code == 2 and not ran.out
    assert ran.err.splitlines() == [
        'parproc: error: --print top: it is no part of this run',
        'hint: nothing that was named depends on it: name it as a target, too',
    ]
    ran = project.run('--print', 'tpo', 'dep')
    assert (ran.code, ran.err) == (
        2,
        'parproc: error: --print tpo: unknown proc "tpo"\nhint: did you mean top?\n',
    )
    assert project.run('--print', 'dep', 'top').code == 0


def test_no_hint_is_what_was_asked_for(project: Project) -> None:
    project.write('tasks.py', 'import parproc as pp\npp.Proc("s", lambda c: 1)\npp.Proc("t", lambda c: 1)\n')
    assert 'did you mean s?' not in project.run('--print', 's', 't').err
    assert 'did you mean s?' not in project.run('-X', 's', '--only', 's').err


@pytest.mark.parametrize('option', ['--junit', '--trace', '--html'])
def test_a_report_needs_a_folder_that_is_there(
    project: Project, option: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.write('parproc.toml', '[proc.a]\nrun = "touch ran"\n')
    elsewhere = tmp_path_factory.mktemp('elsewhere')
    for path in ('one/two/out', f'{elsewhere}/made/out', '../made/out', f'{project.folder}/one/two/out'):
        ran = project.run('a', option, path)
        assert (ran.code, ran.out) == (2, ''), ran
        assert path in ran.err and '\nhint: make its folder first: mkdir -p ' in ran.err
    assert not list(elsewhere.iterdir())
    assert not {'one', 'ran'} & {entry.name for entry in project.folder.iterdir()}
    assert project.run('a', option, 'made/out').code == 0
    assert project.run('a', option, f'{project.folder}/also/out').code == 0
    assert (project.folder / 'made/out').exists() and (project.folder / 'also/out').exists()


def test_tracebacks_are_shown_when_the_option_says_so_and_not_otherwise(project: Project) -> None:
    project.write('parproc.toml', '[proc.a]\nrun = "true"\n')
    for arguments, environment, shown in (
        (['nope'], {}, False),
        (['nope', '--', '-v'], {}, False),
        (['nope', '--', '--verbose'], {}, False),
        (['nope', '-v'], {}, True),
        (['-qv', 'nope'], {}, True),
        (['nope'], {'PARPROC_VERBOSE': '1'}, True),
        (['nope'], {'PARPROC_VERBOSE': '0'}, False),
        (['--print', '-v', 'a'], {}, False),
        (['-C', '-v', 'a'], {}, False),
    ):
        ran = project.run(*arguments, **environment)
        assert ran.code == 2, (arguments, ran)
        assert ('Traceback' in ran.err) == shown, (arguments, environment, ran.err)
