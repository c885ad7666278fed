"""The child's side of a fork: make a clean process of this one, run the task, say how it ended, leave."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal.signal itself wraps it in enums, whose pages every child would copy
import faulthandler
import io
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from parproc.context import ProcContext, enter_child
from parproc.core.model import SUCCESS
from parproc.exec import system
from parproc.exec.outcomes import perform
from parproc.exec.protocol import Job
from parproc.exec.wire import ChildChannel, Kind, pack_json, pack_outcome, pack_result

SIGINT, SIGTERM, SIG_DFL = int(signal.SIGINT), int(signal.SIGTERM), int(signal.SIG_DFL)
HIGHEST_DESCRIPTOR = 1 << 20
set_disposition: Callable[[int, object], object] = _signal.signal
_kept: list[object] = []


class Ground:
    """What children need and the parent can lay out once: the less a child makes itself, the fewer pages it copies.

    Attributes:
        dispositions: signals to set back to their default.
        blocked: whether the parent has blocked any signal.
        nothing: descriptor of /dev/null.
        into, out, err: streams on descriptors 0, 1 and 2 that the parent itself never uses.
        children: the list of the parent's children.
    """

    def __init__(self) -> None:
        self.dispositions: Sequence[int] = ()
        self.blocked = False
        self.nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.children = system.ChildrenFile()
        self.into, self.out, self.err = (_stream(number) for number in range(3))

    def survey(self, dispositions: Sequence[int]) -> None:
        """Note what of the parent's signal handling children must undo."""
        self.dispositions = dispositions
        self.blocked = bool(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self.nothing)
        self.children.close()


def _stream(number: int) -> io.TextIOWrapper:
    """Return a stream on a standard descriptor; one that is closed is opened on nothing first."""
    mode = 'rb' if number == 0 else 'wb'
    try:
        raw = io.FileIO(number, mode, closefd=False)
    except OSError:
        spare = os.open(os.devnull, os.O_RDWR)
        if spare != number:
            os.dup2(spare, number)
            os.close(spare)
        raw = io.FileIO(number, mode, closefd=False)
    buffered = io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffered, encoding='utf-8', errors='backslashreplace', line_buffering=True)


def run_job(job: Job, end: socket.socket, reaper: int, ground: Ground) -> NoReturn:
    """Run ``job`` in this freshly forked process and exit.

    Args:
        job: what to run.
        end: the child's end of the channel.
        reaper: descriptor to announce this process on.
        ground: what the parent has laid out for all of its children.
    """
    status = 1
    try:
        _prepare(job, end, reaper, ground)
        channel = ChildChannel(end)
        context = ProcContext(job.name, job.params, job.args, job.results, job.extra_args, channel)
        outcome, result = perform(job, context)
        _finish_threads()
        _flush()
        if result is not None:
            channel.send(pack_result(result))
        if outcome is not SUCCESS or result is None:
            channel.send(pack_outcome(outcome))
        status = 0
    except BaseException as error:
        _kept.append(error)
    finally:
        os._exit(status)


def _prepare(job: Job, end: socket.socket, reaper: int, ground: Ground) -> None:
    parent = os.getppid()
    os.setsid()
    os.write(reaper, b'+%d\n' % os.getpid())
    if parent == 1 or os.getppid() != parent:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    for number in ground.dispositions:
        set_disposition(number, SIG_DFL)
    set_disposition(SIGINT, signal.default_int_handler)
    set_disposition(SIGTERM, _terminate)
    if ground.blocked:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    system.become_subreaper()
    failed_log = _redirect(job, ground.nothing)
    kept = end.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, HIGHEST_DESCRIPTOR)
    _renew_streams(ground)
    faulthandler.enable(2)
    enter_child()
    os.environ.update(job.environment)
    if job.directory is not None:
        os.chdir(job.directory)
    if failed_log:
        end.sendall(pack_json(Kind.TELL, {'verb': 'warn', 'arguments': {'message': failed_log}}))


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _redirect(job: Job, nothing: int) -> str:
    """Put the log on 1 and 2 and nothing on 0; return what went wrong with the log, if anything did."""
    error_text = ''
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    try:
        log = os.open(job.log_path, flags | os.O_EXCL if job.attempt == 1 else flags, 0o600)
    except OSError as error:
        error_text = f'the log of "{job.name}" cannot be written: {error.strerror}'
        log = nothing
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if job.attempt > 1:
        os.write(1, f'--- attempt {job.attempt} of {job.attempts} ---\n'.encode())
    return error_text


def _renew_streams(ground: Ground) -> None:
    """Give Python fresh standard streams.

    The old objects may hold what the parent had not flushed, and their locks may be held by a thread that is not
    here: so they are kept, untouched, and whatever logs to them is pointed at the new ones.
    """
    old = (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__)
    _kept.extend(old)
    out, err = ground.out, ground.err
    sys.stdin = sys.__stdin__ = ground.into  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = out  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = err  # type: ignore[misc]
    logging = sys.modules.get('logging')
    for reference in getattr(logging, '_handlerList', ()):
        handler = reference()
        stream = getattr(handler, 'stream', None)
        if stream is old[1] or stream is old[4]:
            handler.stream = out
        elif stream is old[2] or stream is old[5]:
            handler.stream = err


def _finish_threads() -> None:
    """Wait for the threads that the task started, as a program's end would."""
    threading = sys.modules.get('threading')
    if threading is not None and threading.active_count() > 1:
        threading._shutdown()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
