"""Scripts as people write them, in a terminal of their own: what is to be seen, and what is left behind."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.terminal import Terminal

ROOT = Path(__file__).parents[3]
PROLOGUE = """
import os, signal, sys, threading, time
import parproc as pp

def until(name):
    deadline = time.monotonic() + 30
    while not os.path.exists(name) and time.monotonic() < deadline:
        time.sleep(0.01)
"""


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    running = []

    def start(text: str, **size: int) -> Terminal:
        path = tmp_path / 'script.py'
        path.write_text(PROLOGUE + textwrap.dedent(text))
        environment = {'PATH': '/usr/bin:/bin', 'PYTHONPATH': str(ROOT), 'LANG': 'C.UTF-8', 'TERM': 'xterm'}
        running.append(Terminal([sys.executable, str(path)], cwd=tmp_path, env=environment, **size))
        return running[-1]

    yield start
    for terminal in running:
        terminal.close()


def is_sane(terminal: Terminal, modes: list[Any]) -> bool:
    return terminal.attributes() == modes and not terminal.screen.cursor.hidden


def test_a_script_prints_and_waits_in_turns(script: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = script("""
        @pp.Proc(now=True)
        def load(context):
            until('loaded')

        @pp.Proc(deps=['load'], now=True)
        def report(context):
            until('reported')

        print('preparing', flush=True)
        pp.wait('load')
        print('between', flush=True)
        until('between')
        pp.wait_for_all()
        print('the end')
    """)
    shown = terminal.wait_for('▶ load')
    assert shown.index('preparing') < shown.index('0/2') < shown.index('▶ load')
    (tmp_path / 'loaded').touch()
    shown = terminal.wait_for('between')
    assert shown.index('preparing') < shown.index('✓ load') < shown.index('between')
    assert '▶' not in shown and '/2' not in shown
    (tmp_path / 'between').touch()
    terminal.wait_for('▶ report')
    (tmp_path / 'reported').touch()
    assert terminal.finish() == 0
    lines = [line.split('  ')[0].rstrip() for line in terminal.text().split('\n')]
    assert lines == ['preparing', '✓ load', 'between', '✓ report', 'the end']


def test_several_end_in_a_line_and_each_wait_counts_its_own(script: Callable[..., Terminal]) -> None:
    terminal = script("""
        for batch in range(2):
            for number in range(3):
                pp.Proc(f'p{batch}{number}', lambda context: None)
            pp.wait(*(f'p{batch}{number}' for number in range(3)))
    """)
    assert terminal.finish() == 0
    lines = terminal.text().split('\n')
    assert len(lines) == 8
    assert lines[3].startswith('3 succeeded in ') and lines[7].startswith('3 succeeded in ')


@pytest.mark.parametrize('options', ['dynamic=False', "output='quiet'"])
def test_a_script_that_wants_no_board_has_none(script: Callable[..., Terminal], options: str) -> None:
    terminal = script(f"""
        pp.set_options({options})
        pp.Proc('a', lambda context: time.sleep(0.5))
        pp.wait('a')
        print('the end')
    """)
    assert terminal.finish() == 0
    assert terminal.text() == 'the end'
    assert b'\x1b' not in terminal.raw


def test_a_failure_is_raised_on_a_clean_terminal(script: Callable[..., Terminal]) -> None:
    terminal = script("""
        @pp.Proc(now=True)
        def bad(context):
            raise ValueError('no such thing')

        @pp.Proc(now=True)
        def slow(context):
            time.sleep(0.6)

        pp.wait_for_all()
    """)
    modes = terminal.attributes()
    assert terminal.finish() == 1
    shown = terminal.text()
    assert shown.index('✗ bad') < shown.index('1 succeeded, 1 failed in') < shown.index('ProcessError')
    assert '▶' not in shown
    assert is_sane(terminal, modes)


def test_ctrl_c_leaves_a_clean_terminal(script: Callable[..., Terminal]) -> None:
    terminal = script("""
        @pp.Proc(now=True)
        def slow(context):
            until('never')

        try:
            pp.wait_for_all()
        except KeyboardInterrupt:
            print('stopped by the user')
    """)
    modes = terminal.attributes()
    terminal.wait_for('▶ slow')
    terminal.type('\x03')
    assert terminal.finish() == 0
    shown = terminal.text()
    assert shown.index('SIGINT') < shown.index('slow  interrupted') < shown.index('stopped by the user')
    assert '▶' not in shown and is_sane(terminal, modes)


def test_the_keys_of_the_board_work_and_typing_is_the_programs_again_afterwards(
    script: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = script("""
        @pp.Proc
        def slow(context):
            print('its output', flush=True)
            until('go')

        pp.wait('slow')
        print('name?', flush=True)
        print('hello', input())
    """)
    modes = terminal.attributes()
    terminal.wait_for('▶ slow')
    terminal.type('l')
    terminal.wait_for('─── slow')
    (tmp_path / 'go').touch()
    terminal.wait_for('name?')
    assert terminal.attributes() == modes
    terminal.type('world\n')
    assert terminal.finish() == 0
    assert 'hello world' in terminal.text()


def test_lines_pasted_at_python_while_it_waits_are_its_next_lines_and_no_keys(tmp_path: Path) -> None:
    environment = {'PATH': '/usr/bin:/bin', 'PYTHONPATH': str(ROOT), 'LANG': 'C.UTF-8', 'TERM': 'xterm'}
    terminal = Terminal([sys.executable, '-q'], cwd=tmp_path, env=environment)
    try:
        terminal.wait_for('>>>')
        terminal.type('import os, parproc as pp; os.mkfifo("go"); quick = 6\n')
        terminal.type('pp.Proc("slow", lambda context: open("go").read()) and None\n')
        terminal.type('pp.wait("slow")\n')
        terminal.wait_for('▶ slow')
        terminal.type('quick * 7\nexit()\n')
        (tmp_path / 'go').write_text('read')
        assert terminal.finish() == 0
        assert "'read'" in terminal.text() and '42' in terminal.text()
    finally:
        terminal.close()


def test_an_exception_in_the_middle_of_a_wait_leaves_a_clean_terminal(script: Callable[..., Terminal]) -> None:
    terminal = script("""
        @pp.Proc
        def slow(context):
            until('never')

        def ring(number, frame):
            raise TimeoutError('it takes too long')

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 1.5)
        pp.wait('slow')
    """)
    modes = terminal.attributes()
    terminal.wait_for('▶ slow')
    assert terminal.finish() == 1
    shown = terminal.text()
    assert 'TimeoutError: it takes too long' in shown
    assert '▶' not in shown and is_sane(terminal, modes)


def test_a_killed_program_leaves_a_terminal_that_works(script: Callable[..., Terminal]) -> None:
    terminal = script("""
        @pp.Proc
        def slow(context):
            until('never')

        pp.wait('slow')
    """)
    modes = terminal.attributes()
    terminal.wait_for('▶ slow')
    assert terminal.attributes() != modes  # keys come one by one
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.finish() == -signal.SIGKILL
    terminal.wait_for(lambda one: one.attributes() == modes)
    assert not terminal.screen.cursor.hidden


def test_a_resize_in_the_middle_of_a_wait_leaves_one_board(script: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = script("""
        for number in range(4):
            pp.Proc(f'p{number}', lambda context: until('go'), now=True)
        pp.wait_for_all()
    """)
    terminal.wait_for('▶ p3')
    terminal.resize(50, 20)
    terminal.wait_for(lambda one: one.text().count('0/4') == 1 and '▶ p0' in one.text())
    terminal.resize(100, 30)
    before = terminal.text()
    terminal.wait_for(lambda one: one.text() != before)
    terminal.wait_for(lambda one: one.text().count('0/4') == one.text().count('▶ p0') == 1)
    (tmp_path / 'go').touch()
    assert terminal.finish() == 0
    assert terminal.text().count('✓') == 4 and '▶' not in terminal.text()


def test_what_another_thread_prints_scrolls_up(script: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = script("""
        def talk():
            for number in range(5):
                print('line', number, flush=True)
                time.sleep(0.5)
            open('talked', 'w').close()

        pp.Proc('slow', lambda context: until('talked'), now=True)
        threading.Thread(target=talk).start()
        pp.wait_for_all()
    """)
    assert terminal.finish() == 0
    shown = terminal.text()
    assert [line for line in shown.split('\n') if line.startswith('line')] == [f'line {number}' for number in range(5)]
    assert '▶' not in shown and '✓ slow' in shown


def test_mode_single_is_at_the_terminal(script: Callable[..., Terminal]) -> None:
    terminal = script("""
        pp.set_options(mode='single')

        @pp.Proc
        def debugged(context):
            print('printed')
            number = 40
            breakpoint()
            return number + 2

        pp.wait('debugged')
        print(pp.results())
    """)
    terminal.wait_for('(Pdb)')
    terminal.type('p number + 1\n')
    terminal.wait_for('41')
    terminal.type('c\n')
    assert terminal.finish() == 0
    lines = terminal.text().split('\n')
    assert lines[:2] == ['▶ debugged', 'printed']
    assert lines[-2].startswith('✓ debugged') and lines[-1] == "{'debugged': 42}"


def test_without_a_terminal_nothing_is_shown_but_what_is_raised_nowhere(project: Project) -> None:
    script = """
        import parproc as pp
        pp.Proc('good', lambda context: None, now=True)
        @pp.Proc(now=True)
        def bad(context):
            raise ValueError('no such thing')
        print(pp.wait_for_all(exception_on_failure={}))
    """
    ran = project.script(script.format(False))
    assert (ran.code, ran.out) == (0, 'False\n')
    assert ran.err.startswith('✗ bad  FAILED  ValueError: no such thing')
    assert 'Traceback' in ran.err and 'good' not in ran.err
    ran = project.script(script.format(True))
    assert (ran.code, ran.out) == (1, '')
    assert '✗' not in ran.err and 'ProcessError' in ran.err


def test_a_program_is_told_what_happens(project: Project) -> None:
    ran = project.script("""
        import parproc as pp
        def show(event):
            if event.event in ('header', 'started', 'finished', 'result'):
                print(event.event, getattr(event, 'name', ''))
        session = pp.Session(on_event=show)
        session.Proc('a', lambda context: None)
        session.wait('a')
        print('between')
        session.Proc('b', lambda context: None)
        session.wait('b')
        session.clear()
        session.Proc('c', lambda context: None)
        session.wait('c')
    """)
    assert [line.rstrip() for line in ran.out.split('\n')] == [
        *('header', 'started a', 'finished a', 'between', 'started b', 'finished b', 'result'),
        *('header', 'started c', 'finished c', 'result', ''),
    ]


def test_a_function_told_of_events_may_use_the_session(project: Project) -> None:
    ran = project.script("""
        import parproc as pp
        def show(event):
            if event.event == 'finished' and event.name == 'a':
                session.start('b')
                print(session.get_procs()['a'].state.value)
        session = pp.Session(on_event=show)
        session.Proc('a', lambda context: None)
        session.Proc('b', lambda context: 7)
        session.wait('a')
        session.wait_for_all()
        print(session.results())
    """)
    assert ran.out == "succeeded\n{'a': None, 'b': 7}\n", ran.err
