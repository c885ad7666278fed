"""A child's standard streams: fresh Python objects over descriptors 0, 1 and 2, and a log file under them."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple, TextIO, cast

from parproc.exec.cpython import logging_handlers
from parproc.exec.protocol import Job
from parproc.host.private_folders import make_again

FULL = {errno.ENOSPC, errno.EDQUOT}
_kept: list[object] = []
_called: list[str] = []


class Streams(NamedTuple):
    """Text streams over descriptors 0, 1 and 2; None where the descriptor allows none."""

    input: TextIO | None
    out: TextIO | None
    err: TextIO | None


def make_streams() -> Streams:
    """Return streams that nobody has used yet.

    Made once, before the first fork: a child that only has to pick them up starts a good deal faster than one that
    has to make them.
    """
    return Streams(_open(0, 'r'), _open(1, 'w'), _open(2, 'w'))


class Forgiving(io.FileIO):
    """A log as a task writes to it: what a full disk has no room for is lost, and the task goes on."""

    def write(self, data: Any, /) -> int:
        """Write, as far as there is room."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno in FULL:
                return memoryview(data).nbytes
            raise


def _open(descriptor: int, mode: str) -> TextIO | None:
    try:
        if mode == 'r':
            stream = open(descriptor, encoding='utf-8', errors='replace', closefd=False)  # noqa: SIM115
            return cast('TextIO', stream)
        raw = Forgiving(descriptor, 'w', closefd=False)
    except OSError:
        return None
    return io.TextIOWrapper(io.BufferedWriter(raw), 'utf-8', 'backslashreplace', line_buffering=True)


def use_streams(streams: Streams) -> tuple[TextIO | None, TextIO | None]:
    """Make ``streams`` the standard streams of this process, and return the output streams it had.

    The old objects may hold what the parent had not flushed, and their locks may be held by a thread that is not
    here: so they are kept, untouched, and whatever logs to them is pointed at the new ones.
    """
    old_out, old_err = sys.stdout, sys.stderr
    first_out, first_err = sys.__stdout__, sys.__stderr__
    _kept.append((sys.stdin, sys.__stdin__, old_out, old_err, first_out, first_err))
    sys.stdin = sys.__stdin__ = streams.input  # type: ignore[assignment,misc]
    sys.stdout = sys.__stdout__ = streams.out  # type: ignore[assignment,misc]
    sys.stderr = sys.__stderr__ = streams.err  # type: ignore[assignment,misc]
    for handler in logging_handlers():
        stream = getattr(handler, 'stream', None)
        if stream is None or stream is streams.err:  # the handler of last resort writes to whatever there is
            continue
        if stream is old_out or stream is first_out:
            handler.stream = streams.out
        elif stream is old_err or stream is first_err:
            handler.stream = streams.err
        elif type(stream) is io.TextIOWrapper:
            _kept.append(stream)
            handler.stream = _fresh(stream)
    return old_out, old_err


def _fresh(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return another stream over a stream's descriptor, without what a thread that is not here may hold in the old one."""
    try:
        raw = io.FileIO(stream.fileno(), 'w', closefd=False)
    except (OSError, ValueError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=stream.line_buffering
    )


def name_records(name: str) -> None:
    """Let log records say that they come from ``name``, and not again what the parent's handlers still hold back.

    Records that say already which process they come from are left as they are.
    """
    logging = sys.modules.get('logging')
    if logging is None:
        return
    if not _called:
        make = logging.getLogRecordFactory()

        def named(*arguments: Any, **keywords: Any) -> Any:
            record = make(*arguments, **keywords)
            if record.processName == 'MainProcess':
                record.processName = _called[-1]
            return record

        logging.setLogRecordFactory(named)
    _called.append(name)
    handlers = sys.modules.get('logging.handlers')
    if handlers is None:
        return
    for handler in logging_handlers():
        if isinstance(handler, handlers.BufferingHandler):
            handler.buffer = []


def flush_handlers() -> None:
    """Have log handlers write what they still hold back: this process is about to end."""
    flush(logging_handlers())


def flush_log_files() -> None:
    """Write out what the streams of log handlers hold, which a child would write once more."""
    flush([getattr(handler, 'stream', None) for handler in logging_handlers()])


def open_log(job: Job, nothing: int, *, first: bool = True) -> tuple[int, str]:
    """Open a job's log for appending, if it has one; no link is followed, nothing but a file opened or waited for.

    Args:
        job: whose log.
        nothing: descriptor of ``/dev/null``.
        first: nothing of this attempt has written to it yet.

    Returns:
        The descriptor, ``nothing`` when the log cannot be opened, and what then went wrong.
    """
    if job.log_path is None:
        return nothing, ''
    try:
        try:
            log = _opened_log(job.log_path, new=first and job.attempt == 1)
        except FileNotFoundError:  # a task has removed the folder
            make_again(os.path.dirname(job.log_path))
            log = _opened_log(job.log_path, new=first and job.attempt == 1)
    except OSError as error:
        return nothing, _complaint(job, error)
    if first and job.attempt > 1:
        try:
            os.write(log, f'--- attempt {job.attempt} of {job.attempts} ---\n'.encode())
        except OSError as error:
            return log, _complaint(job, error)
    return log, ''


def _opened_log(path: str, *, new: bool) -> int:
    """Open a log, and nothing that stands in its place: a link, a pipe that would be waited for, another's file.

    A ``new`` one may be there, empty, when a process could not be started at once.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    if new:
        try:
            return os.open(path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
    log = os.open(path, flags | os.O_NONBLOCK, 0o600)
    found = os.fstat(log)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or (new and found.st_size):
        os.close(log)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.set_blocking(log, True)
    return log


def _complaint(job: Job, error: OSError) -> str:
    return f'the log of "{job.name}" cannot be written: {error.strerror}'


def flush(streams: Iterable[Any]) -> None:
    """Flush streams or handlers, as far as they let themselves be flushed; None is nothing to flush."""
    for stream in streams:
        try:
            if stream is not None:
                stream.flush()
        except BaseException:
            continue
