"""What a process has once, exchanged around a task that runs in the program's own: streams, environment, directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from parproc.context import enter_inline, inside_child, leave_inline
from parproc.exec.child.streams import flush


class ProcessGlobals:
    """A task's standard streams, environment variables and working directory, exchanged with the program's own.

    Entered and left several times, for the engine goes on in the middle of a task that asks something; what the task
    has changed by then is there again when it goes on. That holds for standard streams that a task has replaced, too;
    to begin with, they are the program's.

    Args:
        environment: variables to set.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._was_inside = False
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._directory = _directory()
        self._environment = {**os.environ, **environment}

    def enter(self) -> None:
        """Put the task's in place."""
        self._exchange()
        self._was_inside = inside_child()
        enter_inline()

    def leave(self) -> None:
        """Put the program's own back."""
        if not self._was_inside:
            leave_inline()
        flush((sys.stdout, sys.stderr))
        self._exchange()

    def _exchange(self) -> None:
        """Put the other streams, environment and directory in place, and keep those that were."""
        streams = (sys.stdin, sys.stdout, sys.stderr)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        self._streams = streams
        environment = dict(os.environ)
        _set_environment(self._environment)
        self._environment = environment
        directory = _directory()
        if directory != self._directory:
            os.chdir(self._directory)
            self._directory = directory


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return '/'


def _set_environment(wished: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wished.keys():
        del os.environ[name]
    for name, value in wished.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
