"""mode='single': one task after the other, functions in this very process, for debugging."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

from parproc.context import ProcContext, enter_inline, inside_child, leave_inline
from parproc.core.model import Outcome
from parproc.exec.child.outcomes import enter_directory, judge, perform, prepare
from parproc.exec.child.streams import flush
from parproc.exec.messages import question, remark
from parproc.exec.protocol import Asked, Ended, Executor, Job, Report, Warned
from parproc.values.encoding import EncodedResult

Answer: TypeAlias = 'tuple[Mapping[str, object], Mapping[str, EncodedResult]]'
Ask: TypeAlias = Callable[[Asked], Answer]


class InProcessExecutor:
    """Runs each job inside ``start``; see :class:`parproc.exec.protocol.Executor`.

    A task has the program's own standard streams: what it prints goes where the program's prints go, and it can be
    debugged. What it finds around it beside, and leaves changed, is exchanged with the program's own.

    Args:
        post: takes reports.
        ask: answers a question of a task; the engine goes on, nested, until it has the answer.
    """

    def __init__(self, post: Callable[[Report], None], ask: Ask) -> None:
        self._post = post
        self._ask = ask
        self._warned = False

    def start(self, job: Job) -> None:
        """Run ``job`` to its end and post it."""
        if job.untimed and not self._warned:
            self._warned = True
            self._post(Warned(f'mode single keeps no timeout of functions ("{job.name}"), but with isolated=True'))
        try:
            outcome, result, params_read = self._run(job)
        except BaseException as error:  # a signal on the way into the task's surroundings or out of them
            outcome, result, params_read = judge(error), None, None
        self._post(Ended(job.name, outcome, result, params_read))

    def _run(self, job: Job) -> tuple[Outcome, EncodedResult | None, frozenset[str] | None]:
        function = job.call
        assert function is not None, 'commands are run in processes of their own'
        prepare()
        surroundings = Surroundings(job.environment)
        channel = InlineChannel(job.name, self._post, self._ask, surroundings)
        context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel, job.name_of)
        params = context.params

        def call(context: ProcContext) -> object:
            if job.directory is not None:
                enter_directory(job.directory)
            return function(context)

        surroundings.enter()
        try:
            outcome, result = perform(call, context, job.result_paths)
        finally:
            surroundings.leave()
        return outcome, result, None if params.read is None else frozenset(params.read)

    def kill(self, name: str, signal: int) -> None:
        """Do nothing: a task in this process ends by itself or with it."""

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Do nothing: answers go back through ``ask``."""

    def process_of(self, name: str) -> int | None:
        """Return None: a task in this process has none of its own."""
        return None

    def close(self) -> None:
        """Do nothing: nothing is held."""


class SingleExecutor:
    """mode='single': functions in this process, what is isolated, and commands, in processes of their own.

    Args:
        here: runs functions.
        processes: makes what runs all else, when it is needed.
    """

    def __init__(self, here: InProcessExecutor, processes: Callable[[], Executor]) -> None:
        self._here = here
        self._make_processes = processes
        self._processes: Executor | None = None

    def start(self, job: Job) -> None:
        """Start ``job``, or run it to its end where it is a function to be called here; raises StartError."""
        if job.in_process:
            self._here.start(job)
            return
        if self._processes is None:
            self._processes = self._make_processes()
        self._processes.start(job)

    def kill(self, name: str, signal: int) -> None:
        """Send a signal to a task that has a process of its own."""
        if self._processes is not None:
            self._processes.kill(name, signal)

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a task that has a process of its own."""
        if self._processes is not None:
            self._processes.reply(name, answer, results)

    def process_of(self, name: str) -> int | None:
        """Return the process of a task that has one."""
        return None if self._processes is None else self._processes.process_of(name)

    def close(self) -> None:
        """End what runs in processes of its own."""
        if self._processes is not None:
            self._processes.close()
            self._processes = None


class Surroundings:
    """What a task finds around it, exchanged with the program's own: environment and working directory.

    Entered and left several times, for the engine goes on in the middle of a task that asks something; what the task
    has changed by then is there again when it goes on. So it is with standard streams that a task has replaced; to begin
    with, they are the program's.

    Args:
        environment: variables to set.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._was_inside = False
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._directory = _directory()
        self._environment = {**os.environ, **environment}

    def enter(self) -> None:
        """Go into the task's surroundings."""
        self._exchange()
        self._was_inside = inside_child()
        enter_inline()

    def leave(self) -> None:
        """Go back to the program's own."""
        if not self._was_inside:
            leave_inline()
        flush((sys.stdout, sys.stderr))
        self._exchange()

    def _exchange(self) -> None:
        """Put the other streams, environment and directory in place, and keep those that were."""
        streams = (sys.stdin, sys.stdout, sys.stderr)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        self._streams = streams
        environment = dict(os.environ)
        _set_environment(self._environment)
        self._environment = environment
        directory = _directory()
        if directory != self._directory:
            os.chdir(self._directory)
            self._directory = directory


class InlineChannel:
    """A line to an engine in the same process."""

    def __init__(self, name: str, post: Callable[[Report], None], ask: Ask, surroundings: Surroundings) -> None:
        self._name = name
        self._post = post
        self._ask = ask
        self._surroundings = surroundings

    def ask(self, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Ask, and let the engine go on until there is an answer."""
        self._surroundings.leave()
        try:
            return self._ask(question(self._name, verb, arguments))
        finally:
            self._surroundings.enter()

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Pass a remark on."""
        self._post(remark(self._name, verb, arguments))


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return '/'


def _set_environment(wished: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wished.keys():
        del os.environ[name]
    for name, value in wished.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
