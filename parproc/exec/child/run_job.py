"""Run a job's function in its process, with signals let in, and end as a program does."""

from __future__ import annotations

import builtins
import dataclasses
import os
import sys
from typing import TextIO

from parproc.context import ProcContext
from parproc.core.model import ErrorKind
from parproc.exec import cpython, system
from parproc.exec.child.finish import JobEnd, say
from parproc.exec.child.outcomes import enter_directory, in_debugger, is_failure, judge, perform
from parproc.exec.protocol import FoundFunction, Job, TaskFunction
from parproc.exec.wire import ChildChannel
from parproc.values.references import Reference

NO_DEBUGGER = "nobody is there to debug it: --mode single, in a program set_options(mode='single')"
# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_getpid = os.getpid
_set_trace, _set_profile = sys.settrace, sys.setprofile


def run_job(
    job: Job,
    found: FoundFunction,
    channel: ChildChannel,
    ends: list[JobEnd],
    marks: cpython.ExitMarks,
    old_streams: tuple[TextIO | None, ...],
) -> None:
    """Let signals in, run the function, and end as a program does: its threads first, then its exit handlers.

    Args:
        job: what to run.
        found: its function.
        channel: to the run.
        ends: takes how the job ended, the last entry counts.
        marks: as :func:`parproc.exec.cpython.begin` gave them.
        old_streams: to be flushed at the end.
    """
    function, name_of = found
    leader = _getpid()
    debugged: list[bool] = []

    def say_here(text: str) -> None:
        say(job, text)

    references: set[Reference] = set()
    context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel, name_of)
    params = context.params
    try:
        outcome, result = perform(_prepared(job, function, debugged), context, job.result_paths, say_here, references)
        if debugged and outcome.error in {ErrorKind.EXCEPTION, ErrorKind.EXIT}:
            outcome = dataclasses.replace(outcome, reason=f'{outcome.reason}: {NO_DEBUGGER}')
        ends.append((job, outcome, result, params.read, references, old_streams))
        if _getpid() == leader:  # a task may fork, and its copy come back here
            cpython.end(marks)
    except BaseException as error:  # a signal while the outcome was being worked out, or later
        if (not ends or ends[-1][1].error is None) and is_failure(error):
            ends.append((job, judge(error, say_here), None, params.read, references, old_streams))


def _prepared(job: Job, function: TaskFunction, debugged: list[bool]) -> TaskFunction:
    """Return what lets signals in, enters a job's directory and runs its function; ``debugged`` tells of a debugger."""
    trace, profile = sys.gettrace(), sys.getprofile()

    def call(context: ProcContext) -> object:
        try:
            try:
                system.restore_signals(())
                if job.directory is not None:
                    enter_directory(job.directory)
                return function(context)
            finally:  # what a task has set to be called for each of its steps is not called for each of ours
                try:  # noqa: SIM105 - a call of contextlib's would be such a step
                    _set_profile(profile)
                except BaseException:
                    pass  # it has raised, by which it is set no more
                _set_trace(trace)
        except BaseException as error:
            if not job.interactive and in_debugger(error):
                debugged.append(True)
            raise

    return call
