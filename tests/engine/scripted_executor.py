"""An executor without processes, and the world around it: a test says what each job reports, and when."""

from __future__ import annotations

import heapq
import itertools
import selectors
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.exec.protocol import CreateAsked, Ended, InputAsked, Job, Report, StartAsked, StartError, WaitAsked
from parproc.values.encoding import EncodedResult

LONGEST_REAL_WAIT_SECONDS = 10.0
QUESTIONS = (CreateAsked, StartAsked, WaitAsked, InputAsked)
ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL})


class World:
    """Time that passes only while the engine waits, and what happens in it.

    Attributes:
        now: seconds.
        asked: set once a thread other than the one that made this has asked for the time.
        stands_still: set while the engine waits for what is not scripted.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = threading.Event()
        self.stands_still = threading.Event()
        self._maker = threading.get_ident()
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def clock(self) -> float:
        if threading.get_ident() != self._maker:
            self.asked.set()
        return self.now

    def at(self, moment: float, call: Callable[[], object]) -> int:
        """Call ``call`` when it is ``moment``; returns a number for :meth:`withdraw`."""
        number = next(self._numbers)
        heapq.heappush(self._agenda, (moment, number, call))
        return number

    def withdraw(self, number: int) -> None:
        self._agenda = [entry for entry in self._agenda if entry[1] != number]
        heapq.heapify(self._agenda)

    def next_moment(self) -> float | None:
        return self._agenda[0][0] if self._agenda else None

    def pass_until(self, moment: float) -> None:
        """Let time pass, and do what is due by then."""
        self.now = max(self.now, moment)
        while self._agenda and self._agenda[0][0] <= self.now:
            heapq.heappop(self._agenda)[2]()


class ScriptedSelector(selectors.BaseSelector):
    """Waits in the time of a :class:`World`; only where nothing is to happen there, for descriptors, in real time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inner = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        world = self._world
        world.pass_until(world.now)
        ready = self._inner.select(0)
        if ready or timeout == 0:
            return ready
        moments = [world.next_moment(), None if timeout is None else world.now + timeout]
        known = [moment for moment in moments if moment is not None]
        if known:
            world.pass_until(min(known))
            return self._inner.select(0)
        world.stands_still.set()
        ready = self._inner.select(LONGEST_REAL_WAIT_SECONDS)
        world.stands_still.clear()
        assert ready, 'the engine waits, and nothing will ever happen'
        return ready


@dataclass(frozen=True, slots=True)
class Step:
    """A report, so many seconds after the start of its job, or after the answer to the question before it."""

    seconds: float
    report: Report


@dataclass(slots=True)
class RunningJob:
    """A job that has started, and what it still has to report."""

    job: Job
    steps: list[Step]
    agenda: list[int] = field(default_factory=list)


class ScriptedExecutor:
    """Reports of each job what the test has said; of others, that they ended well after a second.

    Attributes:
        deaf: names of tasks that only SIGKILL ends.
        refusals: name -> errors with which its next starts fail.
        starts: (name, attempt, when) of every start that went well.
        kills: (name, signal) in order.
        replies: (name, answer) in order.
    """

    def __init__(self, world: World) -> None:
        self.deaf: set[str] = set()
        self.refusals: dict[str, list[StartError]] = {}
        self.starts: list[tuple[str, int, float]] = []
        self.kills: list[tuple[str, int]] = []
        self.replies: list[tuple[str, Mapping[str, object]]] = []
        self.results: list[Mapping[str, EncodedResult]] = []
        self.closed = 0
        self._world = world
        self._scripts: dict[str, list[list[Step]]] = {}
        self._running: dict[str, RunningJob] = {}
        self._post: Callable[[Report], None] = lambda report: None

    def made_for(self, _selector: selectors.BaseSelector, post: Callable[[Report], None]) -> ScriptedExecutor:
        """Be the executor of an engine, which hears of everything from now on."""
        self._post = post
        return self

    def script(self, name: str, *steps: Step) -> None:
        """Say what the next attempt of ``name`` reports for which nothing was said yet."""
        self._scripts.setdefault(name, []).append(list(steps))

    def post(self, report: Report) -> None:
        """Report at once."""
        self._post(report)

    @property
    def running(self) -> set[str]:
        return set(self._running)

    def start(self, job: Job) -> None:
        if refusals := self.refusals.get(job.name):
            raise refusals.pop(0)
        assert job.name not in self._running, f'{job.name} was started twice'
        self.starts.append((job.name, job.attempt, self._world.now))
        scripts = self._scripts.get(job.name)
        steps = scripts.pop(0) if scripts else [Step(1.0, Ended(job.name, SUCCESS))]
        self._running[job.name] = RunningJob(job, steps)
        self._go_on(job.name)

    def kill(self, name: str, signal: int) -> None:
        self.kills.append((name, signal))
        if name in self._running and signal in ENDING and (name not in self.deaf or signal == 9):
            self._end(name, failure(ErrorKind.SIGNAL, f'killed by {signal}'))

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        self.replies.append((name, answer))
        self.results.append(results)
        self._go_on(name)

    def process_of(self, name: str) -> int | None:
        return None

    def close(self) -> None:
        self.closed += 1

    def names_started(self) -> list[str]:
        return [name for name, _, _ in self.starts]

    def _go_on(self, name: str) -> None:
        """Put what a job reports up to its next question onto the agenda."""
        running = self._running.get(name)
        if running is None:
            return
        while running.steps:
            step = running.steps.pop(0)
            running.agenda.append(self._world.at(self._world.now + step.seconds, self._reporter(name, step.report)))
            if isinstance(step.report, QUESTIONS):
                return

    def _reporter(self, name: str, report: Report) -> Callable[[], None]:
        def say() -> None:
            if isinstance(report, Ended):
                self._running.pop(name, None)
            self._post(report)

        return say

    def _end(self, name: str, outcome: Outcome) -> None:
        for number in self._running.pop(name).agenda:
            self._world.withdraw(number)
        self._post(Ended(name, outcome))


def ends(name: str, seconds: float = 1.0, outcome: Outcome = SUCCESS, result: EncodedResult | None = None) -> Step:
    """Return the last step of a job."""
    return Step(seconds, Ended(name, outcome, result))
