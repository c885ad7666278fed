"""The child's side of a fork: make a clean process of this one, run the task, say how it ended, leave."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import faulthandler
import os
import sys
from _socket import socket
from types import FrameType
from typing import NoReturn, TextIO

from parproc.context import ProcContext, enter_child
from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.exec import system
from parproc.exec.foreground import put_into_foreground
from parproc.exec.outcomes import Terminated, enter_directory, judge, perform
from parproc.exec.protocol import Job
from parproc.exec.streams import flush, make_streams, open_log, use_streams
from parproc.exec.wire import ChildChannel, Kind, pack_json, pack_outcome, pack_result
from parproc.values import EncodedResult

_kept: list[object] = []


class Ground:
    """What children need and the parent can lay out once: the less a child makes itself, the fewer pages it copies.

    Attributes:
        parent: the parent's process id.
        nothing: descriptor of ``/dev/null``.
        streams: on descriptors 0, 1 and 2; the parent itself never uses them.
    """

    __slots__ = ('nothing', 'parent', 'streams')

    def __init__(self) -> None:
        system.prepare()
        self.parent = os.getpid()
        self.nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.streams = make_streams()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.nothing)


def run_job(job: Job, end: socket, reaper: int, ground: Ground, *, alone: bool) -> NoReturn:
    """Run ``job`` in this freshly forked process, in which all signals are held back, and exit.

    Args:
        job: what to run.
        end: the child's end of the channel.
        reaper: descriptor to announce this process on.
        ground: what the parent has laid out for all of its children.
        alone: the parent has no other threads, so no lock can be held by one that is not here.
    """
    status = 1
    try:
        leader = os.getpid()
        channel = ChildChannel(end)
        old_streams: tuple[TextIO | None, ...] = ()
        result: EncodedResult | None = None
        try:
            _become_leader(reaper, ground.parent, interactive=job.interactive)
            old_streams = _prepare(job, channel, end.fileno(), ground)
        except Exception as error:
            outcome = failure(ErrorKind.NOT_STARTED, f'its process cannot be prepared: {error}')
        else:
            outcome, result = _run(job, channel)
        flush((sys.stdout, sys.stderr, *(old_streams if alone else ())))
        if os.getpid() == leader:  # a task may fork, and its copy come back here
            channel.send(pack_outcome(outcome) if result is None else pack_result(result))
        status = 0
    except BaseException as error:
        _kept.append(error)
    finally:
        os._exit(status)


def _become_leader(reaper: int, parent: int, *, interactive: bool) -> None:
    """Start a session and be known to the reaper; leave when the parent was gone before.

    Who talks to the terminal stays in its session, in a group of its own.
    """
    if interactive and os.isatty(0):
        os.setpgid(0, 0)
        put_into_foreground(os.getpgrp())
    else:
        os.setsid()
    try:  # noqa: SIM105 - contextlib would cost every child a few pages more
        os.write(reaper, b'+%d\n' % os.getpid())
    except OSError:
        pass  # the reaper has died: the parent will make a new one, and tell it of this process
    if os.getppid() != parent:
        os._exit(1)
    system.become_subreaper()


def _prepare(job: Job, channel: ChildChannel, kept: int, ground: Ground) -> tuple[TextIO | None, ...]:
    """Make a clean process of this one; return the output streams that it had."""
    system.reset_signals()
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    _signal.signal(_signal.SIGTERM, _terminate)
    warning = ''
    if not job.interactive:
        log, warning = open_log(job, ground.nothing)
        os.dup2(ground.nothing, 0)
        if job.log_path is not None:
            os.dup2(log, 1)
            os.dup2(log, 2)
    system.close_all_but(kept)
    old_streams = use_streams(ground.streams)
    faulthandler.enable(2)
    enter_child()
    environment = os.environ
    for name, value in job.environment.items():
        environment[name] = value
    if warning:
        channel.send(pack_json(Kind.TELL, {'verb': 'warn', 'arguments': {'message': warning}}))
    return old_streams


def _run(job: Job, channel: ChildChannel) -> tuple[Outcome, EncodedResult | None]:
    """Let signals in, run the function, and wait for the threads it leaves, as a program's end would."""
    function = job.call
    assert function is not None, 'a job without a function is never forked for'

    def call(context: ProcContext) -> object:
        system.restore_signals(())
        if job.directory is not None:
            enter_directory(job.directory)
        return function(context)

    context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel)
    try:
        outcome, result = perform(call, context, job.result_paths)
        threading = sys.modules.get('threading')
        if threading is not None and len(threading._active) > 1:
            late, _ = perform(lambda _: threading._shutdown(), context, ())
            if outcome is SUCCESS:
                outcome = late
        system.block_signals()
    except BaseException as error:  # a signal while the outcome was being worked out
        _block_signals_at_last()
        return judge(error), None
    return outcome, result if outcome is SUCCESS else None


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
