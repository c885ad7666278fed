"""mode='single': every task in this very process, one after the other, for debugging."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TextIO, TypeAlias

from parproc.context import ProcContext
from parproc.exec.outcomes import perform
from parproc.exec.protocol import Ended, Job, Logged, Progressed, Report, Warned
from parproc.values import EncodedResult

Answer: TypeAlias = 'tuple[Mapping[str, object], Mapping[str, EncodedResult]]'


class InProcessExecutor:
    """Runs each job inside ``start``; see :class:`parproc.exec.protocol.Executor`.

    Args:
        post: takes reports.
        ask: answers a question of a task; the engine goes on, nested, until it has the answer.
    """

    def __init__(self, post: Callable[[Report], None], ask: Callable[[str, str, Mapping[str, object]], Answer]) -> None:
        self._post = post
        self._ask = ask

    def start(self, job: Job) -> None:
        """Run ``job`` to its end and post it."""
        channel = InlineChannel(job.name, self._post, self._ask)
        context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel)
        with ExitStack() as stack:
            stack.callback(os.chdir, os.getcwd())
            environment = dict(os.environ)
            stack.callback(_restore_environment, environment)
            self._redirect(job, stack)
            os.environ.update(job.environment)
            if job.directory is not None:
                os.chdir(job.directory)
            outcome, result = perform(job, context)
        self._post(Ended(job.name, outcome, result))

    def kill(self, name: str, signal: int) -> None:
        """Do nothing: a task in this process ends by itself or with it."""

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Do nothing: answers go back through ``ask``."""

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _redirect(self, job: Job, stack: ExitStack) -> None:
        """Put the log on descriptors 1 and 2 until ``stack`` unwinds."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        try:
            log = os.open(job.log_path, flags, 0o600)
        except OSError as error:
            self._post(Warned(f'the log of "{job.name}" cannot be written: {error.strerror}'))
            log = os.open(os.devnull, os.O_WRONLY)
        if job.attempt > 1:
            os.write(log, f'--- attempt {job.attempt} of {job.attempts} ---\n'.encode())
        stack.callback(os.close, log)
        flush_streams()
        stack.callback(_restore_streams, (sys.stdout, sys.stderr))
        for descriptor in (1, 2):
            saved = os.dup(descriptor)
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, descriptor)
            os.dup2(log, descriptor)
        options = {'encoding': 'utf-8', 'errors': 'backslashreplace', 'buffering': 1, 'closefd': False}
        sys.stdout = open(1, 'w', **options)  # type: ignore[call-overload]  # noqa: SIM115
        sys.stderr = open(2, 'w', **options)  # type: ignore[call-overload]  # noqa: SIM115
        stack.callback(flush_streams)


class InlineChannel:
    """A line to an engine in the same process."""

    def __init__(
        self, name: str, post: Callable[[Report], None], ask: Callable[[str, str, Mapping[str, object]], Answer]
    ) -> None:
        self._name = name
        self._post = post
        self._ask = ask

    def ask(self, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Ask, and let the engine go on until there is an answer."""
        return self._ask(self._name, verb, arguments)

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Pass a remark on."""
        if verb == 'log':
            self._post(Logged(self._name, str(arguments['message'])))
        else:
            fraction = arguments['fraction']
            self._post(
                Progressed(self._name, fraction if isinstance(fraction, float) else None, str(arguments['message']))
            )


def flush_streams() -> None:
    """Flush the standard streams."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _restore_streams(streams: tuple[TextIO, TextIO]) -> None:
    sys.stdout, sys.stderr = streams


def _restore_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
