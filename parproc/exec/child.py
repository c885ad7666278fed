"""The child's side of a fork: make a clean process of this one, run the task, say how it ended, leave."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

from parproc.context import ProcContext, enter_child
from parproc.core.model import SUCCESS
from parproc.exec import system
from parproc.exec.outcomes import perform
from parproc.exec.protocol import Job
from parproc.exec.wire import ChildChannel, Kind, pack_json, pack_outcome, pack_result

HIGHEST_DESCRIPTOR = 1 << 20
_kept: list[object] = []


def run_job(job: Job, end: socket.socket, reaper: int, dispositions: list[int]) -> NoReturn:
    """Run ``job`` in this freshly forked process and exit.

    Args:
        job: what to run.
        end: the child's end of the channel.
        reaper: descriptor to announce this process on.
        dispositions: signals whose handling differs from the default in the parent.
    """
    status = 1
    try:
        _prepare(job, end, reaper, dispositions)
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


def _prepare(job: Job, end: socket.socket, reaper: int, dispositions: list[int]) -> None:
    parent = os.getppid()
    os.setsid()
    os.write(reaper, b'+%d\n' % os.getpid())
    if parent == 1 or os.getppid() != parent:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    for number in dispositions:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    system.become_subreaper()
    failed_log = _redirect(job)
    kept = end.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, HIGHEST_DESCRIPTOR)
    _renew_streams()
    faulthandler.enable(2)
    enter_child()
    os.environ.update(job.environment)
    if job.directory is not None:
        os.chdir(job.directory)
    if failed_log:
        end.sendall(pack_json(Kind.TELL, {'verb': 'warn', 'arguments': {'message': failed_log}}))


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _redirect(job: Job) -> str:
    """Put the log on 1 and 2 and nothing on 0; return what went wrong with the log, if anything did."""
    error_text = ''
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    try:
        log = os.open(job.log_path, flags | os.O_EXCL if job.attempt == 1 else flags, 0o600)
    except OSError as error:
        error_text = f'the log of "{job.name}" cannot be written: {error.strerror}'
        log = os.open(os.devnull, os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if job.attempt > 1:
        os.write(1, f'--- attempt {job.attempt} of {job.attempts} ---\n'.encode())
    return error_text


def _renew_streams() -> None:
    """Give Python fresh standard streams.

    The old objects may hold what the parent had not flushed, and their locks may be held by a thread that is not
    here: so they are kept, untouched, and whatever logs to them is pointed at the new ones.
    """
    old = (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__)
    _kept.extend(old)
    out = open(1, 'w', encoding='utf-8', errors='backslashreplace', buffering=1, closefd=False)  # noqa: SIM115
    err = open(2, 'w', encoding='utf-8', errors='backslashreplace', buffering=1, closefd=False)  # noqa: SIM115
    sys.stdin = sys.__stdin__ = open(0, encoding='utf-8', closefd=False)  # type: ignore[misc]  # noqa: SIM115
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
