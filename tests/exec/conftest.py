"""Executors driven by a small select loop, in a process that takes in orphans: one that is left shows up here."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from parproc.context import ProcContext
from parproc.core.model import Outcome
from parproc.exec import system
from parproc.exec.processes.executor import ProcessExecutor
from parproc.exec.protocol import (
    Asked,
    CreateAsked,
    Ended,
    InputAsked,
    Job,
    Report,
    StartAsked,
    TaskFunction,
    TaskRef,
    WaitAsked,
)
from parproc.exec.supervision import process_table
from parproc.host import descriptors
from parproc.values.decoding import decode
from parproc.values.results import Results

DEADLINE = 20.0
QUESTIONS = (CreateAsked, StartAsked, WaitAsked, InputAsked)


class Functions:
    """Finds the functions of tasks, as a catalog does."""

    def __init__(self) -> None:
        self.by_name: dict[str, TaskFunction] = {}

    def call(self, name: str, /) -> TaskFunction:
        return self.by_name[name]

    def name_of(self, function: Callable[..., object], /) -> str:
        return repr(function)


class Bench:
    """A fork executor, its selector, and what it has posted."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.selector = selectors.DefaultSelector()
        descriptors.own(self.selector.fileno())
        self.reports: list[Report] = []
        self.run_id = f'bench-{os.getpid()}-{time.monotonic_ns()}'
        self.functions = Functions()
        self.executor = ProcessExecutor(
            self.selector, self.reports.append, self.functions, run_id=self.run_id, **options
        )

    def job(
        self,
        name: str,
        call: Callable[[ProcContext], object] | None,
        attempt: int = 1,
        environment: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Job:
        marks = {'PARPROC_NAME': name, 'PARPROC_RUN_ID': self.run_id, 'PARPROC_ATTEMPT': str(attempt)}
        fields = {
            'args': {},
            'params': {},
            'extra_args': (),
            'results': Results({}),
            'log_path': str(self.folder / f'{name}.log'),
            'result_paths': (str(self.folder / f'{name}.result'),),
            'environment': {**marks, **(environment or {})},
        }
        if call is not None:
            self.functions.by_name[name] = call
        return Job(name, attempt, 2, None if call is None else TaskRef(name), **{**fields, **more})

    def start(self, name: str, call: Callable[[ProcContext], object] | None, **more: Any) -> None:
        self.executor.start(self.job(name, call, **more))

    def until(self, condition: Callable[[], object], seconds: float = DEADLINE) -> None:
        """Take in events until ``condition()`` holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f'nothing happened in time; so far {self.reports}'
            for key, _ in self.selector.select(0.05):
                key.data()

    def ended(self, name: str, seconds: float = DEADLINE) -> Ended:
        self.until(lambda: self.find(name) is not None, seconds)
        found = self.find(name)
        assert found is not None
        return found

    def find(self, name: str) -> Ended | None:
        return next((report for report in self.reports if isinstance(report, Ended) and report.name == name), None)

    def asked(self, name: str) -> Asked:
        def find() -> list[Asked]:
            return [report for report in self.reports if isinstance(report, QUESTIONS) and report.name == name]

        self.until(find)
        return find()[-1]

    def run(self, call: Callable[[ProcContext], object] | None, name: str = 'task', **more: Any) -> tuple[Outcome, Any]:
        """Run one function; return its outcome and, when it returned, its value."""
        self.start(name, call, **more)
        ended = self.ended(name)
        return ended.outcome, self.value_of(ended)

    @staticmethod
    def value_of(ended: Ended) -> Any:
        return None if ended.result is None else decode(ended.result)

    def log(self, name: str = 'task') -> str:
        return (self.folder / f'{name}.log').read_text()

    @staticmethod
    def own_children() -> set[int]:
        file = process_table.ChildrenFile()
        try:
            return set(file.read())
        finally:
            file.close()

    @staticmethod
    def alive(pid: int | None) -> bool:
        return pid in process_table.read_table().processes


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Make benches; afterwards no process and no descriptor is left."""
    system.prepare()
    was = system.was_subreaper()
    system.become_subreaper()
    before, open_before = Bench.own_children(), set(os.listdir('/dev/fd'))
    owned_before = descriptors.owned()
    benches: list[Bench] = []

    def make(**options: Any) -> Bench:
        benches.append(Bench(tmp_path, **options))
        return benches[-1]

    yield make
    for bench in benches:
        bench.executor.close()
        descriptors.disown(bench.selector.fileno())
        bench.selector.close()
    left = Bench.own_children() - before
    assert not left, [process_table.describe(pid) for pid in left]
    assert set(os.listdir('/dev/fd')) == open_before
    assert descriptors.owned() == owned_before, "a number that is still taken for ours may be the program's by now"
    if not was:
        system.stop_being_subreaper()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
