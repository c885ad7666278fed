"""The fork executor, with each way a child can behave caused for real."""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from parproc.context import ProcContext
from parproc.core.model import ErrorKind, Location, ProcState
from parproc.errors import ProcFailedError, ProcNoChangeError, ProcSkippedError, UserError
from parproc.exec import system
from parproc.exec.protocol import CreateAsked, Ended, Logged, Progressed, StartAsked, StartError, WaitAsked, Warned
from parproc.exec.supervision import process_table
from parproc.exec.wire import ChildChannel, frame
from parproc.host import descriptors
from parproc.values.encoding import encode
from parproc.values.results import Results
from tests.exec.conftest import Bench

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')
orphans_come_home = pytest.mark.skipif(not system.LINUX, reason='orphans come home on Linux alone')
GROUPED = {'background', 'ignores signals'}


def raises(error: BaseException) -> Callable[[ProcContext], NoReturn]:
    def call(context: ProcContext) -> NoReturn:
        raise error

    return call


class Strange(Exception):
    def __str__(self) -> str:
        raise RuntimeError('no text')

    __repr__ = __str__


class Huge(Exception):
    def __str__(self) -> str:
        return 'x' * 100_000_000


# --- how a task ends ------------------------------------------------------------------------------------------------


def test_a_function_that_returns_hands_on_its_value(bench: Bench) -> None:
    outcome, value = bench.run(lambda context: {'name': context.proc_name, 'list': [1, 2]})
    assert outcome.state is ProcState.SUCCEEDED and outcome.error is None
    assert value == {'name': 'task', 'list': [1, 2]}
    assert outcome.usage is not None and outcome.usage.memory > 1_000_000


@pytest.mark.parametrize(
    ('call', 'kind', 'reason'),
    [
        (raises(ValueError('bad value\nmore')), ErrorKind.EXCEPTION, 'ValueError: bad value'),
        (raises(KeyError()), ErrorKind.EXCEPTION, 'KeyError'),
        (raises(ProcFailedError('one clean line')), ErrorKind.FAILED, 'one clean line'),
        (raises(UserError('unknown proc')), ErrorKind.USER_ERROR, 'UserError: unknown proc'),
        (raises(KeyboardInterrupt()), ErrorKind.SIGNAL, 'killed by SIGINT'),
        (lambda context: sys.exit(3), ErrorKind.EXIT, 'exit 3'),
        (lambda context: sys.exit('message'), ErrorKind.EXIT, 'exit 1'),
        (lambda context: os._exit(0), ErrorKind.NO_RESULT, 'ended without a result'),
        (lambda context: os._exit(7), ErrorKind.NO_RESULT, 'ended without a result (exit 7)'),
        (lambda context: os.kill(os.getpid(), signal.SIGKILL), ErrorKind.SIGNAL, 'killed by SIGKILL'),
        (lambda context: os.kill(os.getpid(), signal.SIGTERM), ErrorKind.SIGNAL, 'killed by SIGTERM'),
        (lambda context: os.kill(os.getpid(), signal.SIGUSR1), ErrorKind.SIGNAL, 'killed by SIGUSR1'),
        (lambda context: ctypes.string_at(0), ErrorKind.SIGNAL, 'killed by SIGSEGV'),
        (raises(Strange()), ErrorKind.EXCEPTION, 'Strange: <Strange that cannot be printed: RuntimeError>'),
        (lambda context: {'a': [threading.Lock()]}, ErrorKind.NOT_PICKLABLE, "result['a'][0] is a _thread.lock"),
    ],
)
def test_whatever_a_task_does_is_an_outcome(
    bench: Bench, call: Callable[..., object], kind: ErrorKind, reason: str
) -> None:
    outcome, _ = bench.run(call)
    assert (outcome.state, outcome.error) == (ProcState.FAILED, kind)
    assert reason in outcome.reason
    assert outcome.retry is (kind is not ErrorKind.USER_ERROR)


@pytest.mark.parametrize('status', [None, 0])
def test_leaving_with_success_is_success(bench: Bench, status: int | None) -> None:
    outcome, _ = bench.run(lambda context: sys.exit(status))
    assert outcome.state is ProcState.SUCCEEDED


