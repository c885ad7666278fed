"""mode='single': one task after the other, functions in this very process, for debugging."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from parproc.context import ProcContext
from parproc.core.model import Outcome
from parproc.exec.child.outcomes import enter_directory, judge, perform, prepare
from parproc.exec.messages import question, remark
from parproc.exec.process_globals import ProcessGlobals
from parproc.exec.protocol import Answer, Asked, Ended, FunctionResolver, Job, Report, Warned
from parproc.values.encoding import EncodedResult

Ask: TypeAlias = Callable[[Asked], Answer]


class InProcessExecutor:
    """Runs each job inside ``start``; see :class:`parproc.exec.protocol.Executor`.

    A task has the program's own standard streams: what it prints goes where the program's prints go, and it can be
    debugged. What it finds around it beside, and leaves changed, is exchanged with the program's own.

    Args:
        post: takes reports.
        functions: finds the functions that jobs name.
        ask: answers a question of a task; the engine goes on, nested, until it has the answer.
    """

    def __init__(self, post: Callable[[Report], None], functions: FunctionResolver, ask: Ask) -> None:
        self._post = post
        self._functions = functions
        self._ask = ask
        self._warned = False

    def start(self, job: Job) -> None:
        """Run ``job`` to its end and post it."""
        if job.untimed and not self._warned:
            self._warned = True
            self._post(Warned(f'mode single keeps no timeout of functions ("{job.name}"), but with isolated=True'))
        try:
            outcome, result, params_read = self._run(job)
        except BaseException as error:  # a signal while the task's streams, environment or directory are exchanged
            outcome, result, params_read = judge(error), None, None
        self._post(Ended(job.name, outcome, result, params_read))

    def _run(self, job: Job) -> tuple[Outcome, EncodedResult | None, frozenset[str] | None]:
        function, name_of = self._functions.call(job.name), self._functions.name_of
        prepare()
        process_globals = ProcessGlobals(job.environment)
        channel = InlineChannel(job.name, self._post, self._ask, process_globals)
        context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel, name_of)
        params = context.params

        def call(context: ProcContext) -> object:
            if job.directory is not None:
                enter_directory(job.directory)
            return function(context)

        process_globals.enter()
        try:
            outcome, result = perform(call, context, job.result_paths)
        finally:
            process_globals.leave()
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


class InlineChannel:
    """A line to an engine in the same process."""

    def __init__(self, name: str, post: Callable[[Report], None], ask: Ask, process_globals: ProcessGlobals) -> None:
        self._name = name
        self._post = post
        self._ask = ask
        self._process_globals = process_globals

    def ask(self, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Ask, and let the engine go on until there is an answer."""
        self._process_globals.leave()
        try:
            return self._ask(question(self._name, verb, arguments))
        finally:
            self._process_globals.enter()

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Pass a remark on."""
        self._post(remark(self._name, verb, arguments))
