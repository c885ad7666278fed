"""The in-process executor gives what the fork executor gives, on the program's own terminal, and leaves it as it was."""

from __future__ import annotations

import io
import os
import pdb  # noqa: T100
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from parproc.context import ProcContext, inside_child
from parproc.core.model import ErrorKind, Outcome, ProcState
from parproc.errors import ProcSkippedError
from parproc.exec.in_process import InProcessExecutor
from parproc.exec.protocol import Answer, Asked, Ended, Job, Logged, Progressed, Report, TaskRef, WaitAsked, Warned
from parproc.values.decoding import decode
from parproc.values.encoding import encode
from parproc.values.results import Results
from tests.exec.conftest import Functions


class InProcessRunner:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: list[Report] = []
        self.answers: list[Callable[[Asked], Answer]] = []
        self.functions = Functions()
        self.executor = InProcessExecutor(self.reports.append, self.functions, self.ask)

    def ask(self, asked: Asked) -> Answer:
        return self.answers.pop(0)(asked)

    def run(self, call: Callable[[ProcContext], object], name: str = 'task', **more: Any) -> tuple[Outcome, Any]:
        fields = {
            'args': {},
            'params': {},
            'extra_args': (),
            'results': Results({}),
            'log_path': None,
            'result_paths': (str(self.folder / f'{name}.result'),),
            **more,
        }
        self.functions.by_name[name] = call
        self.executor.start(Job(name, fields.pop('attempt', 1), 2, TaskRef(name), **fields))
        ended = next(report for report in reversed(self.reports) if isinstance(report, Ended) and report.name == name)
        return ended.outcome, None if ended.result is None else decode(ended.result)


@pytest.fixture
def runner(tmp_path: Path) -> InProcessRunner:
    return InProcessRunner(tmp_path)


def test_the_value_is_a_copy_as_from_a_child(runner: InProcessRunner) -> None:
    given = {'a': [1]}
    outcome, value = runner.run(lambda context: given)
    assert outcome.state is ProcState.SUCCEEDED and value == given and value is not given


def test_a_task_has_the_programs_own_streams(runner: InProcessRunner, capfd: pytest.CaptureFixture[str]) -> None:
    streams = sys.stdin, sys.stdout, sys.stderr

    def call(context: ProcContext) -> None:
        assert (sys.stdin, sys.stdout, sys.stderr) == streams
        print('printed', flush=True)
        subprocess.run(['echo', 'command'], check=True)
        print('error', file=sys.stderr)

    print('before')
    assert runner.run(call)[0].error is None
    print('after')
    written = capfd.readouterr()
    assert written.out == 'before\nprinted\ncommand\nafter\n'
    assert written.err == 'error\n'


def test_the_traceback_of_a_failure_stands_on_standard_error(
    runner: InProcessRunner, capfd: pytest.CaptureFixture[str]
) -> None:
    def call(context: ProcContext) -> None:
        raise ValueError('bad')

    runner.run(call)
    trace = capfd.readouterr().err
    assert trace.startswith('Traceback') and trace.endswith('ValueError: bad\n')
    assert 'parproc/exec' not in trace


def test_a_debugger_talks_to_whoever_runs_the_program(
    runner: InProcessRunner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO('p context.proc_name\nc\n'))
    monkeypatch.setattr(sys, 'breakpointhook', lambda: pdb.Pdb(nosigint=True).set_trace(sys._getframe(1)))

    def call(context: ProcContext) -> int:
        breakpoint()  # noqa: T100
        return 1

    assert runner.run(call)[1] == 1
    assert "'task'" in capsys.readouterr().out


def test_other_threads_are_not_inside_the_task(runner: InProcessRunner) -> None:
    def call(context: ProcContext) -> object:
        with ThreadPoolExecutor() as pool:
            return inside_child(), pool.submit(inside_child).result()

    assert runner.run(call)[1] == (True, False)