def test_skipped_and_unchanged(bench: Bench) -> None:
    assert bench.run(raises(ProcSkippedError('not here')), 'a')[0].state is ProcState.SKIPPED
    assert bench.ended('a').outcome.reason == 'not here'
    outcome, _ = bench.run(raises(ProcNoChangeError()), 'b')
    assert (outcome.state, outcome.reason) == (ProcState.SUCCEEDED, 'no change')


def test_a_traceback_has_the_users_frames_only_and_names_the_place(bench: Bench) -> None:
    def inner() -> NoReturn:
        raise ValueError('here')

    outcome, _ = bench.run(lambda context: inner())
    log = bench.log()
    assert 'Traceback' in log and 'in inner' in log and 'outcomes.py' not in log
    assert outcome.location == Location(__file__, inner.__code__.co_firstlineno + 1)


def test_a_place_inside_the_library_is_told_as_the_users_line(bench: Bench) -> None:
    def inner() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(['/nowhere/at/all'], check=False)

    outcome, _ = bench.run(lambda context: inner())
    assert outcome.location == Location(__file__, inner.__code__.co_firstlineno + 1)


def test_huge_messages_are_bounded(bench: Bench) -> None:
    outcome, _ = bench.run(raises(Huge()))
    assert outcome.reason.startswith('Huge: xxx') and len(outcome.reason) < 1000
    assert len(bench.log()) < 1_000_000

    def chained(context: ProcContext) -> None:
        try:
            raise Huge  # noqa: TRY301 - it is what the task does
        except Huge:
            raise ValueError('small') from None

    assert bench.run(chained, 'chained')[0].reason == 'ValueError: small'


def test_a_crash_leaves_a_python_stack_in_the_log(bench: Bench) -> None:
    bench.run(lambda context: ctypes.string_at(0))
    assert 'Segmentation fault' in bench.log() and 'test_fork.py' in bench.log()


@pytest.mark.parametrize('fails', [False, True])
def test_a_task_that_closes_the_descriptors_there_may_be_loses_nothing(bench: Bench, fails: bool) -> None:
    def call(context: ProcContext) -> object:
        os.closerange(0, 101)
        return 1 / (not fails)

    outcome, value = bench.run(call)
    if fails:
        assert outcome.reason == 'ZeroDivisionError: division by zero'
        assert 'in call' in bench.log() and 'ZeroDivisionError' in bench.log()
    else:
        assert (outcome.error, value) == (None, 1.0)


def test_a_task_that_closes_everything_there_can_be_still_ends(bench: Bench) -> None:
    outcome, _ = bench.run(lambda context: os.closerange(0, 100_000))
    assert outcome.error is ErrorKind.NO_RESULT


def test_an_exception_is_told_where_the_standard_streams_are_broken(bench: Bench) -> None:
    def call(context: ProcContext) -> None:
        sys.stderr = sys.stdout = None
        raise ValueError('still told')

    assert bench.run(call)[0].reason == 'ValueError: still told'
    assert 'ValueError: still told' in bench.log()


def test_a_forked_copy_of_the_task_that_comes_back_counts_for_nothing(bench: Bench) -> None:
    def call(context: ProcContext) -> str:
        if os.fork() == 0:
            return 'copy'
        os.wait()
        return 'original'

    assert bench.run(call)[1] == 'original'


def test_threads_of_the_task_are_waited_for(bench: Bench) -> None:
    def call(context: ProcContext) -> str:
        threading.Timer(0.1, print, ['late']).start()
        return 'early'

    assert bench.run(call)[1] == 'early'
    assert bench.log() == 'late\n'


# --- what a task finds ----------------------------------------------------------------------------------------------


