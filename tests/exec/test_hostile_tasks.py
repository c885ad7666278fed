"""Whatever a task does to itself, to what it raises and to what it returns, it ends with a proper reason."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

import pytest

from parproc.context import ProcContext
from parproc.core.model import ErrorKind, ProcState
from tests.exec.conftest import Bench

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')

RAISED = [SystemExit(0), SystemExit(), KeyboardInterrupt(), GeneratorExit(), RuntimeError('no'), MemoryError()]


def strange(base: type, *methods: str, error: BaseException) -> type[Any]:
    """A class whose ``methods`` raise."""

    def raises(*_arguments: object) -> NoReturn:
        raise error

    body = {name: property(raises) if name == '__class__' else raises for name in methods}
    return type('Strange', (base,), {'__module__': __name__, '__qualname__': 'Strange', **body})


def ids(value: object) -> str:
    return repr(value) if isinstance(value, BaseException) else str(value)


@pytest.mark.parametrize('error', RAISED, ids=ids)
@pytest.mark.parametrize('method', ['__str__', '__repr__', '__reduce__', '__class__', '__eq__', '__hash__', '__len__'])
def test_an_exception_that_raises_when_it_is_looked_at_fails_the_task(
    bench: Bench, method: str, error: BaseException
) -> None:
    kind = strange(Exception, method, error=error)

    def call(context: ProcContext) -> None:
        raise kind('text')

    outcome, _ = bench.run(call)
    assert (outcome.state, outcome.error) == (ProcState.FAILED, ErrorKind.EXCEPTION)
    assert outcome.reason.startswith('Strange')
    assert 'Traceback' in bench.log() and 'in call' in bench.log() and 'Strange' in bench.log()


@pytest.mark.parametrize('error', RAISED, ids=ids)
@pytest.mark.parametrize('where', ['alone', 'in a list', 'as a key', 'as a key beside a lock'])
@pytest.mark.parametrize('method', ['__reduce__', '__reduce_ex__', '__getstate__', '__class__', '__repr__', '__len__'])
def test_a_result_that_raises_when_it_is_looked_at_never_hangs_and_never_loses_its_reason(
    bench: Bench, method: str, where: str, error: BaseException
) -> None:
    import threading

    kind = strange(object, method, error=error)
    values: dict[str, Callable[[], object]] = {
        'alone': kind,
        'in a list': lambda: [kind()],
        'as a key': lambda: {kind(): 1},
        'as a key beside a lock': lambda: {kind(): threading.Lock()},
    }
    outcome, value = bench.run(lambda context: values[where]())
    assert (outcome.state, value) == (ProcState.FAILED, None)
    assert outcome.error in {ErrorKind.NOT_PICKLABLE, ErrorKind.SIGNAL}
    assert 'not picklable' in outcome.reason or isinstance(error, KeyboardInterrupt)


class Exits(SystemExit):
    @property
    def code(self) -> NoReturn:  # type: ignore[override]
        raise SystemExit(0)


class Equal:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ('code', 'reason'),
    [
        (256, 'exit 256'),
        (-1, 'exit -1'),
        (512 + 7, 'exit 519'),
        (2**200, 'exit with a number too large for an exit code'),
        (10**5000, 'exit with a number too large for an exit code'),
        (True, 'exit 1'),
        (1.5, 'exit 1'),
        (0.0, 'exit 1'),
        ('', 'exit 1'),
        ('no database', 'exit 1'),
        (Equal(), 'exit 1'),
        ((1, 2), 'exit 1'),
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) or value < 10**6 else 'huge',
)
def test_an_exit_code_is_told_as_it_is(bench: Bench, code: Any, reason: str) -> None:
    outcome, _ = bench.run(lambda context: sys.exit(code))
    assert (outcome.state, outcome.error, outcome.reason) == (ProcState.FAILED, ErrorKind.EXIT, reason)


def test_an_exit_whose_code_cannot_be_had_is_a_failure(bench: Bench) -> None:
    def call(context: ProcContext) -> None:
        raise Exits

    assert bench.run(call)[0].error is ErrorKind.EXIT
    assert bench.run(lambda context: sys.exit(False), 'false')[0].state is ProcState.SUCCEEDED


def use_up_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    try:
        while True:
            os.open('/dev/null', os.O_RDONLY)
    except OSError:
        return


def change_root(folder: str) -> None:
    os.mkdir(folder)
    os.chroot(folder)
    os.chdir('/')


def leave_its_folder(folder: str) -> None:
    os.mkdir(folder)
    os.chdir(folder)
    os.rmdir(folder)


def exchange(module: ModuleType, *names: str) -> None:
    def broken(*_arguments: object, **_keywords: object) -> NoReturn:
        raise SystemExit(0)

    for name in names:
        setattr(module, name, broken)


def exchange_all() -> None:
    import builtins
    import json
    import pickle
    import traceback

    exchange(os, '_exit', 'write', 'open', 'close', 'stat', 'fstat', 'getpid', 'kill')
    exchange(json, 'dumps', 'loads', 'JSONEncoder')
    exchange(traceback, 'format_exception', 'TracebackException')
    exchange(builtins, 'print', 'open', 'isinstance', 'issubclass', 'len', 'str', 'type', 'super', 'set', 'map', 'min')
    assert pickle


def exit_well(*_arguments: object) -> NoReturn:
    raise SystemExit(0)


DAMAGES: dict[str, Callable[[str], object]] = {
    'each step traced': lambda folder: sys.settrace(exit_well),
    'descriptors used up': lambda folder: use_up_descriptors(),
    'root changed': change_root,
    'folder removed': leave_its_folder,
    'no modules': lambda folder: sys.modules.clear(),
    'no path': lambda folder: sys.path.clear(),
    'everything exchanged': lambda folder: exchange_all(),
    'streams closed': lambda folder: (sys.stdout.close(), sys.stderr.close()),
    'streams exchanged': lambda folder: vars(sys).update(stdout=None, stderr=open(os.devnull, 'w')),
    'errors led elsewhere': lambda folder: os.dup2(os.open(os.devnull, os.O_WRONLY), 2),
    'standard library gone': lambda folder: os.environ.update(PYTHONHOME='/nowhere'),
}


@pytest.mark.parametrize('damage', DAMAGES)
@pytest.mark.parametrize('fails', [False, True])
def test_a_task_that_damages_its_process_loses_neither_result_nor_traceback(
    bench: Bench, damage: str, fails: bool
) -> None:
    if damage == 'root changed' and os.geteuid():
        pytest.skip('only root may')

    def call(context: ProcContext) -> object:
        DAMAGES[damage](str(bench.folder / 'elsewhere'))
        if fails:
            raise ValueError('in the end')
        return {'a': [1, 'x' * 1000]}

    outcome, value = bench.run(call)
    if fails:
        assert (outcome.error, outcome.reason) == (ErrorKind.EXCEPTION, 'ValueError: in the end')
        assert 'Traceback' in bench.log() and 'in call' in bench.log() and 'ValueError: in the end' in bench.log()
        assert 'Error' not in bench.log().replace('ValueError', '')
    else:
        assert (outcome.error, value) == (None, {'a': [1, 'x' * 1000]})
