"""What a child has of its parent: the program's descriptors, queues, pools and logs, and nothing that is parproc's."""

from __future__ import annotations

import json
import sys

import pytest

from tests.conftest import Project

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')

LISTING = """
import os
def listing():
    found = []
    for entry in os.listdir('/proc/self/fd'):
        try:
            found.append((int(entry), os.readlink(f'/proc/self/fd/{entry}')))
        except OSError:  # the listing itself
            continue
    return found
"""


def test_in_a_program_a_task_has_what_it_opened_and_one_channel(project: Project) -> None:
    ran = project.script(
        LISTING
        + """
import json, sys, threading, time
import parproc as pp
file = open('of-the-program', 'w')
folder = os.open('.', os.O_RDONLY)
reader, writer = os.pipe()
opened = {name for name in listing()}
pp.set_options(parallel=4)
def task(context, n: int):
    if n % 2:
        time.sleep(0.05)
    return listing()
pp.Proto('task::[n]', task, arg_choices={'n': range(12)})
pp.start('task::*')
pp.wait_for_all()
for found in pp.results().values():
    assert {one for one in opened if one[0] > 2} <= set(found), (opened, found)
    own = [one for one in found if one[0] > 2 and one not in opened]
    assert len(own) == 1 and own[0][1].startswith('socket:'), own
pp.clear()
from parproc.host.descriptors import owned
assert owned() == [], owned()
print('good')
"""
    )
    assert ran.out == 'good\n', ran.err


