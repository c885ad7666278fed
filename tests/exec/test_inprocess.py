"""The in-process executor gives what the fork executor gives, and leaves this process as it was."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from parproc.context import inside_child
from parproc.core.model import ErrorKind, ProcState
from parproc.errors import ProcSkippedError
from parproc.exec.inprocess import InProcessExecutor
from parproc.exec.protocol import Ended, Job, Logged, Progressed, Warned
from parproc.values import Results, decode, encode


class Desk:
    def __init__(self, folder):
        self.folder = folder
        self.reports = []
        self.answers = []
        self.executor = InProcessExecutor(self.reports.append, self.ask)

    def ask(self, name, verb, arguments):
        return self.answers.pop(0)(name, verb, arguments)

    def run(self, call, name='task', **more):
        fields = {
            'args': {},
            'params': {},
            'extra_args': (),
            'results': Results({}),
            'log_path': str(self.folder / f'{name}.log'),
            'result_path': str(self.folder / f'{name}.result'),
            **more,
        }
        self.executor.start(Job(name, fields.pop('attempt', 1), 2, call, **fields))
        ended = next(report for report in reversed(self.reports) if isinstance(report, Ended) and report.name == name)
        return ended.outcome, None if ended.result is None else decode(ended.result)

    def log(self, name='task'):
        return (self.folder / f'{name}.log').read_text()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_the_value_is_a_copy_as_from_a_child(desk):
    given = {'a': [1]}
    outcome, value = desk.run(lambda context: given)
    assert outcome.state is ProcState.SUCCEEDED and value == given and value is not given


def test_output_of_the_task_and_of_its_commands_goes_to_the_log(desk, capfd):
    def call(context):
        print('printed')
        subprocess.run(['echo', 'command'], check=True)
        print('error', file=sys.stderr)

    print('before')
    desk.run(call)
    print('after')
    assert desk.log() == 'printed\ncommand\nerror\n'
    assert capfd.readouterr().out == 'before\nafter\n'


def test_the_process_is_as_it_was(desk, monkeypatch, tmp_path):
    monkeypatch.setenv('KEPT', 'mine')
    monkeypatch.setenv('REMOVED', 'mine')
    before = (os.getcwd(), dict(os.environ), sys.stdout, sys.stderr, sorted(os.listdir('/dev/fd')))

    def call(context):
        seen = os.environ['GIVEN'], os.getcwd(), inside_child()
        os.environ['KEPT'] = 'changed'
        del os.environ['REMOVED']
        os.environ['NEW'] = '1'
        os.chdir('/')
        sys.stdout = None
        return seen

    _, value = desk.run(call, environment={'GIVEN': '1'}, directory=str(tmp_path))
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
def test_errors_are_outcomes(desk, error, kind, reason):
    def call(context):
        raise error

    outcome, _ = desk.run(call)
    assert (outcome.error, outcome.reason) == (kind, reason)


def test_skipping(desk):
    def call(context):
        raise ProcSkippedError('why')

    assert desk.run(call)[0].state is ProcState.SKIPPED


def test_what_does_not_pickle_fails_as_in_a_child(desk):
    assert desk.run(lambda context: lambda: 1)[0].error is ErrorKind.NOT_PICKLABLE


def test_a_working_directory_that_is_not_there(desk):
    outcome, _ = desk.run(lambda context: 1, directory='/nowhere/at/all')
    assert outcome.reason == 'working directory /nowhere/at/all: No such file or directory'


def test_a_log_that_cannot_be_opened_is_a_warning(desk):
    (desk.folder / 'task.log').mkdir()
    assert desk.run(lambda context: print('x') or 1)[1] == 1
    assert any(isinstance(report, Warned) for report in desk.reports)


def test_remarks(desk):
    def call(context):
        context.log('hello')
        context.progress(0.5, 'half')
        context.progress(None)

    desk.run(call)
    assert desk.reports[:3] == [Logged('task', 'hello'), Progressed('task', 0.5, 'half'), Progressed('task', None, '')]
    assert desk.log() == 'hello\n'


def test_while_a_question_is_answered_the_program_has_its_own_surroundings(desk, capfd, tmp_path):
    home = os.getcwd()

    def answer(name, verb, arguments):
        assert (name, verb, arguments) == ('outer', 'wait', {'names': ['inner']})
        assert os.getcwd() == home and 'GIVEN' not in os.environ and not inside_child()
        print('progress of the run')
        _, value = desk.run(lambda context: print('inner output') or 7, 'inner')
        return {'names': ['inner'], 'failed': {}}, {'inner': encode(value, '')}

    def call(context):
        print('one')
        os.environ['MADE'] = 'by the task'
        context.wait('inner')
        print('two')
        return context.results['inner'], os.environ['MADE'], os.environ['GIVEN'], os.getcwd()

    desk.answers.append(answer)
    _, value = desk.run(call, 'outer', environment={'GIVEN': '1'}, directory=str(tmp_path))
    assert value == (7, 'by the task', '1', str(tmp_path))
    assert desk.log('outer') == 'one\ntwo\n' and desk.log('inner') == 'inner output\n'
    assert capfd.readouterr().out == 'progress of the run\n'
