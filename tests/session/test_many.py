"""Many sessions, one after the other, leave nothing behind, however each of them ends."""

from __future__ import annotations

import pytest

from tests.session.conftest import RunProgram

HELD = """
    import gc, tempfile

    def held():
        try:
            child = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            child = None
        return len(os.listdir('/dev/fd')), child, os.listdir(tempfile.gettempdir()), threading.active_count()
"""


@pytest.mark.parametrize('mode', ['mp', 'single'])
@pytest.mark.parametrize('end', ['session.close()', 'del session', 'session.clear()', 'with session: pass'])
def test_a_hundred_and_one_sessions_keep_no_descriptor_process_folder_or_thread(
    program: RunProgram, mode: str, end: str
) -> None:
    ran = program(
        f"""{HELD}
    def one(number):
        session = pp.Session(mode=MODE, on_event=lambda event: None)
        session.Proc('answer', lambda context: number)
        session.Proc('open', lambda context: signal.pause() if MODE == 'mp' else None, now=True)
        assert session.wait('answer') == number
        {end}

    one(0)
    before = held()
    for number in range(101):
        one(number)
    print(before == held() or (before, held()))
    """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (0, 'True\n'), ran.stderr


def test_sessions_that_are_kept_hold_nothing_once_they_are_closed(program: RunProgram) -> None:
    ran = program(f"""{HELD}
    def one():
        session = pp.Session()
        session.Proc('answer', lambda context: 42)
        session.wait('answer')
        session.close()
        return session

    one()
    before = held()
    kept = [one() for _ in range(20)]
    print(before == held(), [session.wait('answer') for session in kept] == [42] * 20)
    """)
    assert (ran.returncode, ran.stdout) == (0, 'True True\n'), ran.stderr


def test_runs_in_a_loop_keep_nothing_that_grows(program: RunProgram) -> None:
    ran = program(f"""{HELD}
    pp.Proc('load', lambda context: bytes(1 << 21))
    pp.Proc('size', lambda context: len(context.results['load']), deps=['load'])

    def files():
        return sum(len(names) for _, _, names in os.walk(tempfile.gettempdir()))

    def once():
        pp.run('size', full=True)
        assert pp.wait('size') == 1 << 21

    once()
    before = held(), files()
    for _ in range(30):
        once()
    print(before == (held(), files()) or (before, held(), files()))
    """)
    assert (ran.returncode, ran.stdout) == (0, 'True\n'), ran.stderr
