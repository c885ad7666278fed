"""Standard output and standard error of the command line, in whatever state they were handed over."""

from __future__ import annotations

import os
import sys

FEWEST_FILES_TO_IMPORT = 2
"""How many files have to be open at once for anything to be imported."""
MORE_FILES = 'hint: allow more, as with: ulimit -n 1024'


class WriteError(Exception):
    """What was asked for could not be written to standard output; the text says why."""


def secure_streams() -> None:
    """Have something open as descriptors 0, 1 and 2, so that no other file becomes one of them.

    Where not even a module could be opened, this process ends, and says why.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):  # so Python says that it was given one closed
        from parproc.host.standard_descriptors import fill_standard_descriptors

        fill_standard_descriptors()
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it stays open
    if sys.stdout is None:
        sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, 'w', closefd=False, errors='backslashreplace')  # noqa: SIM115
    reconfigure = getattr(sys.stdout, 'reconfigure', None)
    if reconfigure is not None:
        reconfigure(errors='backslashreplace')
    if not has_room(FEWEST_FILES_TO_IMPORT):
        note('parproc: error: too few files may be open at once')
        note(MORE_FILES)
        os._exit(2)


def has_room(count: int) -> bool:
    """Return whether ``count`` more files can be opened."""
    opened: list[int] = []
    try:
        while len(opened) < count:
            opened.append(os.dup(0))
    except OSError:
        return False
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


def emit(text: str) -> None:
    """Write what was asked for to standard output, at once, after what a task file may have printed.

    Raises:
        WriteError: when it cannot be written.
        BrokenPipeError: when nobody reads it.
    """
    try:
        if text:  # writing nothing fails where the device is full
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(error.strerror or str(error)) from None


def note(text: str) -> None:
    """Write a line to standard error, if that can be written to."""
    try:
        sys.stderr.write(f'{text}\n')
        sys.stderr.flush()
    except OSError:
        silence(2)


def complain_of_output(error: WriteError) -> int:
    """Say that output was lost; return the exit code."""
    silence(1)
    note(f'parproc: write error: {error}')
    return 1


def silence(*descriptors: int) -> None:
    """Point standard streams nowhere, so that what is left in their buffers can neither fail nor wait at the end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)
