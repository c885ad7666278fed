"""Procs that have the terminal to themselves, at a real one: input, keys that send signals, and others that go on."""

from __future__ import annotations

import sys
import termios

import pytest

from tests.conftest import Project
from tests.terminal import Terminal

TASKS = """
    import os, sys, termios, time
    import parproc as pp

    @pp.Proc(interactive=True)
    def rude(context):
        modes = termios.tcgetattr(0)
        modes[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(0, termios.TCSADRAIN, modes)
        print('rude is here')

    @pp.Proc(interactive=True)
    def ask(context):
        sys.stdout.write('your name? ')
        sys.stdout.flush()
        name = sys.stdin.readline().strip()
        print(f'hello {name}', not os.isatty(0) or os.tcgetpgrp(0) == os.getpgrp())
        return name

    @pp.Proc
    def other(context):
        while not os.path.exists('go'):
            time.sleep(0.01)

    @pp.Proc(interactive=True)
    def endless(context):
        print('endless is here')
        while True:
            time.sleep(0.05)
"""

TOML = """
    [proc.shell]
    run = [["sh", "-c", "read line; echo got $line"], "read line; echo then $line"]
    interactive = true
"""


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write('tasks.py', TASKS)
    project.write('parproc.toml', TOML)
    return project


def terminal(tasks: Project, *arguments: str) -> Terminal:
    return Terminal(
        [sys.executable, '-m', 'parproc', *arguments],
        columns=100,
        cwd=tasks.folder,
        env=tasks.environment(TERM='xterm'),
    )


@pytest.mark.parametrize('output', ['auto', 'live', 'plain'])
def test_an_interactive_proc_reads_and_writes_the_terminal_while_others_go_on(tasks: Project, output: str) -> None:
    with terminal(tasks, '-o', output, 'ask', 'other') as screen:
        screen.wait_for('your name?')
        screen.type('Ada\n')
        screen.wait_for('hello Ada True')
        screen.wait_for('✓ ask')
        (tasks.folder / 'go').touch()
        screen.wait_for('✓ other')
        assert screen.finish() == 0
        assert '2 succeeded' in screen.text()


def test_commands_have_it_too_one_after_the_other(tasks: Project) -> None:
    with terminal(tasks, 'shell') as screen:
        screen.type('one\n')
        screen.wait_for('got one')
        screen.type('two\n')
        screen.wait_for('then two')
        assert screen.finish() == 0


def test_the_terminal_is_as_it_was_whatever_the_proc_did_to_it(tasks: Project) -> None:
    with terminal(tasks, '-o', 'plain', 'rude', 'ask') as screen:
        screen.wait_for('rude is here')
        screen.wait_for('your name?')
        assert screen.attributes()[3] & termios.ECHO and screen.attributes()[3] & termios.ICANON
        screen.type('x\n')
        assert screen.finish() == 0


def test_ctrl_c_goes_to_the_proc_alone(tasks: Project) -> None:
    with terminal(tasks, '-o', 'plain', 'endless', 'other') as screen:
        screen.wait_for('endless is here')
        screen.type('\x03')
        screen.wait_for('FAILED  killed by SIGINT')
        (tasks.folder / 'go').touch()  # not before: what is on its way to a terminal when Ctrl-C is typed gets lost
        screen.wait_for('✓ other')
        assert screen.finish() == 1


def test_ctrl_z_stops_the_whole_run_and_fg_gives_the_terminal_back(tasks: Project) -> None:
    environment = tasks.environment(TERM='xterm', PS1='$ ', PYTHON=sys.executable)
    command = ['bash', '--norc', '--noprofile', '-i']
    with Terminal(command, columns=100, cwd=tasks.folder, env=environment) as screen:
        screen.wait_for('$')
        screen.type('"$PYTHON" -m parproc ask\n')
        screen.wait_for('your name?')
        screen.type('\x1a')
        screen.wait_for('Stopped')
        screen.type('fg\n')
        screen.wait_for(lambda terminal: terminal.text().count('parproc ask') >= 3)
        screen.type('Ada\n')
        screen.wait_for('hello Ada True')


def test_without_a_terminal_input_is_passed_on(tasks: Project) -> None:
    ran = tasks.run('ask', stdin='Ada\n')
    assert ran.code == 0
    assert ran.out == 'your name? hello Ada True\n'
