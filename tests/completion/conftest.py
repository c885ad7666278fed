"""A project to complete in, with a task file that leaves a mark when it is run, and the installed command's name."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Project

TASKS = '''
import pathlib
import parproc as pp
from parproc import Proto as ProtoFamily
pathlib.Path(__file__).with_name('mark').touch()

pp.set_params(VERSION='dev', TARGET='x')

@pp.Proc
def lint(context):
    """Look for mistakes.

    At length.
    """

@pp.Proto('build::[env]', arg_choices={'env': ['dev', 'prod']})
def build(context, env):
    """Build it."""

@pp.Proto(name='test::[env]::[kind]', arg_choices={'env': ['dev', 'prod'], 'kind': ['unit', 'all']}, doc='Test it.')
def test(context, env, kind): ...

@ProtoFamily('deploy', arg_choices={'env': ['east', 'west']})
def deploy(context, env): ...

pp.Proc('odd name [1]', lambda context: 1)
pp.Proc("quo'te", lambda context: 1)
pp.Proc('pkg@one', lambda context: 1)
pp.Proc('dollar$(touch mark)', lambda context: 1)

for name in ('loop1', 'loop2'):
    pp.Proc(name, lambda context: 1)
'''


@dataclass
class CompletionProject(Project):
    """A project whose task file leaves a mark when it is run, and where indexes are kept."""

    mark: Path
    cache: Path


class Ask:
    """Asks as a shell's function does."""

    def __init__(self, tasks: CompletionProject) -> None:
        self.tasks = tasks

    def __call__(self, line: str, number: str | int = '', **environment: str) -> dict[str, str]:
        """Return value -> description of what is offered, in the format for fish."""
        found = {}
        for entry in self.answer(line, number, 'fish', **environment).splitlines():
            form, _, rest = entry.partition(',')
            value, _, text = rest.partition('\t')
            found[value if form in ('plain', 'part') else f'<{form}>'] = text
        return found

    def answer(self, line: str, number: str | int = '', kind: str = 'fish', **environment: str) -> str:
        """Return what is printed for a kind of shell."""
        words = {'COMP_WORDS': line, 'COMP_CWORD': str(number), '_PARPROC_COMPLETE': f'{kind}_complete'}
        done = subprocess.run(
            [sys.executable, '-m', 'parproc'],
            cwd=self.tasks.folder,
            env=self.tasks.environment(**words, **environment),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert not done.stderr
        assert not self.tasks.mark.exists(), 'the task file was run'
        return done.stdout

    def load(self) -> None:
        """Run the task file, so that there is an index of it."""
        assert self.tasks.run('--list').code == 0
        self.tasks.mark.unlink()


@pytest.fixture
def tasks(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> CompletionProject:
    """A project, a cache of its own, and ``parproc`` on the search path."""
    folder = tmp_path_factory.mktemp('home')
    command = folder / 'bin' / 'parproc'
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m parproc "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv('XDG_CACHE_HOME', str(folder / 'cache'))
    monkeypatch.setenv('HOME', str(folder))
    monkeypatch.setenv('PATH', f'{command.parent}:/usr/bin:/bin')
    project.write('tasks.py', TASKS)
    return CompletionProject(project.folder, mark=project.folder / 'mark', cache=folder / 'cache' / 'parproc')


@pytest.fixture
def ask(tasks: CompletionProject) -> Ask:
    return Ask(tasks)
