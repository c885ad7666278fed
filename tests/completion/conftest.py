"""A project to complete in, with a task file that leaves a mark when it is run, and the installed command's name."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.fixture
def tasks(project, tmp_path_factory, monkeypatch):
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
    project.mark = project.folder / 'mark'
    project.cache = folder / 'cache' / 'parproc'
    return project


@pytest.fixture
def ask(tasks):
    """Ask as a shell's function does; return value -> description."""

    def ask(line, number='', kind='fish', **environment):
        words = {'COMP_WORDS': line, 'COMP_CWORD': str(number), '_PARPROC_COMPLETE': f'{kind}_complete'}
        done = subprocess.run(
            [sys.executable, '-m', 'parproc'],
            cwd=tasks.folder,
            env=tasks.environment(**words, **environment),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert not done.stderr
        assert not tasks.mark.exists(), 'the task file was run'
        if kind != 'fish':
            return done.stdout
        found = {}
        for entry in done.stdout.splitlines():
            form, _, rest = entry.partition(',')
            value, _, text = rest.partition('\t')
            found[value if form in ('plain', 'part') else f'<{form}>'] = text
        return found

    def load():
        assert tasks.run('--list').code == 0
        tasks.mark.unlink()

    ask.load = load
    return ask
