"""Faults that parproc must survive, each caused for real, through whole runs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from parproc.exec import system
from tests.conftest import Project, Result
from tests.terminal import Terminal

PR_SET_CHILD_SUBREAPER = 36
linux = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')
orphans_come_home = pytest.mark.skipif(not system.LINUX, reason='orphans come home on Linux alone')


def processes_with(mark: str) -> list[int]:
    """Pids of living processes whose command line or environment has ``mark``."""
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / 'cmdline').read_bytes() + (entry / 'environ').read_bytes()
                state = (entry / 'stat').read_text().rpartition(')')[2].split()[0]
            except OSError:
                continue
            if mark.encode() in text and state != 'Z':
                found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def reasons(session_script: Result) -> dict[str, str]:
    """Name -> reason, from a script that prints them."""
    return dict(re.findall(r'^(\w+): (.*)$', session_script.out, re.MULTILINE))


REPORT = """
        pp.wait_for_all(exception_on_failure=False)
        for name, info in pp.get_procs().items():
            print(f'{name}: {info.state.value} {info.more_info}', flush=True)
"""


def test_every_way_to_end_is_a_result(project: Project) -> None:
    ran = project.script(
        """
        import ctypes, os, sys
        import parproc as pp

        class Strange(Exception):
            def __repr__(self): raise RuntimeError('no repr')
            __str__ = __repr__
        class TwoArguments(Exception):
            def __init__(self, a, b): super().__init__(a)
        class Huge(Exception):
            def __str__(self): return 'x' * 100_000_000

        pp.Proc('kill', lambda c: os.kill(os.getpid(), 9), now=True)
        pp.Proc('segv', lambda c: ctypes.string_at(0), now=True)
        pp.Proc('hard', lambda c: os._exit(0), now=True)
        pp.Proc('hard7', lambda c: os._exit(7), now=True)
        pp.Proc('zero', lambda c: sys.exit(0), now=True)
        pp.Proc('three', lambda c: sys.exit(3), now=True)
        pp.Proc('unpicklable', lambda c: {'a': [lambda: 1]}, now=True)
        pp.Proc('half', lambda c: TwoArguments(1, 2), now=True)
        @pp.Proc('strange', now=True)
        def strange(c): raise Strange()
        @pp.Proc('huge', now=True)
        def huge(c): raise Huge()
        @pp.Proc('closed', now=True)
        def closed(c): os.closerange(0, 3); return 5
        @pp.Proc('skip', now=True)
        def skip(c): raise pp.ProcSkippedError('not here')
        @pp.Proc('clean', now=True)
        def clean(c): raise pp.ProcFailedError('one clean line')
        """
        + REPORT
    )
    found = reasons(ran)
    assert found['kill'].startswith('failed killed by SIGKILL')
    assert found['segv'] == 'failed killed by SIGSEGV'
    assert found['hard'] == 'failed ended without a result'
    assert found['hard7'] == 'failed ended without a result (exit 7)'
    assert found['zero'].startswith('succeeded')
    assert found['three'] == 'failed exit 3'
    assert "['a'][0]" in found['unpicklable'] and 'not picklable' in found['unpicklable']
    assert 'does not unpickle' in found['half']
    assert found['strange'].startswith('failed Strange')
    assert found['huge'].startswith('failed Huge: xxx') and len(found['huge']) < 1000
    assert found['closed'].startswith('succeeded')
    assert found['skip'] == 'skipped not here'
    assert found['clean'] == 'failed one clean line'


@linux
def test_a_timeout_ends_the_whole_session_and_leaves_siblings_alone(project: Project) -> None:
    mark = f'PP_TEST_{os.getpid()}_{random.random()}'
    project.write(
        'tasks.py',
        f"""
        import signal, subprocess, time
        import parproc as pp
        pp.set_options(grace=0.3)
        @pp.Proc('slow', timeout=0.3, env={{'MARK': '{mark}'}})
        def slow(context):
            subprocess.run(['sh', '-c', 'sleep 99 & sleep 99'])
        @pp.Proc('stubborn', timeout=0.3, env={{'MARK': '{mark}'}})
        def stubborn(context):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(99)
        @pp.Proc('healthy')
        def healthy(context):
            time.sleep(1.5)
        """,
    )
    began = time.monotonic()
    ran = project.run('-j3', 'slow', 'stubborn', 'healthy')
    assert time.monotonic() - began < 15
    assert ran.code == 1
    assert ran.err.count('timed out after 0.3 s') >= 2
    assert re.search(r'✓\s+healthy', ran.err)
    assert processes_with(mark) == []


@orphans_come_home
def test_what_a_task_leaves_behind_is_named_and_ended(project: Project) -> None:
    mark = f'PP_TEST_{os.getpid()}_{random.random()}'
    project.write(
        'tasks.py',
        f"""
        import os, subprocess, time
        import parproc as pp
        @pp.Proc('leaky', env={{'MARK': '{mark}'}})
        def leaky(context):
            subprocess.Popen(['sleep', '98'])
            subprocess.Popen(['sleep', '97'], start_new_session=True)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(96)
                os._exit(0)
            os.wait()
        @pp.Proc('other')
        def other(context): pass
        """,
    )
    began = time.monotonic()
    ran = project.run('leaky', 'other')
    assert time.monotonic() - began < 20
    assert ran.code == 0
    assert 'sleep 98' in ran.err and 'sleep 97' in ran.err
    assert processes_with(mark) == []


SLEEPERS = """
    import os, subprocess, time
    import parproc as pp
    @pp.Proto('sleep::[n]', arg_choices={{'n': [1, 2, 3]}}, env={{'MARK': '{mark}'}})
    def sleeper(context, n: int):
        try:
            if os.fork() == 0:
                os.setsid()
                subprocess.run(['sleep', '95'])
                os._exit(0)
            open(f'started-{{n}}', 'w').close()
            subprocess.run(['sleep', '94'])
        finally:
            open(f'finally-{{n}}', 'w').close()
