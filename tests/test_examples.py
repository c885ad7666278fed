"""Every example does its real work, run as its reader would run it."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from parproc.declare.options import Options
from tests.conftest import Project

EXAMPLES = Path(__file__).parent.parent / 'examples'
README = (Path(__file__).parent.parent / 'README.md').read_text()
SNIPPETS = re.findall(r'^```python\n(.*?)^```', README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def example(project: Project) -> Callable[[str], Project]:
    def copy(name: str) -> Project:
        shutil.copytree(EXAMPLES / name, project.folder, dirs_exist_ok=True)
        return project

    return copy


def test_python_package(example: Callable[[str], Project]) -> None:
    project = example('python_package')
    ran = project.run('publish::*', 'VERSION=1.4')
    assert ran.code == 0, ran.err
    names = sorted(path.name for path in (project.folder / 'shelf').iterdir())
    assert names == ['greeter-1.4-dev.zip', 'greeter-1.4-prod.zip', 'index.txt']
    with zipfile.ZipFile(project.folder / 'shelf' / 'greeter-1.4-prod.zip') as packed:
        assert json.loads(packed.read('greeter/build.json')) == {'env': 'prod', 'version': '1.4'}
        assert 'greeter/__init__.py' in packed.namelist()
    assert len((project.folder / 'shelf' / 'index.txt').read_text().splitlines()) == 2


def test_python_package_publishes_nothing_when_a_test_fails(example: Callable[[str], Project]) -> None:
    project = example('python_package')
    project.write('src/greeter/__init__.py', 'def greet(name): return 1\n')
    ran = project.run('publish::prod')
    assert ran.code == 1
    assert "AssertionError: 1 != 'Hello, Ada!'" in ran.err
    assert not (project.folder / 'shelf').exists()


def test_fan_out(example: Callable[[str], Project]) -> None:
    project = example('fan_out')
    ran = project.run()
    assert ran.code == 0, ran.err
    assert (project.folder / 'report.txt').read_text().splitlines()[:2] == ['the 12', 'river 4']


def test_migrations(example: Callable[[str], Project]) -> None:
    project = example('migrations')
    ran = project.run('check', 'announce::users')
    assert ran.code == 0, ran.err
    assert (project.folder / 'data' / 'users.backup').exists()
    assert sorted((project.folder / 'data' / 'migrations.log').read_text().splitlines()) == [
        'orders: price',
        'users: price',
    ]
    again = project.run('migrate::*')
    assert again.code == 0
    assert 'migrated already' in again.err
    assert 'announce' not in again.err


def run_script(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, 'stations.py', *arguments]
    environment = project.environment()
    return subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_script(example: Callable[[str], Project]) -> None:
    project = example('script')
    ran = run_script(project)
    assert ran.returncode == 0, ran.stderr
    assert [line.split() for line in ran.stdout.splitlines()] == [
        ['valley', '+0.17'],
        ['hill', '+0.22'],
        ['harbour', '+0.26'],
        ['mean', '+0.22'],
    ]
    assert run_script(project, '2005').stdout.splitlines()[-1].split() == ['mean', '+0.21']


def test_script_says_why_there_is_no_report(example: Callable[[str], Project]) -> None:
    project = example('script')
    (project.folder / 'data' / 'valley.csv').unlink()
    project.write('data/valley.csv', 'year,celsius\n1990,warm\n')
    ran = run_script(project)
    assert (ran.returncode, ran.stdout) == (1, '')
    assert 'no report' in ran.stderr and "could not convert string to float: 'warm'" in ran.stderr


EXECUTE = """
import json
import sys

import nbformat
from nbclient import NotebookClient

def shown(cell):
    texts = [output.get('text') or output.get('data', {}).get('text/plain') or '' for output in cell.outputs
             if output.get('name') != 'stderr']
    return ''.join(texts)

book = nbformat.read(sys.argv[1], as_version=4)
cells = [number for number, cell in enumerate(book.cells) if cell.cell_type == 'code']
saved = [shown(book.cells[number]) for number in cells]
client = NotebookClient(book, timeout=60)
with client.setup_kernel():
    said = [[shown(client.execute_cell(book.cells[number], number)) for number in cells] for _ in range(2)]
