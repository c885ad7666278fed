"""The end of a child: what the libraries of a task have begun is ended, its end is told, the process exits."""

from __future__ import annotations

import builtins
import os
import sys
from typing import NoReturn, TextIO, TypeAlias

from parproc.core.model import SUCCESS, Outcome
from parproc.exec import cpython, system
from parproc.exec.child import outcomes
from parproc.exec.child.log_records import flush_handlers
from parproc.exec.child.streams import flush
from parproc.exec.job_log import append_at_last
from parproc.exec.protocol import Job
from parproc.exec.wire import ChildChannel, pack_outcome, pack_params_read, pack_references, pack_result
from parproc.values.encoding import EncodedResult
from parproc.values.references import Reference

JobEnd: TypeAlias = (
    'tuple[Job, Outcome, EncodedResult | None, set[str] | None, set[Reference], tuple[TextIO | None, ...]]'
)
"""A job, how it ended, its result, the params it read (None: all), what the result's readers need, streams to flush."""

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_exit, _getpid = os._exit, os.getpid

STOPPED = (outcomes.Terminated, KeyboardInterrupt)
"""What a signal raises in a child."""
ATTEMPTS_TO_LEAVE = 3


def leave(leader: int, channel: ChildChannel, ends: list[JobEnd]) -> NoReturn:
    """End what the libraries of a task have begun, say how it ended, and exit.

    Args:
        leader: the process of the job; a copy of it that a task has forked only exits.
        channel: to the run.
        ends: the last entry is how the job ended.
    """
    try:
        for _ in range(ATTEMPTS_TO_LEAVE):
            try:
                _leave(leader, channel, ends)
            except STOPPED:  # a signal between two steps: once more, for how the job ended is known
                continue
    finally:
        _exit(1)


def _leave(leader: int, channel: ChildChannel, ends: list[JobEnd]) -> NoReturn:
    job, outcome, result, read, references, old_streams = ends[-1]
    if _getpid() != leader:
        flush((sys.stdout, sys.stderr))
        _exit(0)
    try:
        if 'multiprocessing.util' in cpython.modules:
            cpython.end_processes()
        if 'logging' in cpython.modules:
            flush_handlers()
    except BaseException as error:
        if outcome.error is None and outcomes.is_failure(error):
            outcome = outcomes.judge(error, lambda text: say(job, text))
    _block_signals_at_last()
    flush((sys.stdout, sys.stderr, *old_streams))
    message = b'' if read is not None and not read else pack_params_read(read)
    if result is None or outcome is not SUCCESS:
        message += pack_outcome(outcome)
    else:
        message += (pack_references(references) if references else b'') + pack_result(result)
    channel.send(message)
    _exit(0)


def say(job: Job, text: str) -> None:
    """Write to the log of a job, after what its streams hold still."""
    flush((sys.stdout, sys.stderr))
    append_at_last(job, text)


def _block_signals_at_last() -> None:
    """Hold signals back, whichever of them arrive in this very moment: Python raises for those once they are held."""
    while True:
        try:
            system.block_signals()
        except BaseException:
            continue
        return