"""


def started(project: Project) -> Callable[[], bool]:
    return lambda: len(list(project.folder.glob('started-*'))) == 3


@linux
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_is_what_parproc_dies_of(project: Project, number: signal.Signals) -> None:
    mark = f'PP_TEST_{os.getpid()}_{random.random()}'
    project.write('tasks.py', SLEEPERS.format(mark=mark))
    process = project.start('-j3', 'sleep::*')
    assert wait_until(started(project))
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == -number
    assert err.count('interrupted') >= 3
    assert 'parproc/exec' not in err
    if number != signal.SIGHUP:
        assert len(list(project.folder.glob('finally-*'))) == 3
    assert processes_with(mark) == []


@linux
def test_a_second_signal_kills_at_once(project: Project) -> None:
    mark = f'PP_TEST_{os.getpid()}_{random.random()}'
    project.write(
        'tasks.py',
        f"""
        import signal, time
        import parproc as pp
        @pp.Proc('deaf', env={{'MARK': '{mark}'}})
        def deaf(context):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            open('started-1', 'w').close()
            time.sleep(99)
        """,
    )
    process = project.start('-o', 'plain', 'deaf')
    began = time.monotonic()
    assert wait_until((project.folder / 'started-1').exists)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while 'SIGINT' not in (line := process.stderr.readline()):
        assert line, 'the run ended'
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert time.monotonic() - began < 8, 'the grace is 10 s'
    assert process.returncode == -signal.SIGINT
    assert processes_with(mark) == []


@linux
def test_kill_9_at_any_moment_leaves_nothing(project: Project) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    mark = f'PP_TEST_{os.getpid()}_{random.random()}'
    project.write('tasks.py', SLEEPERS.format(mark=mark))
    for moment in [*(random.uniform(0.02, 0.6) for _ in range(49)), None]:
        process = project.start('-j3', 'sleep::*')
        if moment is None:
            assert wait_until(started(project))
        else:
            time.sleep(moment)
        process.kill()
        process.communicate(timeout=10)
        assert wait_until(lambda: not processes_with(mark), 5.0), moment
    assert wait_until(no_children)


def no_children() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def test_output_closed_early_stops_the_run_quietly(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import time
        import parproc as pp
        @pp.Proc('talk')
        def talk(context):
            while True:
                print('line' * 1000, flush=True)
                time.sleep(0.001)
        """,
    )
    command = f'{sys.executable} -m parproc talk | head -1 >/dev/null; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ['bash', '-c', command],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.strip() == str(128 + signal.SIGPIPE)
    assert 'Traceback' not in done.stderr


