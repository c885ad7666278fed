"""Sessions that several threads share, and processes that are forked from the program."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.session.conftest import RunProgram, StartProgram

MODES = pytest.mark.parametrize('mode', ['mp', 'single'])
RUN_ALL = """
    def in_threads(count, function):
        got = {}
        def call(number):
            got[number] = function(number)
        threads = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(45)
            assert not thread.is_alive(), 'a thread hangs'
        return [got.get(number) for number in range(count)]
"""


@MODES
def test_eight_threads_that_share_a_session_each_get_what_they_waited_for(program: RunProgram, mode: str) -> None:
    ran = program(
        f"""{RUN_ALL}
    session = pp.Session(mode=MODE, parallel=4)
    session.Proc('common', lambda context: 1000)
    session.Proto('square::[number]', lambda context, number: int(number) ** 2 + context.results['common'],
                  deps=['common'])

    def several(number):
        return [session.wait(f'square::{{10 * number + step}}') - 1000 for step in range(6)]

    print(in_threads(8, several) == [[(10 * number + step) ** 2 for step in range(6)] for number in range(8)])
    print(len(session.results()))
    """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (0, 'True\n49\n'), ran.stderr


@MODES
def test_each_of_eight_threads_may_have_a_session_of_its_own(program: RunProgram, mode: str) -> None:
    ran = program(
        f"""{RUN_ALL}
    def own(number):
        with pp.Session(mode=MODE, parallel=2) as session:
            session.Proto('times::[factor]', lambda context, factor: number * int(factor),
                          arg_choices={{'factor': range(4)}})
            return list(session.wait('times::*').values())

    print(in_threads(8, own) == [[number * factor for factor in range(4)] for number in range(8)])
    """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (0, 'True\n'), ran.stderr


def test_a_failure_is_raised_in_the_thread_that_waits_for_it_and_in_no_other(program: RunProgram) -> None:
    ran = program(f"""{RUN_ALL}
    session = pp.Session()
    session.Proto('odd::[number]', lambda context, number: 1 // (int(number) % 2))

    def one(number):
        try:
            return session.wait(f'odd::{{number}}')
        except pp.ProcessError as error:
            return list(error.failures)

    print(in_threads(4, one), session.wait_for_all())
    """)
    assert (ran.returncode, ran.stdout) == (0, "[['odd::0'], 1, ['odd::2'], 1] True\n"), ran.stderr


def test_another_thread_can_cancel_start_and_ask_while_one_waits(program: RunProgram) -> None:
    ran = program("""
        session = pp.Session()
        session.Proc('slow', lambda context: (begun(), signal.pause()))
        session.Proc('late', lambda context: 'started meanwhile')
        raised = []

        def wait():
            try:
                session.wait('slow')
            except pp.ProcessError as error:
                raised.append(error.failures)

        waiting = threading.Thread(target=wait)
        waiting.start()
        with open('begun') as fifo:
            fifo.read(1)
        print(session.get_procs()['slow'].state.value, session.wait('late', timeout=45))
        session.cancel('slow')
        waiting.join(45)
        print(raised, session.results())
    """)
    assert ran.returncode == 0, ran.stderr
    assert (
        ran.stdout == "running started meanwhile\n[{'slow': 'cancelled'}] {'slow': None, 'late': 'started meanwhile'}\n"
    )


def test_a_limit_of_time_holds_for_a_thread_that_does_not_drive(program: RunProgram) -> None:
    ran = program("""
        session = pp.Session()
        session.Proc('slow', lambda context: signal.pause())

        def wait():
            with contextlib.suppress(pp.ProcessError):
                session.wait('slow')

        import contextlib
        session.start('slow')
        driving = threading.Thread(target=wait)
        driving.start()
        try:
            session.wait('slow', timeout=0.2)
        except TimeoutError as error:
            print(error)
        session.cancel('slow')
        driving.join(45)
        print(driving.is_alive())
    """)
    assert (ran.returncode, ran.stdout) == (0, 'not over after 0.2 s: "slow"\nFalse\n'), ran.stderr


def test_ctrl_c_reaches_the_main_thread_while_another_one_drives(started: StartProgram, tmp_path: Path) -> None:
    running = started("""
        @pp.Proc
        def slow(context):
            try:
                with open('driven', 'w') as fifo:
                    fifo.write('x')
                signal.pause()
            finally:
                open('cleaned', 'w').close()

        pp.Proc('mark', lambda context: begun())  # started by the other thread, since the main one waits as well

        def wait():
            try:
                pp.wait(slow)
            except pp.ProcessError as error:
                print(error.failures, flush=True)

        os.mkfifo('driven')
        other = threading.Thread(target=wait)
        other.start()
        with open('driven') as fifo:
            fifo.read(1)
        try:
            pp.wait('mark', slow)
        except KeyboardInterrupt:
            other.join(45)
            print('interrupted', other.is_alive())
    """)
    running.wait_until_begun()
    running.interrupt()
    ran = running.end()
    assert (ran.returncode, ran.stdout) == (0, "{'slow': 'interrupted'}\ninterrupted False\n"), ran.stderr
    assert (tmp_path / 'cleaned').exists()


def test_ctrl_c_in_a_main_thread_that_joins_others_is_pythons_own_and_ends_what_runs(
    started: StartProgram, tmp_path: Path
) -> None:
    running = started("""
        @pp.Proc
        def slow(context):
            try:
                begun()
                signal.pause()
            finally:
                open('cleaned', 'w').close()

        other = threading.Thread(target=lambda: pp.wait(slow), daemon=True)
        other.start()
        other.join()
    """)
    running.wait_until_begun()
    running.interrupt()
    ran = running.end()
    assert ran.returncode == -signal.SIGINT
    assert (tmp_path / 'cleaned').exists()


def test_a_process_forked_from_the_program_keeps_declarations_and_touches_no_run(program: RunProgram) -> None:
    ran = program("""
        session = pp.Session()
        session.Proc('slow', lambda context: (begun(), open('go').read())[1])
        session.Proc('quick', lambda context: 'quick')
        os.mkfifo('go')
        session.wait('quick')
        session.start('slow')
        with open('begun') as fifo:
            fifo.read(1)
        child = os.fork()
        if child == 0:
            assert session.results() == {}
            assert session.get_procs()['slow'].state is pp.ProcState.IDLE
            print(session.wait('quick'), flush=True)
            sys.exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        with open('go', 'w') as fifo:
            fifo.write('went on')
        print(session.wait('slow'), session.results()['quick'])
    """)
    assert (ran.returncode, ran.stdout) == (0, 'quick\n0\nwent on quick\n'), ran.stderr


@MODES
@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_workers_of_a_pool_use_the_programs_session_and_have_their_own(
    program: RunProgram, mode: str, method: str
) -> None:
    ran = program(
        f"""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        shared = pp.Session(mode=MODE)
        shared.Proc('shared', lambda context: 'shared')

        def work(number):
            with pp.Session(mode=MODE) as own:
                own.Proc('double', lambda context: 2 * number)
                return own.wait('double'), shared.wait('shared')

        if __name__ == '__main__':
            shared.wait('shared')
            with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('{method}')) as pool:
                print(list(pool.map(work, range(3))))
        """,
        mode,
    )
    assert (ran.returncode, ran.stdout) == (0, "[(0, 'shared'), (2, 'shared'), (4, 'shared')]\n"), ran.stderr


@MODES
def test_a_session_made_inside_a_proc_is_one_of_its_own_and_the_modules_is_not_for_it(
    program: RunProgram, mode: str
) -> None:
    ran = program(
        """
        pp.set_options(mode=MODE)

        @pp.Proc
        def outer(context):
            with pp.Session(mode=MODE) as session:
                session.Proto('square::[number]', lambda context, number: int(number) ** 2)
                return session.wait('square::3', 'square::4')

        @pp.Proc
        def wrong(context):
            return pp.wait('outer')

        print(pp.wait(outer))
        try:
            pp.wait(wrong)
        except pp.ProcessError as error:
            print(error.failures['wrong'])
        """,
        mode,
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert said[0] == "{'square::3': 9, 'square::4': 16}"
    assert said[1].startswith('UserError: parproc.wait was called inside a running proc')


def test_asyncio_goes_on_while_a_thread_of_it_waits(program: RunProgram) -> None:
    ran = program("""
        import asyncio

        @pp.Proc
        async def fetch(context):
            begun()
            with open('go') as fifo:
                return fifo.read()

        async def main():
            waiting = asyncio.create_task(asyncio.to_thread(pp.wait, fetch))
            with await asyncio.to_thread(open, 'begun') as fifo:
                fifo.read(1)
            ticks = [await asyncio.sleep(0, number) for number in range(3)]
            with open('go', 'w') as fifo:
                fifo.write('fetched')
            print(ticks, await waiting)

        os.mkfifo('go')
        asyncio.run(main())
    """)
    assert (ran.returncode, ran.stdout) == (0, '[0, 1, 2] fetched\n'), ran.stderr
