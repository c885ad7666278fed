"""mode='single' through a session: functions in this process, what is isolated, and commands, in their own."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import pytest

from parproc import ProcContext, ProcessError, Session
from parproc.core.model import ErrorKind
from tests.conftest import Project

DEADLINE = 30
TIMEOUT = 'print("begun", flush=True); import time; time.sleep(60)'


@pytest.fixture
def session() -> Iterator[Session]:
    """A session whose waits end, if only by an exception."""

    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise AssertionError('it takes too long')

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(DEADLINE)
    made = Session(mode='single', grace=0.2)
    yield made
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    made.clear()


def test_only_what_is_isolated_runs_in_a_process_of_its_own(session: Session) -> None:
    session.Proc('here', lambda context: os.getpid())
    session.Proc('apart', lambda context: os.getpid(), isolated=True)
    session.wait('here', 'apart')
    results = session.results()
    assert results['here'] == os.getpid() != results['apart']


def test_the_output_of_isolated_procs_is_the_programs_and_there_is_no_log(
    session: Session, capfd: pytest.CaptureFixture[str]
) -> None:
    def write(context: ProcContext) -> str:
        print('out')
        print('err', file=sys.stderr)
        return sys.stdin.read()

    session.Proc('apart', write, isolated=True)
    session.wait('apart')
    written = capfd.readouterr()
    assert (written.out, written.err) == ('out\n', 'err\n')
    assert session.results()['apart'] == ''
    assert session.get_procs()['apart'].log_filename is None


def test_the_output_of_commands_is_the_programs(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        [proc.a]
        run = [["echo", "out"], "echo err >&2; exit 3"]
        [proc.b]
        run = "echo never"
        deps = ["a"]
        """,
    )
    ran = project.run('--mode', 'single', 'b')
    assert (ran.code, ran.out) == (1, 'out\n')
    assert ran.err.startswith('▶ a\nerr\n✗ a  FAILED  exit 3')
    assert not list(project.folder.glob('.parproc/runs/*/logs/*'))


def test_a_timeout_is_kept_for_isolated_procs(session: Session) -> None:
    session.Proc('apart', lambda context: time.sleep(60), isolated=True, timeout=0.2)
    with pytest.raises(ProcessError):
        session.wait('apart')
    assert session.get_procs()['apart'].error is ErrorKind.TIMEOUT


def test_a_timeout_is_kept_for_commands(project: Project) -> None:
    project.write(
        'parproc.toml',
        f"""
        [proc.a]
        run = ["{sys.executable}", "-c", '{TIMEOUT}']
        timeout = "300ms"
    """,
    )
    ran = project.run('--mode', 'single', 'a')
    assert ran.code == 1
    assert 'a failed: timed out after 0.3 s' in ran.err


def test_a_timeout_of_a_function_here_ends_nothing_also_while_it_waits(session: Session) -> None:
    @session.Proc('slow', isolated=True)
    def slow(context: ProcContext) -> int:
        time.sleep(0.3)
        return 7

    @session.Proc('here', timeout=0.05)
    def here(context: ProcContext) -> object:
        context.wait('slow')
        return context.results['slow']

    session.wait('here')
    assert session.results()['here'] == 7


def test_isolated_procs_may_wait_for_procs_here_and_the_other_way_round(session: Session) -> None:
    session.Proc('deep', lambda context: [os.getpid()])

    @session.Proc('apart', isolated=True)
    def apart(context: ProcContext) -> list[int]:
        context.wait('deep')
        return [os.getpid(), *context.results['deep']]

    @session.Proc('here')
    def here(context: ProcContext) -> list[int]:
        context.wait('apart')
        return [os.getpid(), *context.results['apart']]

    session.wait('here')
    outer, middle, inner = session.results()['here']
    assert outer == inner == os.getpid() != middle


@pytest.mark.parametrize('asked', [('-o', 'json'), ('--print', 'shown')])
def test_standard_output_carries_only_what_was_asked_for(project: Project, asked: tuple[str, ...]) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('shown')
        def shown(context):
            print('what it says')
            return 42
        @pp.Proc('apart', isolated=True, deps=['shown'])
        def apart(context): print('what it says apart')
        """,
    )
    ran = project.run('--mode', 'single', *asked, 'shown', 'apart')
    lines = [json.loads(line) for line in ran.out.splitlines()]
    if asked[0] == '-o':
        assert lines[-1]['event'] == 'result'
        assert {line['log'] for line in lines if line['event'] == 'finished'} == {None}
    else:
        assert lines == [42]
    assert 'what it says\n' in ran.err and 'what it says apart\n' in ran.err
