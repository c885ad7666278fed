"""Nothing that parproc imports is ever taken from a project, and a project's own modules can be imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Project

NEEDED = (
    *('resource', 'sqlite3', 'webbrowser', 'shutil', 'heapq', 'json', 'signal', 'selectors', 'threading', 'traceback'),
    *('subprocess', 'msvcrt', 'tempfile', 'xml', 'html', 'termios', 'faulthandler', 'click', 'tomli', 'rich'),
)
TASKS = """
import mylib, shutil, heapq, click
import parproc as pp

@pp.Proc
def own(context):
    import sqlite3, tempfile, sub.shutil
    print(mylib.VALUE, sub.shutil.VALUE, callable(shutil.copy), callable(heapq.heappush), callable(click.command))

@pp.Proc
def bad(context):
    raise ValueError('no')
"""


@dataclass
class CrowdedProject(Project):
    """A project whose foreign modules leave a mark."""

    mark: Path


@pytest.fixture
def crowded(project: Project) -> CrowdedProject:
    """A project with modules under the names of everything that parproc may need; each leaves a mark."""
    mark = project.folder / 'mark'
    for name in NEEDED:
        foreign = f'open({str(mark)!r}, "a").write("{name} ")\nraise SystemExit("{name} was imported")\n'
        project.write(f'{name}.py', foreign)
        project.write(f'below/{name}.py', foreign)
    project.write('rich/__init__.py', (project.folder / 'rich.py').read_text())
    project.write('mylib.py', 'VALUE = "mylib"\n')
    project.write('sub/shutil.py', 'VALUE = "sub"\n')
    project.write('tasks.py', TASKS)
    return CrowdedProject(project.folder, mark)


def everything(project: CrowdedProject, **environment: str) -> None:
    """Run about everything that imports late."""
    ran = project.run(
        '-o', 'plain', '--junit', 'x.xml', '--html', 'x.html', '--trace', 'x.json', 'own', 'bad', **environment
    )
    assert ran.code == 1 and 'ValueError: no' in ran.err, ran.err
    ran = project.run('own', **environment)
    assert (ran.code, ran.out) == (0, 'mylib sub True True True\n'), ran.err
    assert project.run('--color', 'always', '-o', 'live', 'own', **environment).code == 0
    assert project.run('--history', **environment).code == 0
    assert project.run('--mode', 'single', 'own', **environment).code == 0
    assert not project.mark.exists(), project.mark.read_text()


@pytest.mark.parametrize('path', ['', '.', ':', '{folder}', '{folder}/below:{folder}'])
def test_nothing_of_ours_is_imported_from_the_project(crowded: CrowdedProject, path: str) -> None:
    environment = crowded.environment()
    given = path.format(folder=crowded.folder)
    everything(crowded, PYTHONPATH=f'{given}:{environment["PYTHONPATH"]}' if path else environment['PYTHONPATH'])


def test_not_even_where_the_task_file_puts_its_folder_first(crowded: CrowdedProject) -> None:
    crowded.write(
        'tasks.py',
        f'import os, sys\nhere = os.path.dirname(__file__)\nsys.path[:0] = [here, here + "/below", "", "."]\n{TASKS}',
    )
    everything(crowded)


def test_nor_from_a_folder_below_or_through_a_link(
    crowded: CrowdedProject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp('links') / 'link'
    link.symlink_to(crowded.folder)
    crowded.write('tasks.py', f'import sys\nsys.path[:0] = [{str(link)!r}]\n{TASKS}')
    everything(crowded)


def test_nor_from_the_folders_of_included_files(crowded: CrowdedProject) -> None:
    (crowded.folder / 'tasks.py').unlink()
    crowded.write('below/mylib.py', 'VALUE = "below"\n')
    crowded.write('below/sub/shutil.py', 'VALUE = "sub"\n')
    crowded.write('below/tasks.py', TASKS)
    crowded.write('parproc.toml', 'include = ["below/tasks.py"]\n[proc.one]\nrun = "true"\n')
    ran = crowded.run('--junit', 'x.xml', 'below::own', 'one')
    assert ran.code == 0, ran.err
    assert not crowded.mark.exists(), crowded.mark.read_text()


@pytest.mark.parametrize('where', ['.', 'deep', '/'])
def test_nor_where_all_is_toml_and_the_folder_is_on_the_path(crowded: CrowdedProject, where: str) -> None:
    (crowded.folder / 'tasks.py').unlink()
    crowded.write('parproc.toml', '[proc.one]\nrun = "true"\n')
    (crowded.folder / 'deep').mkdir()
    python_path = f'{crowded.folder}:{crowded.environment()["PYTHONPATH"]}'
    options = ('-C', str(crowded.folder), '--color', 'always', '-o', 'live', '--html', str(crowded.folder / 'x.html'))
    ran = crowded.run(*options, 'one', cwd=crowded.folder / where, PYTHONPATH=python_path)
    assert ran.code == 0, ran.err
    assert not crowded.mark.exists(), crowded.mark.read_text()


def test_a_projects_modules_come_before_what_is_installed(project: Project) -> None:
    """``pluggy`` is installed here, and parproc does not need it."""
    project.write('pluggy.py', 'VALUE = 1\n')
    project.write('tasks.py', "import pluggy\nimport parproc as pp\npp.Proc('a', lambda c: print(pluggy.VALUE))\n")
    assert project.run('a').out == '1\n'


def test_a_package_may_be_developed_in_the_project_that_it_is_installed_from(project: Project) -> None:
    """Where a dependency is found nowhere else, the project's is the installed one."""
    project.write('tomli.py', 'VALUE = 1\n')
    script = f"""
import sys
from parproc.project.modules import add_folder
add_folder({str(project.folder)!r})
sys.path = [path for path in sys.path if 'site-packages' not in path]
import tomli
print(tomli.VALUE)
"""
    assert project.script(script).out == '1\n'


