"""The end of a program that uses sessions: nothing is forgotten, nothing is kept back, nothing is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.session.conftest import RunProgram, StartProgram

MODES = pytest.mark.parametrize('mode', ['mp', 'single'])
SLOW = """
    pp.set_options(mode=MODE)

    @pp.Proc
    def slow(context):
        try:
            begun()
            signal.pause()
        finally:
            open('cleaned', 'w').close()

    @pp.Proc(wave=1)
    def other(context):
        open('other ran', 'w').close()
"""


def test_what_nobody_waited_for_is_waited_for_and_said(started: StartProgram, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'gate')
    running = started("""
        @pp.Proc(now=True)
        def work(context):
            open('gate').close()
            open('done', 'w').close()

        @pp.Proc(now=True)
        def more(context, deps=['work']):
            open('done too', 'w').close()
    """)
    running.wait_until_said('parproc: waiting for 2 procs that nobody has waited for\n')
    (tmp_path / 'gate').write_text('')
    ran = running.end()
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, '', '')
    assert (tmp_path / 'done').exists() and (tmp_path / 'done too').exists()
    assert os.listdir(tmp_path / 'tmp') == []


@MODES
def test_a_failure_that_nobody_waited_for_is_shown_and_fails_the_program(program: RunProgram, mode: str) -> None:
    ran = program(
        """
        pp.set_options(mode=MODE)

        @pp.Proc(now=True)
        def bad(context):
            raise ValueError('no such table')

        print('the end')
        """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (1, 'the end\n')
    assert '✗ bad  FAILED  ValueError: no such table' in ran.stderr


@MODES
@pytest.mark.parametrize(('leave', 'code'), [('sys.exit(3)', 3), ('sys.exit(0)', 1), ('sys.exit()', 1)])
def test_an_exit_code_of_the_programs_own_is_kept(program: RunProgram, mode: str, leave: str, code: int) -> None:
    ran = program(f"pp.set_options(mode=MODE)\npp.Proc('bad', lambda context: 1 / 0, now=True)\n{leave}\n", mode)
    assert ran.returncode == code
    assert 'ZeroDivisionError' in ran.stderr


@MODES
def test_a_failure_that_was_raised_and_caught_fails_nothing(program: RunProgram, mode: str) -> None:
    ran = program(
        """
        pp.set_options(mode=MODE, output='quiet' if MODE == 'mp' else 'auto')
        pp.Proc('load', lambda context: 1 / 0)
        pp.Proc('clean', lambda context: 1, deps=['load'])
        pp.Proc('report', lambda context: 1, deps=['clean'])
        try:
            pp.wait('report')
        except pp.ProcessError:
            print('known')
        """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (0, 'known\n')


def test_a_failure_of_which_an_exception_told_is_not_shown_again(program: RunProgram) -> None:
    ran = program("""
        pp.Proc('load', lambda context: 1 / 0)
        pp.Proc('report', lambda context: 1, deps=['load'])
        try:
            pp.wait('report')
        except pp.ProcessError:
            pass
    """)
    assert (ran.returncode, ran.stderr) == (0, '')


def test_a_failure_behind_a_wait_that_was_given_up_is_not_kept_back(program: RunProgram) -> None:
    ran = program("""
        pp.Proc('bad', lambda context: 1 / 0)
        pp.Proc('slow', lambda context: time.sleep(0.5))
        try:
            pp.wait('bad', 'slow', timeout=0.3)
        except TimeoutError:
            print('given up')
    """)
    assert (ran.returncode, ran.stdout) == (1, 'given up\n')
    assert 'ZeroDivisionError' in ran.stderr


def test_after_an_exception_what_is_open_is_waited_for_as_well(program: RunProgram, tmp_path: Path) -> None:
    ran = program("""
        pp.Proc('first', lambda context: time.sleep(0.5), now=True)

        @pp.Proc(now=True, deps=['first'])
        def work(context):
            open('done', 'w').close()

        raise RuntimeError('in the middle')
    """)
    assert ran.returncode == 1
    assert ran.stderr.index('in the middle') < ran.stderr.index('waiting for')
    assert (tmp_path / 'done').exists()


@MODES
@pytest.mark.parametrize(
    'how', ['pp.wait(slow, other)', 'pp.start(slow, other); pp.wait_for_all()', 'pp.start(slow, other)']
)
def test_ctrl_c_ends_what_runs_starts_nothing_new_and_ends_the_program_as_it_would_have(
    started: StartProgram, tmp_path: Path, mode: str, how: str
) -> None:
    running = started(f'{SLOW}\n    {how}\n    print("went on")', mode)
    running.wait_until_begun()
    if mode == 'mp' and 'wait' not in how:  # between its last line and that, Python forgets a Ctrl-C
        running.wait_until_said('waiting for')
    running.interrupt()
    ran = running.end()
    assert ran.returncode == -signal.SIGINT, ran.stderr
    assert (tmp_path / 'cleaned').exists()
    assert not (tmp_path / 'other ran').exists()


@MODES
def test_ctrl_c_can_be_caught_and_the_program_goes_on(started: StartProgram, tmp_path: Path, mode: str) -> None:
    running = started(
        f"""{SLOW}
    try:
        pp.wait(slow, other)
    except KeyboardInterrupt:
        print(pp.wait_for_all(), pp.results())
    pp.run(other)
    pp.wait(other)
    print('went on')
    """,
        mode,
    )
    running.wait_until_begun()
    running.interrupt()
    ran = running.end()
    assert (ran.returncode, ran.stdout) == (0, "True {'slow': None}\nwent on\n"), ran.stderr
    assert (tmp_path / 'other ran').exists()


def test_ctrl_c_while_the_program_does_something_else_gives_procs_their_time_to_end(
    started: StartProgram, tmp_path: Path
) -> None:
    running = started(f"""{SLOW}
    pp.start(slow, other)
    print('started', file=sys.stderr, flush=True)
    while True:
        time.sleep(0.01)  # pause() would miss a signal that comes just before it
    """)
    running.wait_until_begun()
    running.wait_until_said('started')
    running.interrupt()
    ran = running.end()
    assert ran.returncode == -signal.SIGINT
    assert 'KeyboardInterrupt\nparproc: ending 2 procs that nobody has waited for\n' in ran.stderr
    assert (tmp_path / 'cleaned').exists()
    assert not (tmp_path / 'other ran').exists()


def test_ctrl_c_amid_a_start_gives_what_runs_its_time_to_end(started: StartProgram, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'gate')
    os.mkfifo(tmp_path / 'go')
    go = os.open(tmp_path / 'go', os.O_RDWR)
    running = started("""
        def told(event):
            if type(event).__name__ == 'StartedEvent':
                open('gate').close()
                signal.raise_signal(signal.SIGINT)
            elif type(event).__name__ == 'StoppingEvent':
                with open('stops', 'a') as file:
                    file.write('x')

        session = pp.Session(on_event=told)

        @session.Proc
        def slow(context):
            try:
                open('gate', 'w').close()
                signal.pause()
            finally:
                os.read(os.open('go', os.O_RDONLY), 1)
                open('cleaned', 'w').close()

        session.start(slow)
    """)
    assert running.process.stderr is not None
    while 'parproc: ending 1 proc that nobody has waited for' not in (line := running.process.stderr.readline()):
        assert line, 'it ended before'
    os.write(go, b'x')
    ran = running.end()
    os.close(go)
    assert ran.returncode == -signal.SIGINT
    assert (tmp_path / 'cleaned').exists()
    assert (tmp_path / 'stops').read_text() == 'x'


def test_a_second_ctrl_c_ends_what_will_not_end(started: StartProgram, tmp_path: Path) -> None:
    running = started("""
        @pp.Proc
        def stubborn(context):
            signal.signal(signal.SIGINT, lambda *_: begun())
            begun()
            while True:
                signal.pause()

        pp.wait(stubborn)
    """)
    for _ in range(2):
        running.wait_until_begun()
        running.interrupt()
    assert running.end().returncode == -signal.SIGINT


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_another_signal_while_it_waits_lets_procs_end_and_ends_the_program(
    started: StartProgram, tmp_path: Path, number: signal.Signals
) -> None:
    running = started(f'{SLOW}\n    pp.wait(slow, other)')
    running.wait_until_begun()
    running.interrupt(number)
    assert running.end().returncode == -number
    assert (tmp_path / 'cleaned').exists() == (number == signal.SIGTERM)  # Python turns no other into an exception


def test_leaving_a_with_block_early_ends_what_runs_and_waits_for_nothing(started: StartProgram, tmp_path: Path) -> None:
    running = started(
        """
        with pp.Session() as session:
            session.Proc('slow', lambda context: (begun(), signal.pause()), now=True)
            sys.stdin.readline()
        print('left')
    """,
        stdin=-1,
    )
    running.wait_until_begun()
    ran = running.end('\n')
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, 'left\n', '')
    assert os.listdir(tmp_path / 'tmp') == []


@MODES
@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_what_a_worker_of_multiprocessing_has_started_is_waited_for_when_the_worker_ends(
    program: RunProgram, tmp_path: Path, mode: str, method: str
) -> None:
    ran = program(
        f"""
        import multiprocessing

        pp.set_options(mode=MODE)
        pp.Proc('first', lambda context: None)
        pp.Proc('last', lambda context: open('done', 'w').close(), deps=['first'])

        def work():
            pp.start('last')

        if __name__ == '__main__':
            worker = multiprocessing.get_context('{method}').Process(target=work)
            worker.start()
            worker.join(45)
            print(worker.exitcode)
        """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (0, '0\n'), ran.stderr
    assert (tmp_path / 'done').exists()
    assert os.listdir(tmp_path / 'tmp') == []
