"""The two ways in on the child's side: a forked process, and a new interpreter that has taken the place of one."""

from __future__ import annotations

import builtins
import faulthandler
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from parproc.context import enter_child
from parproc.core.model import ErrorKind, failure
from parproc.exec import cpython, system, wire
from parproc.exec.child import outcomes
from parproc.exec.child.finish import STOPPED, JobEnd, leave, say
from parproc.exec.child.fresh_interpreter import exec_interpreter
from parproc.exec.child.job_prologue import enter_job
from parproc.exec.child.log_records import name_records
from parproc.exec.child.process_prologue import become_leader, handle_stop_signals, shed_parent
from parproc.exec.child.resources import ChildResources
from parproc.exec.child.run_job import run_job
from parproc.exec.child.streams import make_streams, use_streams
from parproc.exec.cpython import socket
from parproc.exec.protocol import FoundFunction, Job
from parproc.exec.wire import ChildChannel

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_exit, _getpid = os._exit, os.getpid


def prepare() -> None:
    """Load, before the first fork for a function, what a child needs when it may be unable to load anything."""
    outcomes.prepare()
    wire.prepare()


def run_in_fork(
    job: Job, found: FoundFunction, end: socket, reaper: int, resources: ChildResources, *, alone: bool
) -> NoReturn:
    """Run ``job`` in this freshly forked process, in which all signals are held back, and exit.

    All of this is functions that hand values on: an object, whose attributes nobody has looked up before the fork,
    would have every child copy the pages of the interpreter's cache for look-ups.

    Args:
        job: what to run.
        found: its function.
        end: the child's end of the channel.
        reaper: descriptor to announce this process on.
        resources: what the parent has laid out for all of its children.
        alone: the parent has no other threads, so no lock can be held by one that is not here.
    """
    try:
        leader = _getpid()
        become_leader(reaper, resources.parent, interactive=job.interactive)
        channel = ChildChannel(end)
        ends: list[JobEnd] = []
        try:
            marks = cpython.begin(job.name, leave, leader, channel, ends)
            old_streams = shed_parent(resources, channel.descriptor, interactive=job.interactive)
            enter_job(job, channel)
        except Exception as error:
            outcome = failure(ErrorKind.NOT_STARTED, f'its process cannot be prepared: {error}')
            ends.append((job, outcome, None, set(), set(), ()))
        else:
            place = None if job.function is None else job.function.place
            if place is None:
                run_job(job, found, channel, ends, marks, old_streams if alone else ())
            else:
                ends.append((job, exec_interpreter(job, place, channel), None, set(), set(), ()))
        leave(leader, channel, ends)
    except STOPPED as error:
        _leave_stopped(error, job, leader, channel, ends)
    finally:
        _exit(1)


def run_in_new_interpreter(make: Callable[[], tuple[Job, FoundFunction]], bare: Job, channel: ChildChannel) -> NoReturn:
    """Run a job in this new interpreter, which has taken the place of a forked child, and exit.

    Args:
        make: returns the job and its function; what that raises is how it ends.
        bare: the job as far as it is known before.
        channel: to the run.
    """
    try:
        leader = _getpid()
        ends: list[JobEnd] = []
        system.prepare()
        prepare()
        handle_stop_signals()
        marks = cpython.begin(bare.name, leave, leader, channel, ends)
        use_streams(make_streams())
        faulthandler.enable(2)
        try:
            job, found = make()
        except BaseException as error:
            ends.append((bare, outcomes.judge(error, lambda text: say(bare, text)), None, set(), set(), ()))
        else:
            enter_child()
            if 'logging' in sys.modules:
                name_records(job.name)
            run_job(job, found, channel, ends, marks, ())
        leave(leader, channel, ends)
    except STOPPED as error:
        _leave_stopped(error, bare, leader, channel, ends)
    finally:
        _exit(1)


def _leave_stopped(error: BaseException, job: Job, leader: int, channel: ChildChannel, ends: list[JobEnd]) -> NoReturn:
    """Leave when a signal came between two steps, where nothing takes in what it raises: ``error``."""
    if not ends:
        ends.append((job, outcomes.judge(error, lambda text: say(job, text)), None, set(), set(), ()))
    leave(leader, channel, ends)
