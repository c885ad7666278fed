"""Who reads the output: slowly, not at all, not any more, or never could. The run waits for nobody, and says what was lost."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.conftest import Project
from tests.terminal import Terminal

DEADLINE = 30.0
PROJECT = """
    [proc.talk]
    run = "touch talking; exec yes"
    [proc.quiet]
    run = "touch silent; exec sleep 300"
    [proc.good]
    run = "echo one; echo two"
    [proc.more]
    run = "echo three"
    [proc.bad]
    run = "echo before; exit 4"
    [proc.much]
    run = "yes | head -c 3000000; touch over"
    [proc.marks]
    run = "touch ran"
"""
VALUE = """
    import parproc as pp
    @pp.Proc
    def value(context): return 'x' * 1_000_000
"""
SHOWING = ['raw', 'stream', 'group', 'json', 'github', 'plain', 'quiet']
StartProcess: TypeAlias = 'Callable[..., subprocess.Popen[bytes]]'
ON_STDOUT = ['raw', 'stream', 'group', 'json', 'github']


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write('parproc.toml', PROJECT)
    return project


@pytest.fixture
def started(tasks: Project) -> Iterator[StartProcess]:
    """Start parproc, with what is given as its standard streams; what still runs at the end is ended."""
    running: list[subprocess.Popen[bytes]] = []

    def start(
        *arguments: str, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, '-m', 'parproc', *arguments]
        running.append(
            subprocess.Popen(
                command,
                cwd=tasks.folder,
                env=tasks.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def unread() -> Iterator[tuple[int, int]]:
    """A pipe that is full, and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b'.' * 65536):
            pass
    os.set_blocking(writer, True)
    yield reader, writer
    for descriptor in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def there(path: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while not path.exists():
        assert time.monotonic() < deadline, f'no {path.name}'
        time.sleep(0.01)


def shell(tasks: Project, command: str) -> subprocess.CompletedProcess[str]:
    words = f'exec {sys.executable} -m parproc {command}'
    done = subprocess.run(
        ['bash', '-c', words],
        cwd=tasks.folder,
        env=tasks.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 'Traceback' not in done.stderr and 'bug in parproc' not in done.stderr, done.stderr
    return done


def names(mode: str) -> list[str]:
    return ['talk'] if mode == 'raw' else ['talk', 'good', 'bad']


@pytest.mark.parametrize('mode', SHOWING)
def test_a_signal_stops_a_run_whose_output_nobody_reads(
    tasks: Project, started: StartProcess, unread: tuple[int, int], mode: str
) -> None:
    process = started('-o', mode, *names(mode), stdout=unread[1], stderr=unread[1])
    there(tasks.folder / 'talking')
    process.terminate()
    assert process.wait(DEADLINE) == -signal.SIGTERM


@pytest.mark.parametrize('mode', ['raw', 'stream', 'plain'])
def test_the_time_of_a_run_is_over_whoever_reads(started: StartProcess, unread: tuple[int, int], mode: str) -> None:
    process = started('-o', mode, '--timeout', '1s', *names(mode), stdout=unread[1], stderr=unread[1])
    assert process.wait(DEADLINE) == 124


@pytest.mark.parametrize('mode', SHOWING)
def test_output_that_nobody_reads_holds_no_task_back(
    tasks: Project, started: StartProcess, unread: tuple[int, int], mode: str
) -> None:
    process = started(
        '-o', mode, *(['much'] if mode == 'raw' else ['much', 'good', 'bad']), stdout=unread[1], stderr=unread[1]
    )
    there(tasks.folder / 'over')
    process.terminate()
    process.wait(DEADLINE)


@pytest.mark.parametrize('mode', ['raw', 'stream', 'group'])
def test_a_run_that_is_over_waits_for_its_reader_who_gets_all_of_it(
    tasks: Project, started: StartProcess, unread: tuple[int, int], mode: str
) -> None:
    process = started('-o', mode, 'much', stdout=unread[1], stderr=subprocess.DEVNULL)
    os.close(unread[1])
    there(tasks.folder / 'over')
    data = b''
    while more := os.read(unread[0], 1 << 16):
        data += more
    assert process.wait(DEADLINE) == 0
    assert data.count(b'y\n') == 1_500_000


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)])
@pytest.mark.parametrize('arguments', [['much'], ['-o', 'stream', 'much'], ['--print', 'value']])
def test_a_signal_ends_the_wait_for_a_reader(
    tasks: Project,
    started: StartProcess,
    unread: tuple[int, int],
    arguments: list[str],
    number: signal.Signals,
    code: int,
) -> None:
    tasks.write('tasks.py', VALUE)
    reader, writer = os.pipe()
    process = started(*arguments, stdout=unread[1], stderr=writer)
    os.close(writer)
    if 'much' in arguments:
        there(tasks.folder / 'over')
    else:
        with open(reader, 'rb', closefd=False) as lines:
            assert any(line.startswith(b'logs: ') for line in lines)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(number)
    assert process.wait(DEADLINE) == code
    os.close(reader)