@pytest.mark.parametrize('arguments', [('a', 'b'), ('a',), ('-o', 'stream', 'a', 'b'), ('-o', 'json', 'a', 'b')])
def test_on_the_command_line_a_task_has_what_its_task_file_opened_and_one_channel(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.write(
        'tasks.py',
        LISTING
        + """
import json, multiprocessing
import parproc as pp
file = open('of-the-program', 'w')
queue = multiprocessing.Queue()
pipes = {queue._reader.fileno(), queue._writer.fileno()}
def task(context):
    own = [(n, p) for n, p in listing() if n > 2 and n not in pipes and 'of-the-program' not in p]
    open(context.proc_name + '.json', 'w').write(json.dumps([own, sorted(pipes - {n for n, p in listing()})]))
pp.Proc('a', task)
pp.Proc('b', task)
""",
    )
    for _ in range(2):  # the second time with a history to look at
        ran = project.run(*arguments)
        assert ran.code == 0, ran.err
        for name in [one for one in arguments if one in 'ab']:
            own, missing = json.loads((project.folder / f'{name}.json').read_text())
            assert missing == []
            assert len(own) == 1 and own[0][1].startswith('socket:'), own


def test_what_a_task_puts_into_a_queue_of_the_program_arrives(project: Project) -> None:
    ran = project.script(
        """
        import multiprocessing, threading
        import parproc as pp
        queue, simple = multiprocessing.Queue(), multiprocessing.SimpleQueue()
        queue.put('from the parent')  # its feeder thread runs here, and not in the children
        assert queue.get() == 'from the parent'
        here, there = multiprocessing.Pipe()
        def task(context, n: int):
            for part in range(50):
                queue.put((n, 'x' * 1000, part))
            simple.put(n)
            there.send(n)
        pp.Proto('task::[n]', task, arg_choices={'n': [1, 2, 3]})
        pp.start('task::*')
        found = []
        reader = threading.Thread(target=lambda: found.extend(queue.get(timeout=30) for _ in range(150)))
        reader.start()
        assert pp.wait_for_all()
        reader.join()
        print(len(found), len(set(found)), sorted(simple.get() for _ in range(3)), sorted(here.recv() for _ in range(3)))
        """
    )
    assert ran.out == '150 150 [1, 2, 3] [1, 2, 3]\n', ran.err


def test_a_pool_of_the_program_outlives_its_tasks(project: Project) -> None:
    ran = project.script(
        """
        import multiprocessing, concurrent.futures
        import parproc as pp
        def twice(n): return 2 * n
        if __name__ == '__main__':
            with multiprocessing.Pool(2) as pool, concurrent.futures.ProcessPoolExecutor(1) as executor, \\
                    concurrent.futures.ThreadPoolExecutor(1) as threads:
                assert pool.map(twice, [1]) == [2] and executor.submit(twice, 2).result() == 4
                assert threads.submit(twice, 3).result() == 6
                def task(context):
                    with multiprocessing.Pool(1) as own, concurrent.futures.ThreadPoolExecutor(1) as more:
                        found = own.map(twice, [5]) + [more.submit(twice, 6).result()]
                    left = concurrent.futures.ThreadPoolExecutor(1)  # never shut down
                    found.append(left.submit(twice, 7).result())
                    return found, len(multiprocessing.active_children())
                pp.Proc('a', task)
                pp.Proc('b', task, deps=['a'])
                assert pp.run('b') and pp.wait_for_all(), pp.get_procs()['a'].more_info
                print(pp.results()['b'], pool.map(twice, [4]), executor.submit(twice, 2).result(),
                      threads.submit(twice, 3).result(), len(multiprocessing.active_children()))
        """
    )
    assert ran.out == '([10, 12, 14], 0) [8] 4 6 3\n', ran.err


def test_exit_handlers_of_a_task_run_and_those_of_its_parent_do_not(project: Project) -> None:
    ran = project.script(
        """
        import atexit, os, tempfile, threading, weakref
        import parproc as pp
        folder = tempfile.TemporaryDirectory()
        held = tempfile.TemporaryDirectory()
        atexit.register(held.cleanup)
        atexit.register(print, 'the parent ends')
        class Thing: pass
        thing = Thing()
        weakref.finalize(thing, print, 'a finalizer of the parent')
        names = folder.name, held.name
        def task(context):
            own = tempfile.TemporaryDirectory()
            context.own = own
            task.kept = own
            atexit.register(print, 'registered first', flush=True)
            atexit.register(print, 'registered last', flush=True)
            threading.Thread(target=lambda: print('a thread', flush=True)).start()
            return own.name
        pp.Proc('good', task)
        @pp.Proc('bad')
        def bad(context):
            atexit.register(print, 'also after a failure')
            raise ValueError
        pp.start('good', 'bad')
        pp.wait_for_all(exception_on_failure=False)
        for name in ('good', 'bad'):
            print(name, open(pp.get_procs()[name].log_filename).read().split('\\n'))
        print([os.path.isdir(name) for name in (*names, pp.results()['good'])])
        """
    )
    lines = ran.out.splitlines()
    assert lines[0] == "good ['a thread', 'registered last', 'registered first', '']", ran.err
    assert "'also after a failure'" in lines[1] and 'parent' not in lines[1]
    assert lines[2:] == ['[True, True, False]', 'the parent ends', 'a finalizer of the parent'] or lines[2:] == [
        '[True, True, False]',
        'a finalizer of the parent',
        'the parent ends',
    ]


def test_a_log_of_the_program_goes_on_where_it_was(project: Project) -> None:
    ran = project.script(
        """
        import logging, logging.handlers, os
        import parproc as pp
        handler = logging.FileHandler('program.log', mode='w')
        handler.setFormatter(logging.Formatter('%(processName)s %(process)d %(message)s'))
        memory = logging.handlers.MemoryHandler(100, target=handler)
        quiet = logging.getLogger('quiet')
        quiet.propagate = False
        quiet.addHandler(memory)
        logging.getLogger().addHandler(handler)
        logging.warning('before')
        quiet.warning('held back')
        def task(context):
            logging.warning('in %s', context.proc_name)
            quiet.warning('held back in %s', context.proc_name)
            return os.getpid()
        pp.Proc('a', task)
        pp.Proc('b::c', task, deps=['a'])
        pp.start('b::c')
        pp.wait_for_all()
        logging.warning('after')
        memory.flush()
        pids = {pp.results()['a']: 'A', pp.results()['b::c']: 'B', os.getpid(): 'ME'}
        for line in open('program.log'):
            name, pid, text = line.rstrip().split(' ', 2)
            print(name, pids[int(pid)], text)
        """
    )
    assert ran.out.splitlines() == [
        'MainProcess ME before',
        'a A in a',
        'a A held back in a',
        'b::c B in b::c',
        'b::c B held back in b::c',
        'MainProcess ME after',
        'MainProcess ME held back',
    ], ran.err


def test_a_process_that_a_task_starts_says_its_own_name(project: Project) -> None:
    ran = project.script(
        """
        import logging, multiprocessing, sys
        import parproc as pp
        context = multiprocessing.get_context('fork')
        logging.basicConfig(format='%(processName)s', stream=sys.stdout)
        @pp.Proc('task', now=True)
        def task(_context):
            logging.warning('')
            child = context.Process(target=logging.warning, args=('',), name='worker')
            child.start()
            child.join()
            return multiprocessing.current_process().name
        pp.wait_for_all()
        print(pp.results()['task'], open(pp.get_procs()['task'].log_filename).read().split())
        """
    )
    assert ran.out == "task ['task', 'worker']\n", ran.err
