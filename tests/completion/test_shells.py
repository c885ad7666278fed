"""Completion in real shells: bash, zsh and fish at a real terminal, by pressing TAB."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.completion.conftest import CompletionProject
from tests.terminal import Terminal

SCRIPTS = Path(__file__).parent.parent.parent / 'completions'
CLEAR = '\x15\x0c'


def need(shell: str) -> None:
    if shutil.which(shell) is None and not os.environ.get('CI'):
        pytest.skip(f'{shell} is not installed')


@pytest.mark.parametrize(
    ('shell', 'name'),
    [('bash', 'parproc.bash'), ('zsh', 'parproc.zsh'), ('fish', 'parproc.fish'), ('powershell', 'parproc.ps1')],
)
def test_the_script_is_printed_as_it_stands_in_its_file(tasks: CompletionProject, shell: str, name: str) -> None:
    assert tasks.run('--completion', shell).out == (SCRIPTS / name).read_text()
    assert tasks.run(f'--completion={shell}').out == (SCRIPTS / name).read_text()
    assert not tasks.mark.exists()


def test_a_shell_that_there_is_not(tasks: CompletionProject) -> None:
    ran = tasks.run('--completion', 'tcsh')
    assert ran.code == 2 and 'no completion for "tcsh"' in ran.err


class Shell:
    """A shell at a terminal, with completion installed."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def press(self, text: str, expected: str) -> None:
        """Type ``text``, wait until the screen shows ``expected``, and clear it again."""
        self.terminal.type(text)
        self.terminal.wait_for(lambda _: self.shows(expected))
        self.terminal.type(CLEAR)
        self.terminal.wait_for(lambda _: not self.shows(expected))

    def shows(self, expected: str) -> bool:
        """Whether ``expected`` is on the screen; with a space at its end, whether it ends at the cursor."""
        screen = self.terminal.screen
        if expected.endswith(' '):
            return screen.display[screen.cursor.y][: screen.cursor.x].endswith(expected)
        return expected in ' '.join(screen.display)

    def run(self, command: str, expected: str) -> None:
        self.terminal.type(f'{command}\n')
        self.terminal.wait_for(expected)


