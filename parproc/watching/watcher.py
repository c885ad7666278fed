"""The parent's side of the file watcher, which is a process of its own so that looking at files holds nothing up."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import IO, cast

from parproc.catalog.inputs import Inputs
from parproc.errors import ParprocError, UserError
from parproc.host.descriptors import disown, own
from parproc.watching import scanner


class Watcher:
    """Tells of changes, and at its start of the latest change there was.

    Args:
        items: (name, what it reads), any number of each.
        changed: called by :meth:`read` with (name, when its latest change was made, in monotonic seconds).

    Attributes:
        pid: the process.
        descriptor: becomes readable when :meth:`read` has something to tell.

    Raises:
        UserError: when the process cannot be started.
    """

    def __init__(
        self, items: Iterable[tuple[str, Inputs]], changed: Callable[[tuple[tuple[str, float], ...]], None]
    ) -> None:
        self._changed = changed
        self._names: dict[Inputs, list[str]] = {}
        for name, inputs in items:
            self._names.setdefault(inputs, []).append(name)
        self._items = list(self._names)
        self._rest = b''
        try:
            self._process = subprocess.Popen(
                [sys.executable, '-I', '-S', scanner.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise UserError(f'files cannot be watched: {error.strerror}') from None
        self._input = cast('IO[bytes]', self._process.stdin)
        self._output = cast('IO[bytes]', self._process.stdout)
        self.pid = self._process.pid
        self.descriptor = own(self._output.fileno())
        self._writer = own(self._input.fileno())
        line = json.dumps(self._items).encode() + b'\n'
        with contextlib.suppress(BrokenPipeError):  # it has gone already, as read will find
            while line:
                line = line[self._input.write(line) or 0 :]

    def read(self) -> None:
        """Take in what there is to tell; raises ParprocError when the process has gone."""
        data = self._output.read(65536)
        if not data:
            raise ParprocError(f'the file watcher has ended by itself ({self._rest.decode(errors="replace").strip()})')
        *lines, self._rest = (self._rest + data).split(b'\n')
        offset = time.time() - time.monotonic()
        for line in lines:
            try:
                found = [(self._items[number], moment - offset) for number, moment in json.loads(line)]
            except ValueError:  # not of its language: a traceback, before it ends
                self._rest = line
                continue
            self._changed(tuple((name, moment) for inputs, moment in found for name in self._names[inputs]))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for descriptor, file in ((self._writer, self._input), (self.descriptor, self._output)):
            disown(descriptor)
            file.close()