def test_lines_that_nobody_reads_are_left_out_and_counted(tmp_path: Path) -> None:
    from parproc.report.streams.sink import Sink
    from parproc.report.streams.sink_stream import SinkStream
    from parproc.report.streams.write_queue import MOST_HELD_BYTES

    reader, writer = os.pipe()
    sink = Sink(writer)
    stream = SinkStream(sink)
    for number in range(3 * MOST_HELD_BYTES // 100):
        stream.write(f'{number:099}\n')
        stream.flush()
    assert sink.pending <= MOST_HELD_BYTES
    lines = b''
    while sink.pending or select.select([reader], [], [], 0)[0]:
        lines += os.read(reader, 1 << 16)
        sink.flush()
    sink.close()
    os.close(writer)
    os.close(reader)
    texts = lines.decode().splitlines()
    (note,) = [text for text in texts if not text.isdigit()]
    numbers = [int(text) for text in texts if text.isdigit()]
    left_out = int(note.split()[1])
    assert note == f'... {left_out} lines left out: nobody read them'
    assert numbers == sorted(numbers) and numbers[-1] == 3 * MOST_HELD_BYTES // 100 - 1
    assert len(numbers) + left_out == 3 * MOST_HELD_BYTES // 100


@pytest.mark.parametrize('mode', SHOWING)
def test_a_reader_that_goes_away_ends_the_run_also_while_nothing_is_written(
    tasks: Project, started: StartProcess, mode: str
) -> None:
    reader, writer = os.pipe()
    process = started('-o', mode, *(['quiet'] if mode == 'raw' else ['quiet', 'good']), stdout=writer)
    os.close(writer)
    there(tasks.folder / 'silent')
    os.close(reader)
    assert process.wait(DEADLINE) == -signal.SIGPIPE


def test_a_reader_that_was_never_there_ends_the_run_before_it_does_anything_long(
    tasks: Project, started: StartProcess
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = started('-o', 'json', 'quiet', 'good', stdout=writer)
    os.close(writer)
    assert process.wait(9.0) == -signal.SIGPIPE  # and not only when the tasks had their grace


@pytest.mark.parametrize('mode', ON_STDOUT)
@pytest.mark.parametrize(('where', 'why'), [('>/dev/full', 'No space left on device'), ('>&-', 'Bad file descriptor')])
def test_output_that_cannot_be_written_fails_the_run_and_stops_no_task(
    tasks: Project, mode: str, where: str, why: str
) -> None:
    done = shell(tasks, f'-o {mode} -j1 good {"" if mode == "raw" else "marks"} {where}')
    assert done.returncode == 1
    assert done.stderr.endswith(f'parproc: write error: {why}\n') and done.stderr.count('write error') == 1
    assert mode == 'raw' or (tasks.folder / 'ran').exists()


def test_a_worse_end_is_not_hidden_by_output_that_cannot_be_written(tasks: Project) -> None:
    done = shell(tasks, '-o stream --timeout 1s quiet good >/dev/full')
    assert done.returncode == 124 and 'write error' in done.stderr


@pytest.mark.parametrize(
    'where', ['>/dev/full', '2>/dev/full', '>&-', '2>&-', '<&-', '<&- >&- 2>&-', '>/dev/full 2>&1']
)
def test_status_lines_that_cannot_be_written_fail_nothing(tasks: Project, where: str) -> None:
    assert shell(tasks, f'-o plain good marks {where}').returncode == 0
    assert (tasks.folder / 'ran').exists()


@pytest.mark.parametrize(
    'listing',
    [
        *('-l', '-l --json', '-l --all', '--show good', '--graph', '--graph dot', '-n good'),
        *('--history', '--history good', '--completion zsh', '--help', '-h -l', '--version', '--version -l'),
        '--print value',
    ],
)
def test_a_listing_that_cannot_be_written_says_so_in_one_line(tasks: Project, listing: str) -> None:
    tasks.write('tasks.py', VALUE)
    tasks.run('good')
    for where in ('>/dev/full', '>&-'):
        done = shell(tasks, f'{listing} {where}')
        lines = done.stderr.splitlines()
        assert done.returncode == 1
        assert lines[-1].startswith('parproc: write error: ')
        assert len(lines) == 1 or listing == '--print value'
    assert shell(tasks, f'{listing} >&- 2>&- <&-').returncode == 1


def test_a_list_needs_no_standard_error(tasks: Project) -> None:
    for where in ('2>&-', '2>/dev/full'):
        done = shell(tasks, f'-l {where}')
        assert done.returncode == 0 and 'good' in done.stdout


@pytest.mark.parametrize('number', [5, 11, 16, 22, 26])
def test_too_few_files_are_told_in_one_line_and_nothing_is_run(tasks: Project, number: int) -> None:
    command = f'ulimit -n {number}; exec {sys.executable} -m parproc'
    for words in ('-l', '--version', 'marks', '-o stream marks good'):
        done = subprocess.run(
            ['bash', '-c', f'{command} {words}'],
            cwd=tasks.folder,
            env=tasks.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            error, hint = done.stderr.splitlines()
            assert done.returncode == 2 and not (tasks.folder / 'ran').exists()
            assert error.startswith('parproc: error: too few files may be open at once')
            assert hint.endswith('ulimit -n 1024')
        else:
            assert number > 16 or words in ('-l', '--version')


def test_an_error_that_cannot_be_written_keeps_its_exit_code(tasks: Project) -> None:
    for where in ('2>/dev/full', '2>&-', '>&- 2>&-'):
        assert shell(tasks, f'nope {where}').returncode == 2


@pytest.mark.parametrize('listing', ['-l', '--help', '--history', '-n good'])
def test_a_listing_that_nobody_reads_any_more_ends_as_any_program_does(
    tasks: Project, started: StartProcess, listing: str
) -> None:
    tasks.run('good')
    reader, writer = os.pipe()
    os.close(reader)
    process = started(*listing.split(), stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert process.communicate(timeout=DEADLINE)[1] == b''
    assert process.returncode == -signal.SIGPIPE


def test_a_name_that_the_output_cannot_spell_is_escaped(tasks: Project) -> None:
    tasks.write('tasks.py', "import parproc as pp\npp.Proc('gr\u00fcn', lambda context: 1)\n")
    for listing in (
        ['-l'],
        ['--show', 'gr\u00fcn'],
        ['--graph'],
        ['-n', 'gr\u00fcn'],
        ['-o', 'stream', 'gr\u00fcn', 'good'],
    ):
        ran = tasks.run(*listing, PYTHONIOENCODING='ascii')
        assert ran.code == 0 and 'Traceback' not in ran.err and (ran.out + ran.err).isascii()


@pytest.mark.parametrize('key', ['\x03', None])
def test_a_terminal_that_is_stopped_stops_no_signal(tasks: Project, key: str | None) -> None:
    command = [sys.executable, '-m', 'parproc', '-j3', 'talk', 'good', 'quiet']
    with Terminal(command, cwd=tasks.folder, env=tasks.environment(TERM='xterm')) as screen:
        screen.wait_for('2 running')
        screen.type('\x13')
        if key is None:
            os.kill(screen.pid, signal.SIGTERM)
            deadline = time.monotonic() + DEADLINE
            while not os.waitid(os.P_PID, screen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        else:
            screen.type(key)
        assert screen.finish() == (-signal.SIGTERM if key is None else -signal.SIGINT)


def test_a_question_on_a_terminal_that_is_stopped_holds_nothing_up(tasks: Project) -> None:
    tasks.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc
        def asks(context):
            open('asking', 'w').close()
            return context.get_input('word', password=True)
        @pp.Proc
        def other(context): open('other', 'w').close()
        """,
    )
    command = [sys.executable, '-m', 'parproc', '-j2', 'asks', 'other']
    with Terminal(command, cwd=tasks.folder, env=tasks.environment(TERM='xterm')) as screen:
        screen.type('\x13')
        there(tasks.folder / 'asking')
        there(tasks.folder / 'other')
        screen.type('\x11')
        screen.wait_for('asks: word')
        screen.type('secret\n')
        assert screen.finish() == 0
        assert 'secret' not in screen.text()


def test_the_last_words_wait_for_a_terminal_that_goes_on(tasks: Project) -> None:
    with Terminal(
        [sys.executable, '-m', 'parproc', 'marks', 'good'], cwd=tasks.folder, env=tasks.environment(TERM='xterm')
    ) as screen:
        screen.type('\x13')
        there(tasks.folder / 'ran')
        with contextlib.suppress(AssertionError):
            screen.wait_for('2 succeeded', 3.0)
            raise RuntimeError('the terminal was not stopped')
        screen.type('\x11')
        screen.wait_for('2 succeeded')
        assert screen.finish() == 0
