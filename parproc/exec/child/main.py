"""The child's side of a fork: make a clean process of this one, run the task, say how it ended, leave."""

from __future__ import annotations

import builtins
import dataclasses
import faulthandler
import os
import resource
import stat
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, TextIO, TypeAlias

from parproc.context import ProcContext, enter_child
from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.exec import cpython, system, wire
from parproc.exec.child import openmp, outcomes
from parproc.exec.child.fresh_interpreter import begin_anew
from parproc.exec.child.outcomes import Terminated, enter_directory, in_debugger, judge, perform
from parproc.exec.child.streams import flush, flush_handlers, make_streams, name_records, open_log, use_streams
from parproc.exec.cpython import plain_signal, socket
from parproc.exec.foreground import put_into_foreground
from parproc.exec.protocol import Job
from parproc.exec.supervision import ownership
from parproc.exec.wire import (
    ChildChannel,
    Kind,
    pack_json,
    pack_outcome,
    pack_params_read,
    pack_references,
    pack_result,
)
from parproc.host import descriptors
from parproc.values.encoding import EncodedResult, Reference

Ending: TypeAlias = (
    'tuple[Job, Outcome, EncodedResult | None, set[str] | None, set[Reference], tuple[TextIO | None, ...]]'
)

HIGH_DESCRIPTOR = 512
NO_DEBUGGER = "nobody is there to debug it: --mode single, in a program set_options(mode='single')"
# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_exit, _getpid, _open, _close, _write, _stat, _fstat = (
    *(os._exit, os.getpid, os.open, os.close),
    *(os.write, os.stat, os.fstat),
)
_set_trace, _set_profile = sys.settrace, sys.setprofile


