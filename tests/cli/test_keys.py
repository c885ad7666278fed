"""The person at the terminal: keys while a run goes on, a look at its state, and the terminal as it was."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Project
from tests.terminal import DEADLINE, Terminal

TASKS = """
    import os, time
    import parproc as pp

    @pp.Proto('work::[n]', arg_choices={'n': ['a', 'b']})
    def work(context, n):
        for number in range(50):
            print(f'line {number} of {n}')
        open(f'started-{n}', 'w').close()
        while not os.path.exists('go'):
            time.sleep(0.01)

    @pp.Proc(deps=['work::*'])
    def after(context): pass
"""


@pytest.fixture
def screen(project: Project) -> Iterator[Terminal]:
    project.write('tasks.py', TASKS)
    command = [sys.executable, '-m', 'parproc', '-j2', 'after']
    with Terminal(command, columns=100, lines=40, cwd=project.folder, env=project.environment(TERM='xterm')) as screen:
        screen.wait_for('line 49 of')
        yield screen


def canonical(screen: Terminal) -> bool:
    return bool(screen.attributes()[3] & termios.ICANON and screen.attributes()[3] & termios.ECHO)


def test_keys_show_logs_leave_out_successes_and_are_not_echoed(screen: Terminal, project: Project) -> None:
    screen.type('?')
    screen.wait_for('q: stop')
    screen.type('l')
    screen.wait_for('─── work::')
    screen.wait_for('    line 48 of')
    screen.type('f')
    screen.wait_for('failures only')
    (project.folder / 'go').touch()
    assert screen.finish() == 0
    assert '✓ work::a' not in screen.text() and '3 succeeded' in screen.text()
    assert '\n?' not in screen.text()


def test_q_stops_the_run_as_ctrl_c_does(screen: Terminal) -> None:
    screen.type('q')
    assert screen.finish() == -signal.SIGINT
    assert '2 interrupted' in screen.text()


def test_ctrl_c_still_reaches_the_run_and_the_terminal_is_as_it_was(screen: Terminal) -> None:
    assert not canonical(screen)
    screen.type('\x03')
    assert screen.finish() == -signal.SIGINT
    assert canonical(screen)


def test_a_killed_run_leaves_the_terminal_as_it_was(screen: Terminal) -> None:
    assert not canonical(screen)
    os.kill(screen.pid, signal.SIGKILL)
    screen.finish()
    screen.wait_for(lambda _: canonical(screen))
    assert screen.raw.rstrip().endswith(b'\x1b[?25h')


def test_a_signal_shows_the_state_anywhere(screen: Terminal, project: Project) -> None:
    os.kill(screen.pid, signal.SIGUSR1)
    screen.wait_for('0 of 3 done, 2 running, 1 waiting')
    screen.wait_for('after waits for work::a, work::b')
    (project.folder / 'go').touch()
    assert screen.finish() == 0


def test_a_signal_shows_the_state_in_a_pipe_too(project: Project) -> None:
    project.write('tasks.py', TASKS)
    process = project.start('-o', 'quiet', '-j2', 'after')
    deadline = time.monotonic() + DEADLINE
    while len(list(project.folder.glob('started-*'))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    assert process.stderr is not None
    assert process.stderr.readline() == '0 of 3 done, 2 running, 1 waiting\n'
    (project.folder / 'go').touch()
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_ctrl_z_gives_the_shell_a_clean_terminal_and_fg_the_board_again(project: Project) -> None:
    project.write('tasks.py', TASKS)
    environment = project.environment(TERM='xterm', PS1='$ ', PYTHON=sys.executable)
    command = ['bash', '--norc', '--noprofile', '-i']
    with Terminal(command, columns=100, lines=40, cwd=project.folder, env=environment) as screen:
        screen.wait_for('$')
        screen.type('"$PYTHON" -m parproc -j2 after\n')
        screen.wait_for('line 49 of')
        screen.type('\x1a')
        screen.wait_for('Stopped')
        screen.wait_for(lambda _: '2 running' not in '\n'.join(screen.screen.display))
        screen.type('echo still "$((6 * 7))"\n')
        screen.wait_for('still 42')
        screen.type('fg\n')
        screen.wait_for('2 running')
        (project.folder / 'go').touch()
        screen.wait_for('3 succeeded')