def test_a_task_finds_a_clean_process(bench: Bench) -> None:
    def call(context: ProcContext) -> dict[str, object]:
        return {
            'descriptors': sorted(int(entry) for entry in os.listdir('/proc/self/fd')),
            'stdin': sys.stdin.read(),
            'session': os.getsid(0) == os.getpid(),
            'mask': len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
            'handlers': [int(n) for n in signal.valid_signals() if callable(signal.getsignal(n))],
            'ignored': [int(n) for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN],
            'wakeup': signal.set_wakeup_fd(-1),
            'name': os.environ['PARPROC_NAME'],
            'directory': os.getcwd(),
        }

    previous = [signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)]
    ignored = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    program = {int(entry) for entry in os.listdir('/proc/self/fd')} - set(descriptors.owned())
    try:
        outcome, found = bench.run(call, directory=str(bench.folder))
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1), previous, strict=True):
            signal.signal(number, handler)
        signal.signal(signal.SIGTSTP, ignored)
    assert outcome.error is None, outcome
    assert len(set(found['descriptors']) - program) == 2  # its channel, and the listing itself
    assert len(program - set(found['descriptors'])) <= 1, 'all that the program had, but that first listing'
    assert found['stdin'] == '' and found['session'] and found['mask'] == 0 and found['wakeup'] == -1
    assert found['handlers'] == sorted((signal.SIGINT, signal.SIGTERM))
    assert found['ignored'] == sorted((signal.SIGPIPE, signal.SIGXFSZ))
    assert found['name'] == 'task' and found['directory'] == os.path.realpath(bench.folder)


def test_there_is_no_terminal_to_open(bench: Bench) -> None:
    def call(context: ProcContext) -> int | None:
        try:
            os.open('/dev/tty', os.O_RDWR)
        except OSError as error:
            return error.errno
        return None

    assert bench.run(call)[1] == errno.ENXIO