def test_threads_in_the_parent_are_named_and_never_deadlock_children(project: Project) -> None:
    ran = project.script(
        """
        import logging, sys, threading
        import parproc as pp
        logging.basicConfig(stream=sys.stderr, level=logging.INFO)
        stop = threading.Event()
        def chatter():
            while not stop.is_set():
                logging.info('chatter')
        threading.Thread(target=chatter, name='chatterbox', daemon=True).start()
        def work(context):
            logging.warning('from the child')
            print('hello', file=sys.stderr)
            return 1
        for number in range(200):
            pp.Proc(f'work{number}', work, timeout=20)
        pp.start('work*')
        good = pp.wait_for_all()
        stop.set()
        print(good, len(pp.results()))
        """
    )
    assert ran.out.strip() == 'True 200'


def test_a_task_that_reads_stdin_gets_the_end_at_once(project: Project) -> None:
    ran = project.script(
        """
        import os, sys
        import parproc as pp
        @pp.Proc('read', now=True)
        def read(context):
            try:
                os.open('/dev/tty', os.O_RDWR)
            except OSError as error:
                code = error.errno
            return sys.stdin.read(), code, sorted(int(n) for n in os.listdir('/proc/self/fd'))[:3]
        pp.wait_for_all()
        print(pp.results()['read'][:2])
        """
    )
    assert ran.out.strip() == "('', 6)"


@linux
def test_few_descriptors_are_enough_and_none_is_left(project: Project) -> None:
    ran = project.script(
        """
        import os, resource
        import parproc as pp
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
        before = len(os.listdir('/proc/self/fd'))
        for number in range(2000):
            pp.Proc(f'p{number}', lambda context: len(os.listdir('/proc/self/fd')))
        pp.start('p*')
        print(pp.wait_for_all(), max(pp.results().values()) <= 6)
        pp.clear()
        print(len(os.listdir('/proc/self/fd')) - before)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print('no child is left')
        """
    )
    assert ran.out.splitlines() == ['True True', '0', 'no child is left'], ran.err


@linux
def test_large_results_travel_by_file(project: Project) -> None:
    ran = project.script(
        """
        import parproc as pp
        size = 300_000_000
        pp.Proc('big', lambda context: bytes(size))
        for number in range(20):
            pp.Proc(f'use{number}', lambda context: len(context.results['big']), deps=['big'])
        pp.start('use*')
        pp.wait_for_all()
        results = pp.get_procs()
        print(sum(results[f'use{number}'].result for number in range(20)) == 20 * size)
        status = open('/proc/self/status').read()
        print(int(status.split('VmHWM:')[1].split()[0]) < 100_000)
        """
    )
    assert ran.out.splitlines() == ['True', 'True'], ran.err


def test_a_planted_symlink_is_not_followed(project: Project) -> None:
    target = project.folder / 'precious'
    target.write_text('untouched')
    ran = project.script(
        f"""
        import os
        import parproc as pp
        pp.set_options(state_dir='state')
        pp.Proc('a', lambda context: print('overwritten'))
        folder = pp.session.workspace_of(pp.default_session()).running().folder
        os.symlink({str(target)!r}, folder.log_path('a'))
        pp.run('a')
        print(pp.wait_for_all())
        """
    )
    assert ran.out.strip() == 'True'
    assert target.read_text() == 'untouched'


