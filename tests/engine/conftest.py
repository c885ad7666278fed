"""An engine whose tasks, executor, listener, clock and wait are a test's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest

from parproc.core.events import Announcement, TaskFinished, Wanted
from parproc.core.machine import Machine
from parproc.core.model import TaskSpec
from parproc.core.plan import build
from parproc.core.view import Message
from parproc.engine.loop import Engine
from parproc.errors import UserError
from parproc.exec.protocol import Job
from parproc.values.results import Results
from tests.engine.scripted_executor import ScriptedExecutor, ScriptedSelector, World


class FakeTasks:
    """Tasks that a test declares, by name."""

    def __init__(self) -> None:
        self.specs: dict[str, TaskSpec] = {}
        self.interactive: set[str] = set()
        self.created: list[tuple[str, str, str | None, Mapping[str, object]]] = []
        self.forgotten: list[str] = []
        self.scheduled: set[str] = set()

    def declare(self, name: str, deps: Sequence[str] = (), **fields: object) -> None:
        self.specs[name] = TaskSpec(name, tuple(deps), order=len(self.specs), **fields)  # type: ignore[arg-type]

    def job(self, name: str, attempt: int) -> Job:
        return Job(
            name=name,
            attempt=attempt,
            attempts=self.specs[name].retries + 1,
            function=None,
            args={},
            params={},
            extra_args=(),
            results=Results({}),
            log_path=None,
            result_paths=(),
            interactive=name in self.interactive,
        )

    def create(self, asker: str, name: str, proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        self.created.append((asker, name, proc_name, args))
        return self.known(asker, [name])

    def wanted(self, names: Sequence[str], *, start: bool = False) -> Wanted:
        found: dict[str, TaskSpec] = {}

        def add(name: str) -> None:
            if name not in found and name not in self.scheduled:
                for dep in self.specs[name].deps:
                    add(dep)
                found[name] = self.specs[name]

        for name in names:
            add(name)
        self.scheduled.update(found)
        return Wanted(build(tuple(found.values())).order)

    def due(self) -> Sequence[str]:
        return ()

    def forget(self, name: str) -> None:
        self.forgotten.append(name)

    def known(self, asker: str, names: Iterable[str]) -> list[str]:
        names = list(names)
        for name in names:
            if name not in self.specs:
                raise UserError(f'no proc "{name}"', hint='declare it')
        return names


class RecordingListener:
    """Keeps what it is told; fails on demand."""

    def __init__(self) -> None:
        self.messages: list[Announcement | Message] = []
        self.errors: dict[type, Exception] = {}
        self.aside: list[bool] = []
        self.shown: list[float] = []
        self.said: list[str] = []

    def handle(self, message: Announcement | Message) -> None:
        self.messages.append(message)
        if type(message) in self.errors:
            raise self.errors[type(message)]

    def tick(self, now: float) -> None:
        return

    def next_tick(self, now: float) -> float | None:
        return None

    def step_aside(self, away: bool) -> None:
        self.aside.append(away)

    def wants_keys(self) -> bool:
        return False

    def press(self, key: str) -> None:
        raise AssertionError('no key was read')

    def show_state(self, now: float) -> None:
        self.shown.append(now)

    def say(self, text: str) -> None:
        self.said.append(text)

    def unread(self) -> bool:
        return False

    def written(self) -> int:
        return 0

    def close(self) -> None:
        return


class Bench:
    """Everything around one engine."""

    def __init__(self, *, deadline: float | None = None, **machine: object) -> None:
        self.world = World()
        self.tasks = FakeTasks()
        self.executor = ScriptedExecutor(self.world)
        self.listener = RecordingListener()
        self.machine = Machine(**machine)  # type: ignore[arg-type]
        self.engine = Engine(
            self.machine,
            self.tasks,
            self.executor.made_for,
            self.listener,
            deadline=deadline,
            clock=self.world.clock,
            selector=ScriptedSelector(self.world),
        )

    def run(self, *names: str) -> None:
        """Run the named tasks, or all that are declared, to the end of everything."""
        self.engine.want(self.tasks.wanted(names or list(self.tasks.specs)))
        assert self.engine.run()

    def ends(self) -> list[tuple[str, str, float]]:
        """Return (name, reason, when) of every end that was announced."""
        return [
            (message.name, message.outcome.reason, message.time)
            for message in self.listener.messages
            if isinstance(message, TaskFinished)
        ]


class BenchMaker:
    """Makes benches, and closes their engines in the end."""

    def __init__(self) -> None:
        self._made: list[Bench] = []

    def __call__(self, *, deadline: float | None = None, **machine: object) -> Bench:
        self._made.append(Bench(deadline=deadline, **machine))
        return self._made[-1]

    def close(self) -> None:
        for bench in self._made:
            bench.engine.close()


@pytest.fixture
def make_bench() -> Iterator[BenchMaker]:
    maker = BenchMaker()
    yield maker
    maker.close()


@pytest.fixture
def bench(make_bench: BenchMaker) -> Bench:
    return make_bench()
