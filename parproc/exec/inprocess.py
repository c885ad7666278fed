"""mode='single': every task in this very process, one after the other, for debugging."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

from parproc.context import ProcContext, enter_child, inside_child, leave_child
from parproc.core.model import Outcome
from parproc.errors import ProcFailedError
from parproc.exec.outcomes import Terminated, enter_directory, judge, perform
from parproc.exec.protocol import Ended, Job, Logged, Progressed, Report, Warned
from parproc.exec.spawn import UnusableCommandError, run_here
from parproc.exec.streams import flush, make_streams, open_log
from parproc.values import EncodedResult

Answer: TypeAlias = 'tuple[Mapping[str, object], Mapping[str, EncodedResult]]'
Ask: TypeAlias = Callable[[str, str, Mapping[str, object]], Answer]


class InProcessExecutor:
    """Runs each job inside ``start``; see :class:`parproc.exec.protocol.Executor`.

    Args:
        post: takes reports.
        ask: answers a question of a task; the engine goes on, nested, until it has the answer.
    """

    def __init__(self, post: Callable[[Report], None], ask: Ask) -> None:
        self._post = post
        self._ask = ask

    def start(self, job: Job) -> None:
        """Run ``job`` to its end and post it."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        log, warning = (os.dup(1), '') if job.interactive else open_log(job, nothing)
        if warning:
            self._post(Warned(warning))
        try:
            outcome, result = self._run(job, log)
        except BaseException as error:  # a signal on the way into the task's surroundings or out of them
            outcome, result = judge(error), None
        finally:
            for descriptor in {log, nothing}:
                os.close(descriptor)
        self._post(Ended(job.name, outcome, result))

    def _run(self, job: Job, log: int) -> tuple[Outcome, EncodedResult | None]:
        surroundings = Surroundings(log, job.environment)
        channel = InlineChannel(job.name, self._post, self._ask, surroundings)
        context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel)

        def call(context: ProcContext) -> object:
            if job.call is None:
                run_commands(job)
                return None
            if job.directory is not None:
                enter_directory(job.directory)
            return job.call(context)

        surroundings.enter()
        try:
            return perform(call, context, job.result_path)
        finally:
            surroundings.leave()

    def kill(self, name: str, signal: int) -> None:
        """Do nothing: a task in this process ends by itself or with it."""

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Do nothing: answers go back through ``ask``."""

    def close(self) -> None:
        """Do nothing: nothing is held."""


def run_commands(job: Job) -> None:
    """Run a job's commands here, one after the other.

    Raises:
        ProcFailedError: for one that cannot be run.
        SystemExit: for one that did not end well.
    """
    for words in job.commands:
        try:
            status = run_here(words, job.directory)
        except UnusableCommandError as error:
            raise ProcFailedError(error.reason) from None
        if status < 0:
            raise Terminated(-status)
        if status:
            raise SystemExit(status)


class Surroundings:
    """What a task finds around it, exchanged with the program's own: output, environment, working directory.

    Entered and left several times, for the engine goes on in the middle of a task that asks something; what the task
    has changed by then is there again when it goes on.

    Args:
        log: descriptor that takes what is written to 1 and 2.
        environment: variables to set.
    """

    def __init__(self, log: int, environment: Mapping[str, str]) -> None:
        self._log = log
        self._saved = (-1, -1)
        self._was_inside = False
        fresh = make_streams()
        self._streams = (fresh.out or sys.stdout, fresh.err or sys.stderr)
        self._directory = _directory()
        self._environment = {**os.environ, **environment}

    def enter(self) -> None:
        """Go into the task's surroundings."""
        flush((sys.stdout, sys.stderr))
        self._saved = (os.dup(1), os.dup(2))
        os.dup2(self._log, 1)
        os.dup2(self._log, 2)
        self._exchange()
        self._was_inside = inside_child()
        enter_child()

    def leave(self) -> None:
        """Go back to the program's own."""
        if not self._was_inside:
            leave_child()
        flush((sys.stdout, sys.stderr))
        self._exchange()
        for descriptor, saved in zip((1, 2), self._saved, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)

    def _exchange(self) -> None:
        """Put the other streams, environment and directory in place, and keep those that were."""
        streams = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = self._streams
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
            return self._ask(self._name, verb, arguments)
        finally:
            self._surroundings.enter()

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Pass a remark on."""
        if verb == 'log':
            self._post(Logged(self._name, str(arguments['message'])))
        else:
            fraction = arguments['fraction']
            self._post(
                Progressed(self._name, fraction if isinstance(fraction, float) else None, str(arguments['message']))
            )


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