print(json.dumps([saved, *said]))
"""


def test_notebook_shows_what_is_saved_in_it_and_again_when_all_cells_are_executed_again(
    example: Callable[[str], Project],
) -> None:
    project = example('notebook')
    path = project.write('execute.py', EXECUTE)
    ran = subprocess.run(
        [sys.executable, str(path), 'trying.ipynb'],
        cwd=project.folder,
        env=project.environment(HOME=str(project.folder), IPYTHONDIR=str(project.folder)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    saved, first, again = json.loads(ran.stdout)
    assert first == again == saved
    assert any('no result' in text for text in saved)


def without_times(text: str) -> list[str]:
    """The lines about procs, in an order that does not hang on which was faster."""
    return sorted(re.sub(r'\s+[\d.]+s$', '', line) for line in text.splitlines() if line[:1] in ('▶', '✓', '✗', '-'))


def test_the_readmes_first_example_prints_what_it_says(project: Project) -> None:
    (project.folder / 'tasks.py').write_text(SNIPPETS[0])
    shown = README.split('$ parproc ', 1)[1].split('```', 1)[0]
    command, said = shown.split('\n', 1)
    ran = project.run(*shlex.split(command))
    assert ran.code == 0, ran.err
    assert without_times(ran.err + ran.out) == without_times(said)
    assert '3 succeeded' in ran.err


@pytest.mark.parametrize('number', range(1, len(SNIPPETS)))
def test_every_other_snippet_of_the_readme_runs(project: Project, number: int) -> None:
    project.write('tasks.py', SNIPPETS[0])
    ran = project.script(SNIPPETS[number])
    assert (ran.code, ran.err) == (0, '')


def test_the_readmes_test_of_a_task_file_passes_and_would_fail(project: Project) -> None:
    project.write('tasks.py', SNIPPETS[0])
    (test,) = (text for text in SNIPPETS if 'testing.load' in text)
    project.write('test_tasks.py', test)

    def run_pytest() -> str:
        command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_tasks.py']
        environment = project.environment()
        return subprocess.run(
            command, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        ).stdout

    assert '3 passed' in run_pytest()
    project.write('tasks.py', SNIPPETS[0].replace('built', 'made'))
    assert '1 failed, 2 passed' in run_pytest()


def test_the_readme_tells_of_every_option(project: Project) -> None:
    table = README.split('## On the command line')[1].split('## ')[0]
    offered = set(re.findall(r'--[a-z-]+', project.run('--help').out))
    short = {'--file': '-f', '--directory': '-C', '--list': '-l', '--dry-run': '-n', '--jobs': '-j', '--help': '-h'}
    short |= {'--keep-going': '-k', '--fail-fast': '-x', '--exclude': '-X', '--output': '-o', '--quiet': '-q'}
    short |= {'--verbose': '-v', '--last-failed': '--lf'}
    assert [option for option in sorted(offered) if f'`{short.get(option, option)}' not in table] == []


@pytest.mark.parametrize(
    ('part', 'said'),
    [
        ('linear_regression', 'slope 3.0, give or take 0.01\n'),
        ('table=[', '2.0\n'),
        ('again=True', '45\n190\n'),
        ('on_event=show', 'answer succeeded\n'),
    ],
)
def test_the_readmes_programs_print_what_it_means(project: Project, part: str, said: str) -> None:
    (text,) = (text for text in SNIPPETS if part in text)
    assert project.script(text).out == said


def test_the_readmes_table_has_every_option_with_its_default() -> None:
    table = README.split('## Options')[1].split('## ')[0]
    for option in dataclasses.fields(Options):
        default = [] if option.default == () else option.default
        default = int(default) if isinstance(default, float) else default
        assert f'`{option.name}={default!r}`' in table


def test_the_readmes_reverse_dependencies_go_as_it_says(project: Project) -> None:
    (project.folder / 'tasks.py').write_text(next(text for text in SNIPPETS if 'WhenScheduled' in text))
    plain, announced = project.run('migrate::users'), project.run('announce::users')
    assert (plain.code, announced.code) == (0, 0)
    assert re.findall(r'✓ (\S+)', plain.err) == ['backup', 'migrate::users']
    assert re.findall(r'✓ (\S+)', announced.err)[-1] == 'migrate::users'
    assert 'announce::users' in announced.err


def test_c_build(example: Callable[[str], Project]) -> None:
    project = example('c_build')
    ran = project.run()
    assert ran.code == 0, ran.err
    assert re.search(r'^9 succeeded', ran.err, re.MULTILINE)
    assert project.run('run', '-q', '--', 'a b', '*', 'a').code == 0
    (log,) = project.folder.glob('.parproc/runs/*/logs/run.log')
    assert log.read_text() == 'a 2\nb 1\n'
    assert project.run('install', 'PREFIX=some where').code == 0
    assert (project.folder / 'some where' / 'bin' / 'words').exists()
    project.write('source/count.c', 'int broken(void) { return 1 }\n')
    ran = project.run()
    assert ran.code == 1
    assert 'source/count.c:1:28: error:' in ran.err and '✗ compile::count' in ran.err
    assert project.run('clean').code == 0
    assert not (project.folder / 'build').exists()


def test_monorepo(example: Callable[[str], Project]) -> None:
    project = example('monorepo')
    assert [line.split()[0] for line in project.run('--list').out.splitlines()] == [
        *('version', 'release', 'web::check', 'web::page::[name]', 'web::build', 'api::check', 'api::build'),
    ]
    ran = project.run('release', 'VERSION=2', '--print', 'api::build')
    assert (ran.code, ran.out) == (0, '{"routes": 2}\n'), ran.err
    assert (project.folder / 'release' / 'site.html').read_text().splitlines()[:2] == ['<!-- 2 -->', '<h1>Home</h1>']
    assert json.loads((project.folder / 'release' / 'routes.json').read_text())['version'] == '2'
    project.write('web/about.page', 'no title\n')
    ran = project.run('web::*')
    assert ran.code == 1 and 'about.page:1: error: no title' in ran.err
