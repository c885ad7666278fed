"""Where a command runs, and what it finds there."""

from __future__ import annotations

import json
import sys

import pytest

from tests.conftest import Project

SHOW = 'import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))'
HOSTILE = {
    'CDPATH': 'other:/',
    'OLDPWD': '/',
    'PWD': '/nowhere',
    'ENV': './mark.sh',
    'BASH_ENV': './mark.sh',
    'SHELLOPTS': 'noexec:xtrace',
    'BASHOPTS': 'cdspell',
    'POSIXLY_CORRECT': '1',
    'BASH_FUNC_cd%%': '() { echo elsewhere; }',
    'BASH_FUNC_exec%%': '() { echo elsewhere; }',
    'a.b': 'kept\n',
    '1x': '',
    'IFS': '/',
    'SHLVL': '7',
    'PPID': '1',
    'RANDOM': 'no',
}


@pytest.mark.parametrize('directory', ['sub', '-', './sub', '--', 'sub/../sub', 'a b', '$HOME', 'é'])
def test_a_command_runs_in_its_folder_whatever_the_environment_says(project: Project, directory: str) -> None:
    for folder in (project.folder, project.folder / 'other'):
        (folder / directory).mkdir(parents=True, exist_ok=True)
    project.write(f'{directory}/mark.sh', 'echo elsewhere\n')
    project.write('show.py', SHOW)
    program = json.dumps([sys.executable, str(project.folder / 'show.py')])
    project.write('parproc.toml', f'[proc.a]\nrun = {program}\ncwd = {json.dumps(directory, ensure_ascii=False)}\n')
    ran = project.run('a', **HOSTILE)
    assert ran.code == 0 and not ran.err, ran
    where, environment = json.loads(ran.out)
    assert where == str((project.folder / directory).resolve())
    assert {name: environment.get(name) for name in HOSTILE} == {**HOSTILE, 'PWD': where}


def test_text_in_a_folder_of_its_own_prints_nothing_more(project: Project) -> None:
    for folder in ('sub', 'other/sub'):
        (project.folder / folder).mkdir(parents=True)
    project.write('parproc.toml', '[proc.a]\nrun = "pwd"\ncwd = "sub"\n')
    assert project.run('a', CDPATH='other').out == f'{project.folder}/sub\n'