def test_odd_bytes_stay_in_the_log_and_never_act_on_the_screen(project: Project) -> None:
    project.write(
        'tasks.py',
        r"""
        import sys
        import parproc as pp
        @pp.Proc('odd')
        def odd(context):
            sys.stdout.buffer.write(b'\xff\xfe\x00 error \x1b]52;c;aGk=\x07 \x1b[2J [/foo] \x9b2J\n 10%\r 20%\r 30% error\n')
            sys.stdout.flush()
            raise pp.ProcFailedError('\x1b[2J[red]bad[/red]')
        @pp.Proc('other')
        def other(context): pass
        """,
    )
    ran = project.run('odd', 'other')
    assert ran.code == 1
    assert '\x1b' not in ran.err and '\x9b' not in ran.err and '\x00' not in ran.err
    assert '[/foo]' in ran.err and '[red]bad[/red]' in ran.err
    (log,) = project.folder.glob('.parproc/runs/*/logs/odd.log')
    assert log.read_bytes().startswith(b'\xff\xfe\x00 error \x1b]52;c;aGk=\x07')


@linux
def test_a_third_signal_leaves_even_when_tasks_cannot_be_killed(project: Project) -> None:
    project.write(
        'script.py',
        """
        import time
        import parproc as pp
        from parproc.exec.processes.executor import ProcessExecutor
        ProcessExecutor.kill = lambda self, name, signal: None
        @pp.Proc('deaf', now=True)
        def deaf(context):
            open('started-1', 'w').close()
            time.sleep(99)
        pp.wait_for_all()
        """,
    )
    process = subprocess.Popen([sys.executable, 'script.py'], cwd=project.folder, env=project.environment())
    assert wait_until((project.folder / 'started-1').exists)
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert process.returncode == -signal.SIGINT


def states(pids: Iterable[int]) -> set[str]:
    return {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] for pid in pids}


