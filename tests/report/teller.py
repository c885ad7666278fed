"""Runs told at fixed times to a reporter that writes into files."""

from __future__ import annotations

import io
import os
import select
from collections.abc import Callable
from pathlib import Path

from parproc.core.events import Announcement, TaskFinished, TaskStarted, TaskWanted
from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.core.view import Message, RunBegan
from parproc.report.fanout import Reporters
from parproc.report.reporter import Reporter
from parproc.report.streams.sink import Sink
from parproc.report.style import Style

FAILURE = failure(ErrorKind.EXIT, 'exit 2')


def wanted(*names: str) -> list[Announcement | Message]:
    began = RunBegan('id', names, 'LOGS', 4, len(names), 0.0)
    return [began, *(TaskWanted(name, 1.0, (), 0.0) for name in names)]


def ran(name: str, outcome: Outcome = SUCCESS, start: float = 0.0, end: float = 1.0) -> list[Announcement | Message]:
    return [TaskStarted(name, 1, start), TaskFinished(name, outcome, 1, start, end)]


def available(descriptor: int) -> bytes:
    """Return what can be read from a pipe by now."""
    data = b''
    while select.select([descriptor], [], [], 0)[0] and (more := os.read(descriptor, 1 << 17)):
        data += more
    return data


class Both:
    """A reporter whose output and status lines go to one file, in the order in which they were written."""

    def __init__(
        self,
        folder: Path,
        make: Callable[[Sink, Style, Callable[[str], str]], Reporter],
        *,
        colour: bool = False,
        encoding: str = 'utf-8',
    ) -> None:
        self.folder = folder
        self.file = (folder / 'both').open('w+b', buffering=0)
        self.out = os.dup(self.file.fileno())
        self.status = io.TextIOWrapper(open(os.dup(self.out), 'wb'), encoding=encoding, newline='\n')
        self.reporters = Reporters([make(Sink(self.out), Style(self.status, colour=colour), self.log_path)])
        self.seen = 0

    def close(self) -> None:
        self.status.close()
        self.file.close()
        os.close(self.out)

    def log_path(self, name: str) -> str:
        return f'{self.folder}/{name}.log'

    def log(self, name: str, text: str | bytes) -> None:
        with open(self.log_path(name), 'ab') as file:
            file.write(text.encode() if isinstance(text, str) else text)

    def tell(self, *messages: Announcement | Message) -> str:
        for message in messages:
            self.reporters.handle(message)
        return self.text()

    def tick(self, now: float) -> str:
        self.reporters.tick(now)
        return self.text()

    def text(self) -> str:
        everything = (self.folder / 'both').read_text().replace(str(self.folder), 'LOGS')
        new, self.seen = everything[self.seen :], len(everything)
        return new
