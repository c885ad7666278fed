"""Nothing that lies where a file of a project could be holds parproc up, and none is read that is no file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project

TEXTS = {
    'tasks.py': "import parproc as pp\npp.Proc('one', lambda c: print('ran'))\n",
    'parproc.toml': '[proc.one]\nrun = "echo ran"\n',
    'pyproject.toml': '[tool.parproc.proc.one]\nrun = "echo ran"\n',
}


def make(path: Path, kind: str) -> None:
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'huge':
        with open(path, 'w') as file:
            file.truncate(3 << 30)
    elif kind == 'device':
        path.symlink_to('/dev/zero')
    elif kind == 'terminal':
        path.symlink_to('/dev/tty')
    elif kind == 'folder':
        path.mkdir()
    elif kind == 'never':
        path.symlink_to('/proc/kmsg' if os.path.exists('/proc/kmsg') else '/dev/zero')


KINDS = ('pipe', 'huge', 'device', 'terminal', 'folder', 'never')


@pytest.mark.parametrize('kind', KINDS[:3])
@pytest.mark.parametrize('name', ['pyproject.toml', 'parproc.toml', 'tasks.py'])
def test_in_a_folder_above_it_is_no_task_file_or_an_error(project: Project, name: str, kind: str) -> None:
    make(project.folder / name, kind)
    inner = project.folder / 'a' / 'b'
    inner.mkdir(parents=True)
    ran = project.run('-l', cwd=inner)
    assert ran.code == 2 and not ran.out and 'Traceback' not in ran.err
    assert 'no task file in' in ran.err or 'cannot be read' in ran.err or 'is not used' in ran.err
    (inner / 'parproc.toml').write_text(TEXTS['parproc.toml'])
    assert project.run('one', cwd=inner).out == 'ran\n'


@pytest.mark.parametrize('kind', KINDS)
def test_named_it_is_an_error(project: Project, kind: str) -> None:
    for name in ('own.py', 'own.toml'):
        make(project.folder / name, kind)
        ran = project.run('-l', '-f', name)
        assert ran.code == 2 and not ran.out and 'Traceback' not in ran.err and 'bug' not in ran.err
        assert name in ran.err
    assert not (project.folder / '.parproc').exists()


@pytest.mark.parametrize('kind', KINDS[:3])
@pytest.mark.parametrize('how', ['include = ["other.toml"]', 'include = ["other.py"]', 'dotenv = ["other"]'])
def test_included_it_is_an_error(project: Project, how: str, kind: str) -> None:
    make(project.folder / how.split('"')[1], kind)
    project.write('parproc.toml', f'{how}\n[proc.one]\nrun = "echo ran"\n')
    ran = project.run('one')
    assert ran.code == 2 and not ran.out and 'Traceback' not in ran.err and 'bug' not in ran.err
    assert 'other' in ran.err


def test_the_reason_is_said(project: Project) -> None:
    os.mkfifo(project.folder / 'pipe.py')
    assert 'not a regular file' in project.run('-f', 'pipe.py').err
    with open(project.folder / 'huge.py', 'w') as file:
        file.truncate(3 << 30)
    assert 'huge.py cannot be read: it is larger than 16 MB' in project.run('-f', 'huge.py').err
    project.write('parproc.toml', 'include = ["pipe.py"]\n')
    assert 'pipe.py cannot be read: it is no regular file' in project.run().err


@pytest.mark.parametrize('text', ['x = ' + '(' * 5000, 'x = ' + '-' * 1000000 + '1', 'x = ' + '[' * 90 + 'a\n' * 9])
def test_python_that_is_too_much_for_its_compiler_is_an_error(project: Project, text: str) -> None:
    project.write('tasks.py', text)
    ran = project.run('-l')
    assert ran.code == 2 and 'tasks.py' in ran.err and 'Traceback' not in ran.err


def test_toml_that_is_nested_too_deeply_is_an_error(project: Project) -> None:
    project.write('parproc.toml', 'default = ' + '[' * 100000)
    ran = project.run('-l')
    assert ran.code == 2 and 'parproc.toml' in ran.err and 'Traceback' not in ran.err


@pytest.mark.parametrize('name', ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'])
@pytest.mark.parametrize('kind', ['file', 'pipe', 'nothing'])
def test_a_descriptor_is_no_task_file(project: Project, name: str, kind: str) -> None:
    if not os.path.exists(name):
        pytest.skip(f'there is no {name}')
    path = project.write('given', TEXTS['tasks.py'])
    command = [sys.executable, '-m', 'parproc', '-f', name, 'one']
    with open(path) as file:
        streams: dict[str, dict[str, Any]] = {
            'file': {'stdin': file},
            'pipe': {'input': TEXTS['tasks.py']},
            'nothing': {'stdin': subprocess.DEVNULL},
        }
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=project.environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            **streams[kind],
        )
    assert done.returncode == 2 and f'not a regular file: {name}' in done.stderr and not done.stdout
    assert not os.path.exists('/dev/.parproc')


def test_a_module_of_a_size_that_none_has_is_not_read(project: Project) -> None:
    project.write('tasks.py', 'import large\n')
    make(project.folder / 'large.py', 'huge')
    ran = project.run('-l')
    assert ran.code == 2 and 'large.py cannot be read: it is larger than 16 MB' in ran.err