def environment(tasks: CompletionProject, **more: str) -> dict[str, str]:
    return {**tasks.environment(**more), 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'}


@pytest.fixture
def bash(tasks: CompletionProject) -> Iterator[Shell]:
    need('bash')
    command = ['bash', '--norc', '--noprofile', '-i']
    with Terminal(command, columns=120, lines=40, cwd=tasks.folder, env=environment(tasks, PS1='$ ')) as terminal:
        shell = Shell(terminal)
        shell.run('eval "$(parproc --completion bash)"; echo ready', 'ready')
        shell.run("bind 'set show-all-if-ambiguous on'; bind 'set enable-bracketed-paste off'; echo se''t", 'set')
        yield shell


def test_bash(bash: Shell, tasks: CompletionProject) -> None:
    bash.press('parproc li\t', 'parproc lint ')
    bash.press('parproc b\t', 'parproc build::')
    bash.press('parproc build::\t', 'prod')
    bash.press('parproc build::d\t', 'parproc build::dev ')
    bash.press('parproc lint test::p\t', 'parproc lint test::prod::')
    bash.press('parproc lint test::prod::u\t', 'test::prod::unit ')
    bash.press("parproc 'build::p\t", "parproc 'build::prod'")
    bash.press('parproc odd\t', 'parproc odd\\ name\\ \\[1\\] ')
    bash.press('parproc quo\t', "parproc quo\\'te ")
    bash.press('parproc --out\t', 'parproc --output ')
    bash.press('parproc --output=pl\t', 'parproc --output=plain ')
    bash.press('parproc -o st\t', 'parproc -o stream ')
    bash.press('parproc VER\t', 'parproc VERSION=')
    bash.press('parproc -f ta\t', 'parproc -f tasks.py ')
    bash.press('parproc --file=ta\t', 'parproc --file=tasks.py ')
    bash.press('parproc lint > ta\t', 'parproc lint > tasks.py ')
    bash.press('true; parproc lin\t', 'true; parproc lint ')
    bash.press('FOO=1 parproc lin\t', 'FOO=1 parproc lint ')
    bash.press("parproc build::'d\t", "parproc build::'dev'")
    bash.press('parproc odd" "n\t', 'parproc odd\\ name\\ \\[1\\] ')
    bash.press('parproc pkg@\t', 'parproc pkg@one ')
    bash.press('parproc "do\t', 'parproc "dollar\\$(touch mark)"')
    bash.press('parproc do\t', 'parproc dollar\\$\\(touch\\ mark\\) ')
    assert not tasks.mark.exists()


@pytest.fixture
def zsh(tasks: CompletionProject) -> Iterator[Shell]:
    need('zsh')
    home = Path(os.environ['HOME'])
    (home / '.zshrc').write_text('PS1="%% "\nautoload -Uz compinit && compinit -u\nbindkey -e\n')
    with Terminal(['zsh', '-i'], columns=120, lines=40, cwd=tasks.folder, env=environment(tasks)) as terminal:
        shell = Shell(terminal)
        shell.run('unsetopt beep; eval "$(parproc --completion zsh)"; echo rea""dy', 'ready')
        yield shell


def test_zsh(zsh: Shell, tasks: CompletionProject) -> None:
    zsh.press('parproc li\t', 'parproc lint ')
    zsh.press('parproc b\t', 'parproc build::')
    zsh.press('parproc build::\t\t', 'build::dev')
    zsh.press('parproc build::d\t', 'parproc build::dev ')
    zsh.press('parproc test::prod::u\t', 'parproc test::prod::unit ')
    zsh.press('parproc odd\t', 'parproc odd\\ name\\ \\[1\\] ')
    zsh.press('parproc \t', 'Look for mistakes.')
    zsh.press('parproc --output st\t', 'parproc --output stream ')
    zsh.press('parproc -f ta\t', 'parproc -f tasks.py ')
    zsh.press('parproc --file=ta\t', 'parproc --file=tasks.py ')
    zsh.press("parproc build::'d\t", 'parproc build::dev ')
    zsh.press('parproc "do\t', 'parproc "dollar\\$(touch mark)" ')
    zsh.run('alias parproc', "parproc='noglob parproc'")
    assert not tasks.mark.exists()


def test_zsh_from_its_function_path(tasks: CompletionProject) -> None:
    need('zsh')
    home = Path(os.environ['HOME'])
    (home / 'functions').mkdir()
    (home / 'functions' / '_parproc').write_text((SCRIPTS / 'parproc.zsh').read_text())
    (home / '.zshrc').write_text(
        'PS1="%% "\nfpath=(~/functions $fpath)\nautoload -Uz compinit && compinit -u\nbindkey -e\n'
    )
    with Terminal(['zsh', '-i'], columns=120, lines=40, cwd=tasks.folder, env=environment(tasks)) as terminal:
        shell = Shell(terminal)
        shell.run('unsetopt beep; echo rea""dy', 'ready')
        shell.press('parproc build::d\t', 'parproc build::dev ')


def fish_offers(tasks: CompletionProject, line: str) -> dict[str, str]:
    quoted = line.replace("'", "\\'")
    script = f"source {SCRIPTS}/parproc.fish; complete -C '{quoted}'"
    done = subprocess.run(
        ['fish', '--no-config', '-c', script],
        cwd=tasks.folder,
        env=environment(tasks),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return dict([*line.split('\t'), ''][:2] for line in done.stdout.splitlines())


def test_fish(tasks: CompletionProject) -> None:
    need('fish')
    assert fish_offers(tasks, 'parproc li') == {'lint': 'Look for mistakes.'}
    assert set(fish_offers(tasks, 'parproc build::')) == {'build::dev', 'build::prod'}
    assert set(fish_offers(tasks, 'parproc lint test::prod::u')) == {'test::prod::unit'}
    assert set(fish_offers(tasks, 'parproc odd')) == {'odd name [1]'}
    assert set(fish_offers(tasks, 'parproc -o st')) == {'stream'}
    assert 'tasks.py' in fish_offers(tasks, 'parproc -f ta')
    assert '--file=tasks.py' in fish_offers(tasks, 'parproc --file=ta')
    assert not tasks.mark.exists()


def test_fish_at_a_terminal(tasks: CompletionProject) -> None:
    need('fish')
    (Path(os.environ['HOME']) / '.config' / 'fish' / 'completions').mkdir(parents=True)
    shutil.copy(SCRIPTS / 'parproc.fish', Path(os.environ['HOME']) / '.config' / 'fish' / 'completions')
    with Terminal(['fish', '-i'], columns=120, lines=40, cwd=tasks.folder, env=environment(tasks)) as terminal:
        terminal.type('function fish_prompt; echo "> "; end; echo rea""dy\n')
        terminal.wait_for('ready\n')
        terminal.type('parproc build::d\t')
        terminal.wait_for('parproc build::dev')
        terminal.type(f'{CLEAR}parproc "do\t')
        terminal.wait_for('parproc "dollar\\$(touch mark)"')
    assert not tasks.mark.exists()


def test_powershell_is_only_read() -> None:
    """No PowerShell can be installed here: its script is held to the exchange by this reading, and by review."""
    text = (SCRIPTS / 'parproc.ps1').read_text()
    for part in ("'powershell_complete'", '-CommandName parproc', 'COMP_WORDS', '"`t", 3'):
        assert part in text
    assert text.count('{') == text.count('}') and text.count('(') == text.count(')')


@pytest.fixture
def planted(tasks: CompletionProject, monkeypatch: pytest.MonkeyPatch) -> CompletionProject:
    """A program of the command's name where the user is, which leaves a mark, and a search path that finds it first."""
    for name in ('parproc', 'env', 'command'):
        program = tasks.folder / name
        program.write_text(f'#!/bin/sh\n: > "{tasks.mark}"\n')
        program.chmod(0o755)
    monkeypatch.setenv('PATH', f'.::{os.environ["PATH"]}')
    return tasks


TYPED = ('parproc', './parproc', '$PWD/parproc')


@pytest.mark.parametrize('typed', TYPED)
def test_bash_runs_nothing_of_the_current_folder(planted: CompletionProject, typed: str) -> None:
    need('bash')
    typed = typed.replace('$PWD', str(planted.folder))
    line = f'{typed} build::d'
    script = f"""
        . {SCRIPTS}/parproc.bash
        COMP_LINE='{line}' COMP_POINT={len(line)}
        compopt() {{ :; }}
        _parproc '{typed}' d
        printf '<%s>' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ['/bin/bash', '-c', script],
        cwd=planted.folder,
        env=environment(planted),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == b'<dev >', done.stderr
    assert not planted.mark.exists()


@pytest.mark.parametrize('typed', TYPED)
def test_zsh_runs_nothing_of_the_current_folder(planted: CompletionProject, typed: str) -> None:
    need('zsh')
    home = Path(os.environ['HOME'])
    (home / '.zshrc').write_text(
        f'PS1="%% "\nautoload -Uz compinit && compinit -u\nbindkey -e\nunsetopt beep\n. {SCRIPTS}/parproc.zsh\n'
    )
    zsh = shutil.which('zsh', path='/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin')
    assert zsh is not None
    with Terminal([zsh, '-i'], columns=200, lines=40, cwd=planted.folder, env=environment(planted)) as terminal:
        shell = Shell(terminal)
        shell.run('echo rea""dy', 'ready')
        shell.press(f'{typed} build::d\t', f'{typed} build::dev ')
    assert not planted.mark.exists()


@pytest.mark.parametrize('typed', TYPED)
def test_fish_runs_nothing_of_the_current_folder(planted: CompletionProject, typed: str) -> None:
    need('fish')
    assert set(fish_offers(planted, f'{typed} build::d')) == {'build::dev'}
    assert not planted.mark.exists()


def test_a_shell_without_the_installed_program_offers_nothing(
    planted: CompletionProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    need('bash')
    monkeypatch.setenv('PATH', '.:/usr/bin:/bin')
    script = (
        f'. {SCRIPTS}/parproc.bash; COMP_LINE="parproc " COMP_POINT=8; _parproc parproc ""; echo "${{#COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ['/bin/bash', '-c', script],
        cwd=planted.folder,
        env=environment(planted),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == b'0\n' and not planted.mark.exists()
