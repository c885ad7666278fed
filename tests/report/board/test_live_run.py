"""Whole runs with the board, in a program of their own on a pseudo-terminal."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal

ROOT = Path(__file__).parents[3]
PROLOGUE = """
import os, sys, time
from parproc import Session
from parproc.engine.command_run import execute
from parproc.engine.display import Display
from parproc.report.fanout import Reporters
from parproc.report.board.live import LiveReporter
from parproc.report.style import Style

session = Session(parallel=4, state_dir=sys.argv[1])
workspace = session._workspace

def display(planned):
    return Display(Reporters([LiveReporter(Style(sys.stderr, colour=True), planned.folder.log_path)]))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    running = []

    def start(text: str, *, columns: int = 80, lines: int = 24) -> Terminal:
        script = tmp_path / 'script.py'
        script.write_text(PROLOGUE + textwrap.dedent(text))
        environment = {'PATH': '/usr/bin:/bin', 'PYTHONPATH': str(ROOT), 'LANG': 'C.UTF-8', 'TERM': 'xterm'}
        command = [sys.executable, str(script), str(tmp_path / 'state')]
        running.append(Terminal(command, columns=columns, lines=lines, env=environment))
        return running[-1]

    yield start
    for terminal in running:
        terminal.close()


def test_a_run_is_seen_from_its_first_frame_to_its_summary(program: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = program("""
        @session.Proc('slow')
        def slow(context):
            print('half way', flush=True)
            while not os.path.exists(sys.argv[1] + '/go'):
                time.sleep(0.01)

        @session.Proc('bad')
        def bad(context):
            raise ValueError('no such thing')

        @session.Proc('after', deps=['slow'])
        def after(context):
            pass

        sys.exit(execute(workspace, ['after', 'bad'], display=display).exit_code)
    """)
    terminal.wait_for(lambda one: 'half way' in one.text() and 'ValueError: no such thing' in one.text())
    text = terminal.text()
    assert '1 failed' in text
    assert text.index('✗ bad') < text.index('1/3') < text.index('▶ slow')
    (tmp_path / 'state' / 'go').touch()
    assert terminal.finish() == 1
    text = terminal.text()
    assert '▶' not in text
    assert '2 succeeded, 1 failed' in text
    assert 'rerun: parproc bad' in text
    assert 'longest path: slow → after' in text
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0


def test_a_terminal_that_nobody_reads_slows_nothing(program: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = program("""
        for number in range(200):
            @session.Proc(f'p{number}')
            def task(context):
                print('error: ' + 'x' * 2000)
                raise ValueError('x' * 2000)

        began = time.monotonic()
        original, ended = LiveReporter.on_run_ended, []

        def end(self, message, view):
            with open(sys.argv[1] + '/over', 'w') as file:
                file.write(str(time.monotonic() - began))
            original(self, message, view)

        LiveReporter.on_run_ended = end
        execute(workspace, list(workspace.catalog.procs), display=display)
    """)
    over = tmp_path / 'state' / 'over'
    deadline = time.monotonic() + 30
    while not (over.exists() and over.read_text()):
        assert time.monotonic() < deadline, 'the run waits for its terminal'
        time.sleep(0.02)
    assert 'p0' not in terminal.text()
    assert terminal.finish() == 0


def test_a_resize_in_the_middle_leaves_one_board(program: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = program("""
        for number in range(6):
            @session.Proc(f'p{number}')
            def task(context, deadline=time.monotonic() + 20):
                while not os.path.exists(sys.argv[1] + '/go') and time.monotonic() < deadline:
                    time.sleep(0.01)
        execute(workspace, list(workspace.catalog.procs), display=display)
    """)
    terminal.wait_for('0/6')
    terminal.resize(50, 20)
    terminal.wait_for(lambda one: one.text().count('0/6') == 1 and '▶ p0' in one.text())
    terminal.resize(100, 30)
    time_shown = terminal.text()
    terminal.wait_for(lambda one: one.text() != time_shown)
    terminal.wait_for(lambda one: one.text().count('0/6') == one.text().count('▶ p0') == 1)
    (tmp_path / 'state' / 'go').touch()
    assert terminal.finish() == 0
    assert terminal.text().count('✓') == 6
