"""The seam between the engine and whatever runs tasks: jobs in, reports out.

There is one implementation per way of running (processes of their own, this very process), one that routes jobs to
these, and a scripted fake for the tests. An executor never blocks in ``start`` (but for the in-process one), never
raises into the engine other than :class:`StartError`, and posts exactly one :class:`Ended` for every job it accepted.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from parproc.context import ProcContext
from parproc.core.model import Outcome
from parproc.values.encoding import EncodedResult
from parproc.values.results import Results


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """Where a new interpreter finds a function.

    Args:
        module: its module's name.
        path: the file to run for that, where the module is a script or a task file; None to import it.
        qualname: the function's name within it.
        declared: the name it is declared as, in the default session.
    """

    module: str
    path: str | None
    qualname: str
    declared: str


@dataclass(frozen=True, slots=True)
class TaskRef:
    """Which function a job runs, by name: whoever runs it asks a :class:`FunctionResolver`, and finds it where it is.

    Args:
        name: the task's full name, for the program that declared it and has the function in its memory.
        place: where a new interpreter finds the function; None to run it in a process forked from that program.
    """

    name: str
    place: FunctionPlace | None = None


TaskFunction: TypeAlias = Callable[[ProcContext], object]
NameOf: TypeAlias = Callable[[Callable[..., object]], str]
FoundFunction: TypeAlias = tuple[TaskFunction, NameOf]
"""What runs a user's function with its arguments, and what gives the name that a function is declared as."""


class FunctionResolver(Protocol):
    """Finds the functions of tasks, and what functions are declared as; the catalog of a program is one."""

    def call(self, name: str, /) -> TaskFunction:
        """Return what takes the context and runs the function of the task ``name`` with its arguments."""

    def name_of(self, function: Callable[..., object], /) -> str:
        """Return the name that a function is declared as; raises UserError."""


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt of one task, with all that is needed to run it.

    Args:
        name: the task's name.
        attempt: counted from 1; ``attempts`` is the most there can be.
        function: names the function to run; None where commands are run.
        commands: to be run one after the other as long as they end well, each a program and its arguments.
        args: the task's own arguments.
        params: the run's parameters.
        extra_args: what followed ``--``.
        results: results of the tasks that had finished when this one started, read when asked for.
        log_path: file that receives standard output and error; None where they are the program's own.
        result_paths: files that a large result may be written to, the best place first.
        directory: working directory, None to keep the parent's.
        environment: variables to set on top of the parent's.
        interactive: it talks to whoever sits at the terminal: no log, and no input of its own.
        in_process: the function is called in this very process.
        untimed: it has a timeout, which nobody keeps where it runs.
    """

    name: str
    attempt: int
    attempts: int
    function: TaskRef | None
    args: Mapping[str, object]
    params: Mapping[str, object]
    extra_args: Sequence[str]
    results: Results
    log_path: str | None
    result_paths: tuple[str, ...]
    directory: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[tuple[str, ...], ...] = ()
    interactive: bool = False
    in_process: bool = False
    untimed: bool = False


class StartError(Exception):
    """A job could not be started; ``scarce`` when waiting for others to end may help (EAGAIN, EMFILE, ENOMEM)."""

    def __init__(self, reason: str, *, scarce: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.scarce = scarce


SCARCE = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def start_error(error: OSError) -> StartError:
    """Return what the engine is told when the system refuses."""
    return StartError(error.strerror or str(error), scarce=error.errno in SCARCE)


# --- reports: executor -> engine -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """The job of ``name`` is over and reaped.

    Args:
        name: whose job.
        outcome: how it ended.
        result: None unless it returned.
        params_read: the params that its function looked for; None where it looked at all there are.
    """

    name: str
    outcome: Outcome
    result: EncodedResult | None = None
    params_read: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class CreateAsked:
    """The running task ``name`` wants procs created: ``{"names": [...]}`` answers it.

    Like every question it blocks its task until :meth:`Executor.reply`; an answer of ``{"error": message, "hint":
    hint}`` is raised in the task as a UserError.
    """

    name: str
    target: str
    proc_name: str | None
    args: Mapping[str, str | float | bool]


@dataclass(frozen=True, slots=True)
class StartAsked:
    """The running task ``name`` wants procs scheduled: ``{"names": [...]}`` answers it."""

    name: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitAsked:
    """The running task ``name`` waits for procs: ``{"names": [...], "failed": {name: reason}}``, results beside it."""

    name: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InputAsked:
    """The running task ``name`` wants a line from whoever started the run: ``{"text": str}`` answers it."""

    name: str
    message: str
    hidden: bool


Asked: TypeAlias = CreateAsked | StartAsked | WaitAsked | InputAsked
Answer: TypeAlias = tuple[Mapping[str, object], Mapping[str, EncodedResult]]
"""What is said to a task that has asked, and the results that it may now read."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """The task said how far it is: ``fraction`` from 0 to 1 or None, and a message."""

    name: str
    fraction: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Logged:
    """The task said something meant for whoever watches the run (it stands in its log already)."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Warned:
    """The executor met something worth one line: a log that could not be opened, processes that had to be ended."""

    message: str


Remark: TypeAlias = Progressed | Logged | Warned
Report: TypeAlias = Ended | Asked | Remark


class Executor(Protocol):
    """Runs jobs. Built with the engine's selector and a ``post`` callback that takes a :data:`Report`."""

    def start(self, job: Job) -> None:
        """Start ``job``. Raises StartError when it could not be started; then no Ended follows."""

    def kill(self, name: str, signal: int) -> None:
        """Send ``signal`` (and SIGCONT) to every process of the task's session; unknown or ended tasks are ignored."""

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer what ``name`` asked, with results it may now read. A task that is gone is ignored."""

    def process_of(self, name: str) -> int | None:
        """Return the process that runs the task's function or command, None where it has none of its own."""

    def close(self) -> None:
        """Release everything, after ending whatever still runs. Idempotent."""