class Ground:
    """What children need and the parent can lay out once: the less a child makes itself, the fewer pages it copies.

    Attributes:
        parent: the parent's process id.
        nothing: descriptor of ``/dev/null``.
        streams: on descriptors 0, 1 and 2; the parent itself never uses them.
        high: no child's channel has a lower descriptor, if it can be helped, so that a task may close what it takes for
            all there are.
    """

    __slots__ = ('high', 'nothing', 'parent', 'streams')

    def __init__(self) -> None:
        system.prepare()
        self.parent = os.getpid()
        self.nothing = descriptors.own(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
        self.streams = make_streams()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.high = HIGH_DESCRIPTOR if limit == resource.RLIM_INFINITY else min(HIGH_DESCRIPTOR, limit // 2)

    def close(self) -> None:
        """Give the descriptor back."""
        descriptors.close(self.nothing)


def prepare() -> None:
    """Load, before the first fork for a function, what a child needs when it may be unable to load anything."""
    outcomes.prepare()
    wire.prepare()


def run_job(job: Job, end: socket, reaper: int, ground: Ground, *, alone: bool) -> NoReturn:
    """Run ``job`` in this freshly forked process, in which all signals are held back, and exit.

    All of this is functions that hand values on: an object, whose attributes nobody has looked up before the fork,
    would have every child copy the pages of the interpreter's cache for look-ups.

    Args:
        job: what to run.
        end: the child's end of the channel.
        reaper: descriptor to announce this process on.
        ground: what the parent has laid out for all of its children.
        alone: the parent has no other threads, so no lock can be held by one that is not here.
    """
    try:
        leader = _getpid()
        _become_leader(reaper, ground.parent, interactive=job.interactive)
        line = ChildChannel(end)
        ending: list[Ending] = []
        try:
            marks = cpython.begin(job.name, _leave, leader, line, ending)
            old_streams = _prepare(job, line, ground)
        except Exception as error:
            outcome = failure(ErrorKind.NOT_STARTED, f'its process cannot be prepared: {error}')
            ending.append((job, outcome, None, set(), set(), ()))
        else:
            if job.fresh is None:
                _run(job, line, ending, marks, old_streams if alone else ())
            else:
                ending.append((job, begin_anew(job, job.fresh, line), None, set(), set(), ()))
        _leave(leader, line, ending)
    finally:
        _exit(1)


def run_anew(make: Callable[[], Job], bare: Job, line: ChildChannel) -> NoReturn:
    """Run a job in this new interpreter, which has taken the place of a forked child, and exit.

    Args:
        make: returns the job; what that raises is how it ends.
        bare: the job as far as it is known before.
        line: to the run.
    """
    try:
        leader = _getpid()
        ending: list[Ending] = []
        system.prepare()
        prepare()
        plain_signal.signal(plain_signal.SIGINT, plain_signal.default_int_handler)
        plain_signal.signal(plain_signal.SIGTERM, _terminate)
        marks = cpython.begin(bare.name, _leave, leader, line, ending)
        use_streams(make_streams())
        faulthandler.enable(2)
        try:
            job = make()
        except BaseException as error:
            ending.append((bare, judge(error, lambda text: _say(bare, text)), None, set(), set(), ()))
        else:
            enter_child()
            if 'logging' in sys.modules:
                name_records(job.name)
            _run(job, line, ending, marks, ())
        _leave(leader, line, ending)
    finally:
        _exit(1)


def _prepare(job: Job, line: ChildChannel, ground: Ground) -> tuple[TextIO | None, ...]:
    """Make a clean process of this one; return the output streams that it had."""
    nothing = ground.nothing
    system.reset_signals()
    plain_signal.signal(plain_signal.SIGINT, plain_signal.default_int_handler)
    plain_signal.signal(plain_signal.SIGTERM, _terminate)
    warning = ''
    if not job.interactive:
        log, warning = open_log(job, nothing)
        os.dup2(nothing, 0)
        if job.log_path is not None:
            os.dup2(log, 1)
            os.dup2(log, 2)
        if log != nothing:
            os.close(log)
    own_channel = descriptors.disown(line.descriptor)
    descriptors.close_all()
    descriptors.own(own_channel)
    old_streams = use_streams(ground.streams)
    faulthandler.enable(2)
    enter_child()
    if openmp.limits:
        openmp.limit()
    if 'logging' in sys.modules:
        name_records(job.name)
    environment = os.environ
    for name, value in job.environment.items():
        environment[name] = value
    if warning:
        line.send(pack_json(Kind.TELL, {'verb': 'warn', 'arguments': {'message': warning}}))
    return old_streams


def _run(
    job: Job, line: ChildChannel, ending: list[Ending], marks: cpython.Marks, old_streams: tuple[TextIO | None, ...]
) -> None:
    """Let signals in, run the function, and end as a program does: its threads first, then its exit handlers."""
    function = job.call
    assert function is not None, 'a job without a function is never forked for'
    leader = _getpid()
    from_debugger = False
    trace, profile = sys.gettrace(), sys.getprofile()

    def call(context: ProcContext) -> object:
        nonlocal from_debugger
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
            from_debugger = not job.interactive and in_debugger(error)
            raise

    def say(text: str) -> None:
        _say(job, text)

    references: set[Reference] = set()
    context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, line, job.name_of)
    params = context.params
    try:
        outcome, result = perform(call, context, job.result_paths, say, references)
        if from_debugger and outcome.error in {ErrorKind.EXCEPTION, ErrorKind.EXIT}:
            outcome = dataclasses.replace(outcome, reason=f'{outcome.reason}: {NO_DEBUGGER}')
        ending.append((job, outcome, result, params.read, references, old_streams))
        if _getpid() == leader:  # a task may fork, and its copy come back here
            cpython.end(marks)
    except BaseException as error:  # a signal while the outcome was being worked out, or later
        if (not ending or ending[-1][1].error is None) and outcomes.is_failure(error):
            ending.append((job, judge(error, say), None, params.read, references, old_streams))


def _leave(leader: int, line: ChildChannel, ending: list[Ending]) -> NoReturn:
    """End what the libraries of a task have begun, say how it ended, and exit."""
    try:
        job, outcome, result, read, references, old_streams = ending[-1]
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
                outcome = judge(error, lambda text: _say(job, text))
        _block_signals_at_last()
        flush((sys.stdout, sys.stderr, *old_streams))
        message = b'' if read is not None and not read else pack_params_read(read)
        if result is None or outcome is not SUCCESS:
            message += pack_outcome(outcome)
        else:
            message += (pack_references(references) if references else b'') + pack_result(result)
        line.send(message)
        _exit(0)
    finally:
        _exit(1)


def _say(job: Job, text: str) -> None:
    """Write to the log of a job, whatever it has made of its standard streams and descriptors."""
    flush((sys.stdout, sys.stderr))
    data = text.encode('utf-8', 'backslashreplace')
    log = -1 if job.interactive or job.log_path is None else _reopened(job.log_path)
    try:
        while data:
            data = data[_write(log if log >= 0 else 2, data) :]
    except OSError:
        return
    finally:
        if log >= 0:
            _close(log)


def _reopened(path: str) -> int:
    """Return a descriptor for a log that standard error does not lead to any more; -1 where it does, or there is none."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        found = _stat(path, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            return -1
        try:
            present = _fstat(2)
        except OSError:
            return _open(path, flags)
        same = (present.st_dev, present.st_ino) == (found.st_dev, found.st_ino)
        return -1 if same else _open(path, flags)
    except OSError:
        return -1


def _become_leader(reaper: int, parent: int, *, interactive: bool) -> None:
    """Start a session and be known to the reaper; leave when the parent was gone before.

    Who talks to the terminal stays in its session, in a group of its own.
    """
    if interactive and os.isatty(0):
        os.setpgid(0, 0)
        put_into_foreground(os.getpgrp())
    else:
        os.setsid()
    ownership.mark()
    try:  # noqa: SIM105 - contextlib would cost every child a few pages more
        os.write(reaper, b'+%d\n' % os.getpid())
    except OSError:
        pass  # the reaper has died: the parent will make a new one, and tell it of this process
    if os.getppid() != parent:
        os._exit(1)
    system.become_subreaper()


def _block_signals_at_last() -> None:
    """Hold signals back, whichever of them arrive in this very moment: Python raises for those once they are held."""
    while True:
        try:
            system.block_signals()
        except BaseException:
            continue
        return


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(number)
