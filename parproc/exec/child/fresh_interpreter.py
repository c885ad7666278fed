"""A new interpreter in the place of a forked child: for functions that must have nothing of their program's memory."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from parproc.core.model import ErrorKind, Outcome, failure
from parproc.errors import UserError
from parproc.exec import system
from parproc.exec.cpython import AF_UNIX, SOCK_STREAM, socket
from parproc.exec.protocol import FunctionPlace, Job
from parproc.exec.wire import ChildChannel
from parproc.host import descriptors
from parproc.values.results import Results

MAIN = '__mp_main__'
START = (
    'import sys; sys.path[:] = {path!r}; sys.argv[:] = {argv!r}; '
    'from parproc.fresh_main import main; main({channel}, {message})'
)


@dataclass(frozen=True, slots=True)
class FreshJob:
    """A job as a new interpreter is told of it.

    Args:
        place: where it finds the function.
        job: what to run, without what travels as bytes.
        values: arguments, params and what followed ``--``, pickled: they are read once the function's module is there.
        results: name -> result, as it travels.
    """

    place: FunctionPlace
    job: Job
    values: bytes
    results: dict[str, Any]


def place_of(function: Callable[..., object], declared: str) -> FunctionPlace:
    """Return where a new interpreter finds a function.

    Args:
        function: as it was declared.
        declared: the name it is declared as.

    Raises:
        UserError: when it is in no file that can be read again.
    """
    name = getattr(function, '__module__', None) or '__main__'
    module = sys.modules.get(name)
    path = getattr(module, '__file__', None)
    if path is None:
        raise UserError(
            f'"{declared}": isolated="fresh" needs a function of a file, not of {name}',
            hint='put it into a module that can be imported',
        )
    if name == '__main__':
        sys.modules.setdefault(MAIN, sys.modules[name])  # as what it returns names its classes
        name = MAIN
    spec = getattr(module, '__spec__', None)
    own_path = os.path.abspath(path) if spec is None or name == MAIN else None
    return FunctionPlace(name, own_path, getattr(function, '__qualname__', ''), declared)


def exec_interpreter(job: Job, place: FunctionPlace, channel: ChildChannel) -> Outcome:
    """Let a new interpreter take the place of this process, and run ``job`` there.

    Returns:
        Why it cannot be done.
    """
    try:
        values = pickle.dumps((dict(job.args), dict(job.params), tuple(job.extra_args)), 5)
    except Exception as error:
        reason = f'not picklable: its arguments and params must be, for a new interpreter: {error}'
        return failure(ErrorKind.NOT_PICKLABLE, reason)
    bare = replace(job, args={}, params={}, extra_args=(), results=Results({}))
    message = pickle.dumps(FreshJob(place, bare, values, dict(job.results.encoded)), 5)
    try:
        _exec(message, channel)
    except OSError as error:
        return failure(ErrorKind.NOT_STARTED, f'could not start: {error.strerror}')


def _exec(message: bytes, channel: ChildChannel) -> NoReturn:
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(message)
        file.flush()
        file.seek(0)
        os.set_inheritable(file.fileno(), True)
        os.set_inheritable(channel.descriptor, True)
        start = START.format(path=sys.path, argv=sys.argv, channel=channel.descriptor, message=file.fileno())
        system.restore_signals(())
        os.execv(sys.executable, [sys.executable, '-I', '-c', start])


def read_fresh_job(descriptor: int) -> FreshJob:
    """Return what this new interpreter is told."""
    with open(descriptor, 'rb') as file:
        job: FreshJob = pickle.load(file)
    return job


def take_channel(descriptor: int) -> ChildChannel:
    """Return this process's end of the line to its run."""
    os.set_inheritable(descriptor, False)
    return ChildChannel(socket(AF_UNIX, SOCK_STREAM, 0, descriptors.own(descriptor)))
