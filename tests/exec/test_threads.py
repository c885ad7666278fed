"""Sessions in threads of one program: forks take turns, and nothing that one holds makes another wait for ever."""

from __future__ import annotations

from tests.conftest import Project


def test_a_session_in_each_of_eight_threads_while_others_log_and_fork(project: Project) -> None:
    ran = project.script(
        """
        import concurrent.futures.thread  # has a hook on forks that takes a lock
        import faulthandler, logging, os, subprocess, sys, threading, time
        import parproc as pp

        faulthandler.dump_traceback_later(50, exit=True)
        handler = logging.FileHandler('program.log')
        logging.getLogger().addHandler(handler)
        stop = threading.Event()

        def log():
            while not stop.wait(0.001):
                logging.warning('x' * 100)

        def fork():
            while not stop.wait(0.05):
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
                assert subprocess.run(['sh', '-c', 'exit 5'], start_new_session=True).returncode == 5

        def reconfigure():
            while not stop.wait(0.01):
                with logging._lock:  # as the configuration of logging does
                    handler.acquire()
                    handler.release()

        def work(number):
            with_lock = pp.Session(parallel=4)
            for index in range(50):
                with_lock.Proc(f'p{index}', lambda context, index=index: logging.warning('child') or index * number)
            with_lock.start('p*')
            with_lock.wait_for_all()
            sums[number] = sum(with_lock.results().values())
            with_lock.clear()

        sums, failures = {}, []
        threading.excepthook = lambda info: failures.append(info.exc_value)
        others = [threading.Thread(target=target) for target in (log, fork, reconfigure)]
        workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in others + workers:
            thread.start()
        for thread in workers:
            thread.join()
        stop.set()
        for thread in others:
            thread.join()
        print(failures, sums == {number: number * sum(range(50)) for number in range(8)})
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print('no child is left')
        """
    )
    assert ran.out.splitlines() == ['[] True', 'no child is left'], ran.err[-5000:]
