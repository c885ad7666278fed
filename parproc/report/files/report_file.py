"""Files that reports are written to when a run ends: in one piece, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex

from parproc.errors import UserError
from parproc.report.streams.sink import Sink

PATIENCE_SECONDS = 5.0
"""Seconds that the reader of a report may take; the run is over, and its exit code waits for this."""


class ReportFile:
    """A file to be written later; that it can be is found out at once.

    Args:
        path: where. Its folder is made if only that is missing, and it is one of the project or of the folder in which
            the user is. A link is followed, a device or pipe written to directly.
        what: names the report in errors.

    Raises:
        UserError: when it cannot be written.
    """

    def __init__(self, path: str, what: str) -> None:
        self._what, self._given_path = what, path
        self._replaced = os.path.isfile(path) or not os.path.exists(path)
        self._path = os.path.realpath(path) if self._replaced else os.path.abspath(path)
        try:
            if os.path.isdir(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if self._replaced:
                _have_folder(os.path.dirname(self._path))
                with contextlib.suppress(FileNotFoundError):
                    os.stat(self._path)  # says when the name is too long
                os.unlink(self._create(b''))
        except OSError as error:
            folder = os.path.dirname(self._path)
            hint = None if os.path.exists(folder) else f'make its folder first: mkdir -p {shlex.quote(folder)}'
            raise not_written(what, path, error, hint) from error

    def write(self, data: bytes) -> None:
        """Write the file; who reads it meanwhile sees all of the old one or all of the new one.

        Raises:
            UserError: when it cannot be written; what was there before then stays.
        """
        try:
            if self._replaced:
                self._replace(data)
            else:
                self._hand_over(data)
        except OSError as error:
            raise not_written(self._what, self._given_path, error) from error

    def _replace(self, data: bytes) -> None:
        temporary = self._create(data)
        try:
            os.replace(temporary, self._path)
        except OSError:
            os.unlink(temporary)
            raise

    def _hand_over(self, data: bytes) -> None:
        """Write to what is no file, such as a pipe, for as long as its reader may take."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        sink = Sink(descriptor)
        os.close(descriptor)
        sink.put(data)
        try:
            taken = sink.drain(PATIENCE_SECONDS)
        except BrokenPipeError:
            taken = False
        finally:
            sink.close()
        if sink.error is not None:
            raise sink.error
        if not taken:
            raise OSError(errno.ETIMEDOUT, 'nobody reads it', self._path)

    def _create(self, data: bytes) -> str:
        temporary = f'{os.path.dirname(self._path)}/.parproc-{os.urandom(6).hex()}.tmp'
        file = open(temporary, 'xb')  # noqa: SIM115 - the name must outlive it
        try:
            with file:
                file.write(data)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        return temporary


def not_written(what: str, path: str, error: OSError, hint: str | None = None) -> UserError:
    """Return the error for a report that cannot be written: which one, to which file, and why.

    Args:
        what: names the report.
        path: the file, as the user wrote it.
        error: of the system.
        hint: how to do better.
    """
    return UserError(f'the {what} cannot be written to "{path}": {error.strerror or error}', hint=hint)


def _have_folder(folder: str) -> None:
    """Make a folder, if it is not there and its parent is one where that may be done."""
    if os.path.isdir(folder):
        return
    parent = os.path.join(os.path.dirname(folder), '')
    homes = (os.getcwd(), os.environ.get('PARPROC_INVOCATION_DIR') or os.getcwd())
    if not any(parent.startswith(os.path.join(os.path.realpath(home), '')) for home in homes):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