def test_a_timeout_that_nobody_keeps_is_said_once(runner: InProcessRunner) -> None:
    for name in ('one', 'two'):
        runner.run(lambda context: 1, name, untimed=True)
    said = [report.message for report in runner.reports if isinstance(report, Warned)]
    assert said == ['mode single keeps no timeout of functions ("one"), but with isolated=True']


def test_the_process_is_as_it_was(runner: InProcessRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('KEPT', 'mine')
    monkeypatch.setenv('REMOVED', 'mine')
    before = (os.getcwd(), dict(os.environ), sys.stdout, sys.stderr, sorted(os.listdir('/dev/fd')))

    def call(context: ProcContext) -> object:
        seen = os.environ['GIVEN'], os.getcwd(), inside_child()
        os.environ['KEPT'] = 'changed'
        del os.environ['REMOVED']
        os.environ['NEW'] = '1'
        os.chdir('/')
        sys.stdout = None
        return seen

    _, value = runner.run(call, environment={'GIVEN': '1'}, directory=str(tmp_path))
    assert value == ('1', str(tmp_path), True)
    assert (os.getcwd(), dict(os.environ), sys.stdout, sys.stderr, sorted(os.listdir('/dev/fd'))) == before
    assert not inside_child()


@pytest.mark.parametrize(
    ('error', 'kind', 'reason'),
    [
        (ValueError('bad'), ErrorKind.EXCEPTION, 'ValueError: bad'),
        (SystemExit(3), ErrorKind.EXIT, 'exit 3'),
        (KeyboardInterrupt(), ErrorKind.SIGNAL, 'killed by SIGINT'),
    ],
)
def test_errors_are_outcomes(runner: InProcessRunner, error: BaseException, kind: ErrorKind, reason: str) -> None:
    def call(context: ProcContext) -> None:
        raise error

    outcome, _ = runner.run(call)
    assert (outcome.error, outcome.reason) == (kind, reason)


def test_skipping(runner: InProcessRunner) -> None:
    def call(context: ProcContext) -> None:
        raise ProcSkippedError('why')

    assert runner.run(call)[0].state is ProcState.SKIPPED


def test_what_does_not_pickle_fails_as_in_a_child(runner: InProcessRunner) -> None:
    assert runner.run(lambda context: lambda: 1)[0].error is ErrorKind.NOT_PICKLABLE


def test_a_working_directory_that_is_not_there(runner: InProcessRunner) -> None:
    outcome, _ = runner.run(lambda context: 1, directory='/nowhere/at/all')
    assert outcome.reason == 'working directory /nowhere/at/all: No such file or directory'


def test_remarks(runner: InProcessRunner, capsys: pytest.CaptureFixture[str]) -> None:
    def call(context: ProcContext) -> None:
        context.log('hello')
        context.progress(0.5, 'half')
        context.progress(None)

    runner.run(call)
    assert runner.reports[:3] == [
        Logged('task', 'hello'),
        Progressed('task', 0.5, 'half'),
        Progressed('task', None, ''),
    ]
    assert capsys.readouterr().out == 'hello\n'


def test_while_a_question_is_answered_the_program_has_its_own_surroundings(
    runner: InProcessRunner, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = os.getcwd()

    def answer(asked: Asked) -> Answer:
        assert asked == WaitAsked('outer', ('inner',))
        assert os.getcwd() == home and 'GIVEN' not in os.environ and not inside_child()
        print('progress of the run')
        _, value = runner.run(lambda context: print('inner output') or 7, 'inner')
        return {'names': ['inner'], 'failed': {}}, {'inner': encode(value, ())}

    def call(context: ProcContext) -> object:
        print('one')
        os.environ['MADE'] = 'by the task'
        context.wait('inner')
        print('two')
        return context.results['inner'], os.environ['MADE'], os.environ['GIVEN'], os.getcwd()

    runner.answers.append(answer)
    _, value = runner.run(call, 'outer', environment={'GIVEN': '1'}, directory=str(tmp_path))
    assert value == (7, 'by the task', '1', str(tmp_path))
    assert capfd.readouterr().out == 'one\nprogress of the run\ninner output\ntwo\n'