@linux
def test_ctrl_z_stops_the_tasks_too_and_counts_for_no_timeout(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import os, time
        import parproc as pp
        @pp.Proc('patient', timeout=1.0)
        def patient(context):
            open('pid', 'w').write(str(os.getpid()))
            while not os.path.exists('go'):
                time.sleep(0.01)
        """,
    )
    environment = project.environment(PS1='$ ', TERM='xterm', PYTHON=sys.executable)
    with Terminal(['bash', '--norc', '--noprofile', '-i'], cwd=project.folder, env=environment) as terminal:
        terminal.wait_for('$')
        terminal.type('"$PYTHON" -m parproc patient; echo ended:$?\n')
        pid = project.folder / 'pid'
        terminal.wait_for(lambda _: pid.exists() and bool(pid.read_text()))
        pid_number = int(pid.read_text())
        terminal.type('\x1a')
        terminal.wait_for('Stopped')
        assert wait_until(lambda: states([pid_number]) == {'T'})
        time.sleep(1.2)
        (project.folder / 'go').touch()
        terminal.type('fg; echo "code is $?"\n')
        assert 'timed out' not in terminal.wait_for('code is 0')


def test_steps_of_the_clock_change_no_timeout_and_no_duration(project: Project) -> None:
    ran = project.script(
        """
        import itertools, time
        real, steps = time.time, itertools.cycle([3600.0, -3600.0])
        time.time = lambda: real() + next(steps)
        import parproc as pp
        pp.Proc('quick', lambda context: time.sleep(0.1), timeout=20, now=True)
        pp.Proc('slow', lambda context: time.sleep(20), timeout=0.2, now=True)
        began = time.monotonic()
        pp.wait_for_all(exception_on_failure=False)
        assert time.monotonic() - began < 15
        for name, info in pp.get_procs().items():
            print(name, info.state.value, 0.1 <= info.end_time - info.start_time < 10)
        """
    )
    assert ran.out.splitlines() == ['quick succeeded True', 'slow failed True'], ran.err


@pytest.mark.parametrize('code', ['EAGAIN', 'ENOMEM'])
def test_a_system_short_of_processes_or_memory_gets_fewer_at_a_time(project: Project, code: str) -> None:
    ran = project.script(
        f"""
        import errno, os, time
        import parproc as pp
        from parproc.exec.supervision import ownership
        real, running = os.fork, [0]
        def fork():
            if len(ownership.living) >= 3:
                running[0] += 1
                raise OSError(errno.{code}, os.strerror(errno.{code}))
            return real()
        os.fork = fork
        for number in range(40):
            pp.Proc(f'p{{number}}', lambda context: time.sleep(0.01) or 1)
        pp.start('p*')
        print(pp.wait_for_all(), sum(pp.results().values()), running[0] > 0)
        """
    )
    assert ran.out.strip() == 'True 40 True', ran.err


def test_a_task_that_can_never_be_started_fails_with_the_reason(project: Project) -> None:
    ran = project.script(
        """
        import errno, os
        import parproc as pp
        pp.Proc('first', lambda context: 1, now=True)
        pp.wait('first')
        def fork():
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        os.fork = fork
        pp.Proc('p', lambda context: 1, now=True)
        print(pp.wait_for_all(exception_on_failure=False), pp.get_procs()['p'].more_info)
        """
    )
    assert ran.out.startswith('False') and 'Cannot allocate memory' in ran.out, ran.err


@linux
def test_a_full_disk_fails_no_task_for_its_log(project: Project) -> None:
    state = project.folder / 'state'
    state.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', str(state)], check=False)
    if mounted.returncode:
        pytest.skip('no file system may be mounted here')
    try:
        ran = project.script(
            """
            import sys
            import parproc as pp
            pp.set_options(state_dir='state/inner')
            @pp.Proto('talk::[n]', arg_choices={'n': [1, 2, 3]})
            def talk(context, n):
                for number in range(20_000):
                    print('a line that fills the disk before long')
                sys.stderr.write('and more')
                return n
            pp.run('talk::*')
            print(pp.wait_for_all(exception_on_failure=False), pp.results())
            """
        )
    finally:
        subprocess.run(['umount', '-l', str(state)], check=True)
    assert ran.out.strip() == "True {'talk::1': 1, 'talk::2': 2, 'talk::3': 3}", ran.err


@linux
def test_a_full_disk_changes_no_exit_code_of_the_command_line(project: Project) -> None:
    project.write('parproc.toml', '[proc.a]\nrun = "true"\n[proc.b]\nrun = "exit 3"\n')
    state = project.folder / '.parproc'
    state.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(state)], check=False)
    if mounted.returncode:
        pytest.skip('no file system may be mounted here')
    try:
        with contextlib.suppress(OSError), (state / 'filler').open('wb', buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        good, bad = project.run('-o', 'plain', 'a'), project.run('-o', 'plain', 'a', 'b')
    finally:
        subprocess.run(['umount', '-l', str(state)], check=True)
    assert (good.code, bad.code) == (0, 1), (good.err, bad.err)
    assert 'Traceback' not in good.err + bad.err and good.err.count('warning:') <= 2


@linux
@pytest.mark.parametrize('limit', [10, 11, 12, 13, 15, 18, 22, 30])
def test_hardly_any_descriptors_end_in_clear_lines(project: Project, limit: int) -> None:
    project.write('parproc.toml', '[proc.a]\nrun = "true"\n[proc.b]\nrun = "true"\n')
    project.write('tasks.py', 'import parproc as pp\npp.Proc("f", lambda context: 1)\n')
    done = subprocess.run(
        ['bash', '-c', f'ulimit -n {limit}; exec {sys.executable} -m parproc -o plain a b f'],
        cwd=project.folder,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode in {0, 1, 2}, done.stderr
    assert 'bug in parproc' not in done.stderr and 'Traceback' not in done.stderr
    if done.returncode == 1:
        assert 'could not start: ' in done.stderr and 'oo many open files' in done.stderr