def test_signals_let_finally_blocks_run_once(bench: Bench) -> None:
    ready = bench.folder / 'ready'

    def call(context: ProcContext) -> None:
        try:
            ready.touch()
            time.sleep(60)
        finally:
            time.sleep(0.2)  # a second delivery of the same signal would end this early
            print('cleaned up', flush=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        name = signal.Signals(number).name
        ready.unlink(missing_ok=True)
        bench.start(name, call)
        bench.until(ready.exists)
        bench.executor.kill(name, number)
        outcome = bench.ended(name).outcome
        assert (outcome.error, outcome.reason) == (ErrorKind.SIGNAL, f'killed by {name}')
        assert bench.log(name) == 'cleaned up\n'


def test_a_signal_at_any_moment_of_a_short_life_is_an_outcome(bench: Bench) -> None:
    for index in range(60):
        name = f'task{index}'
        bench.start(name, lambda context: sum(range(1000)))
        time.sleep(index / 60 * 0.012)
        bench.executor.kill(name, signal.SIGTERM)
        outcome = bench.ended(name).outcome
        assert outcome.state is ProcState.SUCCEEDED or outcome.reason == 'killed by SIGTERM', outcome


def test_output_goes_to_the_log_and_nothing_of_the_parents(bench: Bench) -> None:
    def call(context: ProcContext) -> None:
        print('print')
        sys.stdout.buffer.write(b'\xff\x00 bytes\n')
        sys.stdout.flush()
        print('\udcff', file=sys.stderr)
        subprocess.run(['echo', 'command'], check=True)
        logging.getLogger('parproc-test').warning('logging')

    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger('parproc-test').addHandler(handler)
    sys.stdout.write('unfinished line of the parent')
    try:
        outcome, _ = bench.run(call)
    finally:
        logging.getLogger('parproc-test').removeHandler(handler)
    assert outcome.error is None
    log = (bench.folder / 'task.log').read_bytes()
    assert log == b'print\n\xff\x00 bytes\n\\udcff\ncommand\nlogging\n'


def test_each_attempt_has_its_section(bench: Bench) -> None:
    bench.run(lambda context: print('first'), 'task')
    bench.reports.clear()
    bench.run(lambda context: print('second'), 'task', attempt=2)
    assert bench.log() == 'first\n--- attempt 2 of 2 ---\nsecond\n'


def test_a_log_that_cannot_be_opened_is_a_warning(bench: Bench) -> None:
    (bench.folder / 'target').write_text('')
    (bench.folder / 'task.log').symlink_to(bench.folder / 'target')
    outcome, value = bench.run(lambda context: print('text') or 5)
    assert outcome.error is None and value == 5
    assert [report.message for report in bench.reports if isinstance(report, Warned)]
    assert (bench.folder / 'target').read_text() == ''


def test_a_working_directory_that_is_not_there_is_one_clean_line(bench: Bench) -> None:
    outcome, _ = bench.run(lambda context: 1, directory='/nowhere/at/all')
    assert outcome.reason == 'working directory /nowhere/at/all: No such file or directory'


def test_results_are_there(bench: Bench) -> None:
    results = Results({'a': encode([1, 2], (str(bench.folder / 'a'),)), 'b': encode('text', ())})
    assert bench.run(lambda context: dict(context.results), results=results)[1] == {'a': [1, 2], 'b': 'text'}


# --- talking --------------------------------------------------------------------------------------------------------


def test_questions_and_remarks(bench: Bench) -> None:
    def call(context: ProcContext) -> object:
        context.log('hello')
        context.progress(2, 'half')
        names = context.start('a', ['b'])
        context.wait(*names)
        return names, dict(context.results)

    bench.start('task', call)
    asked = bench.asked('task')
    assert asked == StartAsked('task', ('a', 'b'))
    bench.executor.reply('task', {'names': ['a', 'b']}, {})
    bench.until(lambda: isinstance(bench.asked('task'), WaitAsked))
    bench.executor.reply('task', {'names': ['a', 'b'], 'failed': {}}, {'a': encode(1, ())})
    assert bench.ended('task').outcome.error is None
    assert Logged('task', 'hello') in bench.reports and Progressed('task', 1.0, 'half') in bench.reports
    bench.executor.reply('task', {'names': []}, {})
    bench.executor.kill('task', signal.SIGTERM)


def test_a_task_that_does_not_read_its_answer_blocks_nobody(bench: Bench) -> None:
    bench.start('deaf', lambda context: len(context.start('a')[0]))
    bench.asked('deaf')
    bench.executor.kill('deaf', signal.SIGSTOP)
    begin = time.monotonic()
    bench.executor.reply('deaf', {'names': ['x' * 3_000_000]}, {})
    assert bench.run(lambda context: 'other', 'other')[1] == 'other'
    assert time.monotonic() - begin < 5
    bench.executor.kill('deaf', signal.SIGCONT)
    assert bench.value_of(bench.ended('deaf')) == 3_000_000


def said(kind: bytes, value: object) -> bytes:
    return frame(kind, json.dumps(value).encode())


def asked(verb: str, **arguments: object) -> bytes:
    return said(b'A', {'verb': verb, 'arguments': arguments})


def told(verb: str, **arguments: object) -> bytes:
    return said(b'T', {'verb': verb, 'arguments': arguments})


def end(**fields: object) -> bytes:
    whole = {'state': 'FAILED', 'error': 'EXCEPTION', 'reason': 'r', 'location': None, 'retry': True}
    return said(b'O', {**whole, **fields})


@pytest.mark.parametrize(
    'data',
    [
        *(b'A\xff\xff\xff\xff' + b'nonsense' * 10, b'Z\x00\x00\x00\x00', frame(b'A', b'{'), frame(b'A', b'\xff\xfe')),
        *(frame(b'A', b'[' * 100_000), said(b'A', []), said(b'A', {'verb': 'start'}), said(b'A', {'arguments': {}})),
        *(asked('destroy'), asked('start', names='abc'), asked('start', names=[1]), asked('wait', names=None)),
        *(asked('create', name=5, proc_name=None, args={}), asked('create', name='a', proc_name=[], args={})),
        *(asked('create', name='a', proc_name=None, args={'x': [1]}), asked('input', message='m', password='yes')),
        asked('wait', names=['a']) + asked('wait', names=['a']),
        *(told('log', message=3), told('progress', fraction=7, message=''), told('progress', fraction='x', message='')),
        *(told('shout', message=''), said(b'T', 5), said(b'J', {'answer': {}}), frame(b'F', b'/etc/passwd')),
        *(end(state='RUNNING'), end(state='SUCCEEDED'), end(error=None), end(error='DEPENDENCY_FAILED')),
        *(end(reason=['r']), end(location=[1, 'x']), end(location='here'), end(retry='no'), end(state='NOPE')),
    ],
)
def test_what_is_no_message_fails_its_task_and_nothing_else(bench: Bench, data: bytes) -> None:
    def call(context: ProcContext) -> str:
        assert isinstance(context._channel, ChildChannel)
        context._channel.send(data)
        time.sleep(0.02)
        return 'went well'

    outcome, value = bench.run(call)
    assert (outcome.error, value) == (ErrorKind.NO_RESULT, None)
    assert outcome.reason.startswith('misused its line to the run')
    assert len(bench.reports) == 1 + data.startswith(asked('wait', names=['a']))
    assert bench.run(lambda context: 1, 'other')[1] == 1


def test_what_a_message_may_hold_is_passed_on(bench: Bench) -> None:
    def call(context: ProcContext) -> None:
        context.log('\ud800 lone')
        context.progress(None, 'm')
        context.create('a', 'b', number=1, flag=True, text='t')

    bench.start('task', call)
    assert bench.asked('task') == CreateAsked('task', 'a', 'b', {'number': 1, 'flag': True, 'text': 't'})
    assert bench.reports[:2] == [Logged('task', '\\ud800 lone'), Progressed('task', None, 'm')]
    bench.executor.reply('task', {'names': []}, {})
    assert bench.ended('task').outcome.error is None


def test_a_question_broken_off_is_not_answered_by_the_answer_to_another(bench: Bench) -> None:
    def call(context: ProcContext) -> str | None:
        with pytest.raises(KeyboardInterrupt):
            context.start('a')
        try:
            context.start('b')
        except UserError as error:
            return str(error)
        return None

    bench.start('task', call)
    bench.asked('task')
    bench.executor.kill('task', signal.SIGINT)
    ended = bench.ended('task')
    assert ended.outcome.error is None


# --- what is left behind --------------------------------------------------------------------------------------------


def daemon_without_exec(path: Path) -> None:
    """Fork twice, start a session, and stay, as daemons do."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            path.write_text(str(os.getpid()))
            time.sleep(99)
        os._exit(0)
    os.wait()
    while not path.exists() or not path.read_text():
        time.sleep(0.005)


LEAVERS = {
    'background': lambda path: subprocess.Popen(['sleep', '99']),
    'own session': lambda path: subprocess.Popen(['setsid', 'sleep', '99']),
    'double fork': lambda path: subprocess.run(['sh', '-c', '(setsid sleep 99 &) & (sleep 98 &)'], check=True),
    'ignores signals': lambda path: subprocess.Popen(['sh', '-c', 'trap "" TERM HUP INT; sleep 99; sleep 98']),
    'daemon': daemon_without_exec,
}


@pytest.mark.parametrize(
    'kind', [kind if kind in GROUPED else pytest.param(kind, marks=orphans_come_home) for kind in LEAVERS]
)
def test_what_is_left_behind_is_named_and_ended(bench: Bench, kind: str) -> None:
    mark = f'PARPROC_RUN_ID={bench.run_id}'.encode()

    def call(context: ProcContext) -> None:
        LEAVERS[kind](bench.folder / 'pid')
        time.sleep(0.1)

    begin = time.monotonic()
    outcome, _ = bench.run(call)
    assert time.monotonic() - begin < 15
    assert outcome.state is ProcState.SUCCEEDED
    assert outcome.leaked and all('(pid ' in text for text in outcome.leaked)
    alive = process_table.read_table().processes
    assert not [process_table.describe(pid) for pid in alive if mark in process_table.environment_of(pid)]
    if kind == 'daemon':  # its environment, as the system tells it, is that of the tests
        assert int((bench.folder / 'pid').read_text()) not in alive


def test_leavers_of_a_killed_task_are_ended_without_ado(bench: Bench) -> None:
    def call(context: ProcContext) -> None:
        subprocess.Popen(['setsid', 'sh', '-c', f'echo $$ > {bench.folder}/pid; exec sleep 99'])
        time.sleep(60)

    bench.start('task', call)
    bench.until(lambda: (bench.folder / 'pid').exists() and (bench.folder / 'pid').read_text().strip())
    bench.executor.kill('task', signal.SIGKILL)
    outcome = bench.ended('task').outcome
    assert (outcome.reason, outcome.leaked) == ('killed by SIGKILL', ())
    assert not bench.alive(int((bench.folder / 'pid').read_text()))


def test_a_living_neighbours_processes_are_left_alone(bench: Bench) -> None:
    def long(context: ProcContext) -> bool:
        child = subprocess.Popen(['setsid', 'sleep', '99'])
        (bench.folder / 'ready').touch()
        while not (bench.folder / 'stop').exists():
            time.sleep(0.01)
        running = child.poll() is None
        child.kill()
        child.wait()
        return running

    bench.start('long', long)
    bench.until((bench.folder / 'ready').exists)
    for index in range(5):
        assert not bench.run(lambda context: os.kill(os.getpid(), 9), f'short{index}')[0].leaked
    (bench.folder / 'stop').touch()
    ended = bench.ended('long')
    assert ended.outcome.leaked == () and ended.outcome.error is None
    assert bench.value_of(ended) is True


@pytest.mark.parametrize('own_session', [False, True])
def test_processes_the_program_starts_by_itself_are_left_alone(bench: Bench, own_session: bool) -> None:
    before = subprocess.Popen(['sleep', '99'], start_new_session=own_session)
    bench.start('long', lambda context: time.sleep(0.3))
    meanwhile = subprocess.Popen(['sleep', '99'], start_new_session=own_session)
    quick = subprocess.Popen(['sh', '-c', 'exit 5'], start_new_session=own_session)
    try:
        bench.run(lambda context: None, 'short')
        bench.ended('long')
        assert quick.wait(10) == 5
        assert before.poll() is None and meanwhile.poll() is None
    finally:
        for process in (before, meanwhile):
            process.kill()
            process.wait()


@orphans_come_home
def test_where_only_tasks_start_processes_a_daemon_cannot_hide(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(exclusive=True)

    def call(context: ProcContext) -> None:
        subprocess.run(['sh', '-c', 'env -i setsid sleep 99 & env -i setsid sleep 98 &'], check=True)
        time.sleep(0.1)

    assert len(bench.run(call)[0].leaked) == 2


@pytest.mark.skipif(system.LINUX, reason='it is found as soon as its task ends')
def test_what_cannot_be_found_at_once_is_ended_when_nothing_runs_any_more(bench: Bench) -> None:
    bench.run(lambda context: bool(subprocess.Popen(['setsid', 'sleep', '99'], start_new_session=True)))
    bench.executor.close()
    (warning,) = [report.message for report in bench.reports if isinstance(report, Warned)]
    assert 'sleep 99 (pid ' in warning
    entry = f'PARPROC_RUN_ID={bench.run_id}'.encode()
    assert not process_table.carriers(entry, process_table.read_table().processes.keys())


def test_the_end_is_seen_though_a_grandchild_keeps_the_output(bench: Bench) -> None:
    def call(context: ProcContext) -> int:
        subprocess.Popen(['sleep', '99'], stdout=1, stderr=2, close_fds=False)
        return 1

    begin = time.monotonic()
    assert bench.run(call)[1] == 1
    assert time.monotonic() - begin < 15


def test_closing_ends_what_runs(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()

    def call(context: ProcContext) -> None:
        line = f'sleep 99 & touch begun-{context.proc_name}; sleep 99'
        subprocess.run(['sh', '-c', line], check=True, cwd=bench.folder)

    for index in range(3):
        bench.start(f'task{index}', call)
    bench.until(lambda: len(list(bench.folder.glob('begun-*'))) == 3)
    bench.executor.close()
    assert len([report for report in bench.reports if isinstance(report, Ended)]) == 3
    bench.executor.close()


def test_it_can_be_used_again_after_closing(bench: Bench) -> None:
    assert bench.run(lambda context: 1, 'a')[1] == 1
    bench.executor.close()
    assert bench.run(lambda context: 2, 'b')[1] == 2


# --- scarcity -------------------------------------------------------------------------------------------------------


def test_no_descriptor_to_be_had_is_scarcity_and_leaks_none(bench: Bench) -> None:
    bench.run(lambda context: None, 'first')
    before = len(os.listdir('/proc/self/fd'))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(StartError) as caught:
            bench.start('second', lambda context: None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.scarce
    assert len(os.listdir('/proc/self/fd')) == before
    assert bench.run(lambda context: 1, 'third')[1] == 1


@pytest.mark.parametrize(
    'place', ['fork', pytest.param('pidfd_open', marks=pytest.mark.skipif(not system.LINUX, reason='not asked'))]
)
def test_a_refusal_of_the_system_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    bench.run(lambda context: None, 'first')
    before, children = len(os.listdir('/proc/self/fd')), bench.own_children()

    def refuse(*arguments: object) -> NoReturn:
        raise OSError(errno.EAGAIN, 'Resource temporarily unavailable')

    with monkeypatch.context() as patch:
        patch.setattr(os, place, refuse)
        with pytest.raises(StartError) as caught:
            bench.start('second', lambda context: time.sleep(60))
    assert caught.value.scarce
    assert len(os.listdir('/proc/self/fd')) == before and bench.own_children() == children


def test_at_most_three_descriptors_a_task(bench: Bench) -> None:
    bench.run(lambda context: None, 'first')
    before = len(os.listdir('/proc/self/fd'))
    for index in range(10):
        bench.start(f'task{index}', lambda context: time.sleep(0.3))
    assert len(os.listdir('/proc/self/fd')) - before <= 30
    for index in range(10):
        bench.ended(f'task{index}')
    assert len(os.listdir('/proc/self/fd')) == before


def test_without_pidfds_the_signal_tells(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object) -> NoReturn:
        raise OSError(errno.ENOSYS, 'Function not implemented')

    monkeypatch.setattr(os, 'pidfd_open', missing)
    previous = signal.getsignal(signal.SIGCHLD)
    begin = time.monotonic()
    for index in range(20):
        bench.start(f'task{index}', lambda context: time.sleep(0.05))
    for index in range(20):
        assert bench.ended(f'task{index}').outcome.error is None
    assert time.monotonic() - begin < 10
    bench.executor.close()
    assert signal.getsignal(signal.SIGCHLD) is previous


def test_memory_kills_are_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    kills = iter([3, 4])
    monkeypatch.setattr(system, 'out_of_memory_kills', lambda: next(kills))
    outcome, _ = bench.run(lambda context: os.kill(os.getpid(), 9))
    assert outcome.reason == 'killed by SIGKILL (likely out of memory)'


# --- threads in the parent ------------------------------------------------------------------------------------------


def test_threads_are_named_once_and_deadlock_nobody(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(exclusive=True)
    stop = threading.Event()
    logger = logging.getLogger('parproc-threads')
    logger.propagate = False
    handlers: list[logging.Handler] = [
        logging.FileHandler(bench.folder / 'program.log'),
        logging.StreamHandler(sys.stderr),
    ]
    for handler in handlers:
        logger.addHandler(handler)

    def chatter() -> None:
        while not stop.is_set():
            logger.warning('x' * 100)

    def call(context: ProcContext) -> None:
        logger.warning('child')
        print('out')

    thread = threading.Thread(target=chatter, name='chatter')
    thread.start()
    try:
        for index in range(60):
            bench.start(f'task{index}', call)
            assert bench.ended(f'task{index}').outcome.error is None
            assert sorted(bench.log(f'task{index}').split()) == ['child', 'out']
    finally:
        stop.set()
        thread.join()
        for handler in handlers:
            logger.removeHandler(handler)
        handlers[0].close()
    warnings = [report.message for report in bench.reports if isinstance(report, Warned)]
    assert len(warnings) == 1 and '"chatter"' in warnings[0]
    assert (bench.folder / 'program.log').read_text().count('child\n') == 60


@pytest.mark.skipif(not hasattr(os, 'waitid'), reason='this system does not tell')
def test_a_child_is_stopped_or_running_or_gone() -> None:
    child = subprocess.Popen(['sleep', '60'])
    assert not system.is_stopped(child.pid)
    child.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 10
    while not system.is_stopped(child.pid):
        assert time.monotonic() < deadline
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not system.is_stopped(child.pid), 'it has ended, and is not reaped yet'
    child.wait()
    assert not system.is_stopped(child.pid)


def test_where_python_forks_no_more_at_its_end_a_task_still_has_its_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> NoReturn:
        raise RuntimeError("can't fork at interpreter shutdown")

    bench.start('first', lambda context: 1)  # so that there is a reaper, as there is in a program by then
    assert bench.ended('first').outcome.error is None
    monkeypatch.setattr(os, 'fork', refuse)
    bench.start('late', lambda context: (os.getpid(), threading.active_count()))
    ended = bench.ended('late')
    assert bench.value_of(ended) == (bench.value_of(ended)[0], 1)
    assert bench.value_of(ended)[0] != os.getpid()
