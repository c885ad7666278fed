"""Completion and runs find the same task files, however TOML spells the table and wherever the user is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from parproc.cli import completion
from parproc.cli.options import read_options
from parproc.errors import UserError
from parproc.project.find import find_task_files, has_table, named_task_files
from tests.conftest import Project

SPELLINGS = {
    '[tool.parproc]': True,
    '  [ tool . parproc ]  # comment': True,
    '[tool."parproc"]': True,
    "['tool'.parproc.options]": True,
    '[[tool.parproc.x]]': True,
    '[tool.parproc.proc.a]\nrun = "x"': True,
    '[tool]\nparproc.default = ["a"]': True,
    '[tool]\n[tool.other]\nx = 1\n[tool.parproc.params]': True,
    'tool.parproc.default = ["a"]': True,
    'tool = 1\n# parproc': False,
    '[tool.parprocs]': False,
    '[tool.other]\nparproc.x = 1': False,
    '[project]\ndependencies = ["parproc"]': False,
    '# [tool.parproc]': False,
    '[parproc]': False,
    '[tool.other.parproc]': False,
}


@pytest.mark.parametrize('text', SPELLINGS)
def test_a_table_is_seen_however_it_is_spelled(tmp_path: Path, text: str) -> None:
    (tmp_path / 'pyproject.toml').write_text(f'{text}\n')
    assert has_table(str(tmp_path / 'pyproject.toml')) is SPELLINGS[text]


def run_finds(arguments: list[str], folder: str) -> list[str]:
    asked = read_options(arguments)
    assert asked is not None
    try:
        if asked.files:
            return named_task_files([os.path.join(os.getcwd(), path) for path in asked.files])
        return find_task_files(asked.directory or folder)
    except UserError:
        return []


@pytest.mark.parametrize(
    'arguments',
    [
        [],
        ['-C', 'a'],
        ['-Ca'],
        ['--directory=a/b'],
        ['-C', 'c', '-C', 'a'],
        ['-f', 'c/own.py'],
        ['-fc/own.py', '--file', 'c/own.toml'],
        ['-kfc/own.py'],
        ['-xqC', 'a'],
        ['-o', 'plain', '-C', 'a/b'],
        ['--show', '-C', '-C', 'a'],
        ['-X', '-f', '-f', 'c/own.py'],
        ['--graph', '-C', 'a'],
        ['-j4', '-C', 'a'],
        ['-C', 'nowhere'],
        ['-C', 'c/own.py'],
        ['lint', '-C', 'a', 'build'],
    ],
)
@pytest.mark.parametrize('environment', [{}, {'PARPROC_DIRECTORY': 'a'}, {'PARPROC_FILE': 'c/own.py:c/own.toml'}])
def test_completion_finds_what_a_run_does(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str]
) -> None:
    for name in ('c/own.py', 'c/own.toml', 'a/tasks.py', 'a/parproc.toml', 'a/b/pyproject.toml', 'tasks.py'):
        project.write(name, '[tool]\nparproc.default = ["x"]\n' if name.endswith('pyproject.toml') else '')
    monkeypatch.chdir(project.folder)
    for name in [name for name in os.environ if name.startswith('PARPROC_')]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert completion._task_files(arguments) == run_finds(arguments, str(project.folder))