@pytest.mark.parametrize('name', ['resource.py', 'json.py', 'click.py', 'os.py', '__main__.py'])
def test_a_task_file_of_any_name_is_nobody_elses_module(project: Project, name: str) -> None:
    text = """
    import parproc as pp
    class Value:
        def __init__(self): self.text = __name__
    @pp.Proc
    def make(context): return Value()
    @pp.Proc(deps=['make'])
    def take(context): print(type(context.results['make']) is Value)
    """
    project.write(name, text)
    ran = project.run('-f', name, '--junit', 'x.xml', '-o', 'group', 'take')
    assert ran.code == 0 and 'True' in ran.out, ran.err
    project.write('parproc.toml', f'include = ["{name}"]\n')
    assert project.run('--history').code == 0


def test_two_task_files_of_one_name_keep_their_own_module(project: Project) -> None:
    for folder in ('a', 'b'):
        project.write(
            f'{folder}/tasks.py',
            f"""
            import parproc as pp
            class Value: pass
            @pp.Proc('{folder}')
            def {folder}(context): return Value()
            @pp.Proc('{folder}2', deps=['{folder}'])
            def {folder}2(context): assert type(context.results['{folder}']) is Value
            """,
        )
    ran = project.run('-f', 'a/tasks.py', '-f', 'b/tasks.py', 'a2', 'b2')
    assert ran.code == 0, ran.err


def test_the_futures_of_parprocs_modules_are_not_those_of_task_files(project: Project) -> None:
    project.write(
        'tasks.py', "import parproc as pp\ndef f(x: int): ...\npp.Proc('a', lambda c: print(f.__annotations__))\n"
    )
    assert project.run('a').out == "{'x': <class 'int'>}\n"


def test_what_was_asked_for_comes_behind_the_library_and_ahead_of_what_is_installed(project: Project) -> None:
    """``pluggy`` is installed here; without a task file none of this is known yet."""
    project.write('lib/pluggy.py', 'VALUE = 1\n')
    project.write(
        'tasks.py', "import pluggy, sys\nimport parproc as pp\npp.Proc('a', lambda c: print(*sys.path, sep='\\n'))\n"
    )
    lib, root = str(project.folder / 'lib'), project.environment()['PYTHONPATH']
    for given in (f'{lib}:{root}', f'lib/:{root}', f'{root}:./lib'):
        ran = project.run('a', PYTHONPATH=given)
        assert ran.code == 0, ran.err
        path = ran.out.split('\n')
        assert path[0] == os.path.dirname(os.__file__)
        assert path.index(str(project.folder)) < min(path.index(lib), path.index(root))
        assert (path.index(lib) < path.index(root)) is not given.startswith(root)
        assert max(path.index(lib), path.index(root)) < min(
            place for place, entry in enumerate(path) if 'site-packages' in entry
        )
