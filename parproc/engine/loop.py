"""The imperative shell: performs the machine's actions, gathers events, and blocks in one wait.

Whatever can happen (a child's end, a child's question, a signal, a key) makes one selector return; timeouts are the
time to the next deadline. Everything that happened becomes an event for the machine, every action of the machine
becomes a call of an executor or an announcement to the reporters.

One thread at a time drives: it waits in the selector, without the lock that guards everything else, so that other
threads can schedule and cancel meanwhile. Threads that wait as well sleep until their own tasks are over, or until the
one that drives is done and another one has to.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from signal import SIGINT
from typing import Protocol

from parproc.control.keys import Keys
from parproc.control.prompt import Prompter
from parproc.control.signals import SignalInbox, die_by
from parproc.core.events import (
    Action,
    Announcement,
    Cancelled,
    Changed,
    Dropped,
    Event,
    Finished,
    Interrupted,
    Kill,
    Launch,
    Resume,
    Settled,
    Slept,
    StartFailed,
    TaskFinished,
    TaskReopened,
    TaskStarted,
    Tick,
    WaitBegan,
    Wanted,
)
from parproc.core.machine import Machine
from parproc.core.stopping import SIGTERM
from parproc.core.view import Message, RunWarned, TaskLogged, TaskProgressed
from parproc.errors import InternalError, UserError
from parproc.exec.protocol import (
    Asked,
    CreateAsked,
    Ended,
    Executor,
    InputAsked,
    Job,
    Logged,
    Progressed,
    Report,
    StartAsked,
    StartError,
    WaitAsked,
    Warned,
)
from parproc.exec.system import signal_name
from parproc.host.descriptors import disown, own
from parproc.values.encoding import EncodedResult

STOP_KEY = 'q'
RETRY = 0.02
LAST_WORDS = 1.0
MOST_LAST_WORDS = 10.0
"""Seconds that the readers of a stopped run may take nothing, and that they have altogether."""
ExecutorFactory = Callable[[selectors.BaseSelector, Callable[[Report], None]], Executor]


class Listener(Protocol):
    """Takes everything that reporters read."""

    def handle(self, message: Announcement | Message) -> None:
        """Take one message; raises BrokenPipeError when nobody reads the output any more."""

    def tick(self, now: float) -> None:
        """Time has passed (monotonic seconds)."""

    def next_tick(self, now: float) -> float | None:
        """Return when ``tick`` wants to be called next, None when it need not be."""

    def step_aside(self, away: bool) -> None:
        """Leave the terminal to somebody else, or take it back."""

    def wants_keys(self) -> bool:
        """Return whether keys that are pressed mean anything."""

    def press(self, key: str) -> None:
        """Take a key that the person at the terminal has pressed."""

    def show_state(self, now: float) -> None:
        """Say how the run stands (``now`` is monotonic seconds)."""

    def say(self, text: str) -> None:
        """Write text of others to standard error."""

    def unread(self) -> bool:
        """Return whether something that was said has not been taken yet by who reads it."""

    def written(self) -> int:
        """Return how many bytes were taken so far."""

    def close(self) -> None:
        """Give up whatever is written to, with all that was not taken."""


class TaskSource(Protocol):
    """Knows the tasks: what the engine asks while tasks run."""

    def job(self, name: str, attempt: int) -> Job:
        """Return all that is needed to run an attempt of a task."""

    def create(self, asker: str, name: str, proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        """Create procs for the running task ``asker``; raises UserError."""

    def wanted(self, names: Sequence[str], *, start: bool = False) -> Wanted:
        """Return what is to be scheduled for a running task, which may ``start`` what has failed; raises UserError."""

    def due(self) -> Sequence[str]:
        """Return what is to be scheduled by itself, because it was created so."""

    def forget(self, name: str) -> None:
        """Remove what an earlier life of a task has left on disk."""

    def known(self, asker: str, names: Iterable[str]) -> list[str]:
        """Return the full names for what the running task ``asker`` waits for, creating procs; raises UserError."""


class Engine:
    """Runs a machine against the world.

    Args:
        machine: decides.
        tasks: knows the tasks.
        executor: makes the executor, given the selector and where to post reports.
        listener: receives every announcement and message.
        lock: guards all of this; every method takes it, and the wait for something to happen lets it go.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        machine: Machine,
        tasks: TaskSource,
        executor: ExecutorFactory,
        listener: Listener,
        lock: threading.RLock | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.machine = machine
        self.results: dict[str, EncodedResult] = {}
        self.ends: dict[str, float] = {}
        self.params_read: dict[str, frozenset[str] | None] = {}
        self.deadline: float | None = None
        self.timed_out = False
        self.output_closed = self._stop_is_due = False
        self.stop_signal: int | None = None
        self._tasks = tasks
        self._listener = listener
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._own = own(self._selector.fileno()) if hasattr(self._selector, 'fileno') else -1
        self._inbox: deque[Report] = deque()
        self._executor = executor(self._selector, self._inbox.append)
        self.signals = SignalInbox(self._selector, inline=machine.inline)
        self._prompter = Prompter(self._selector, self._reply, self._step_aside, self._say)
        self._keys = Keys(self._selector, self._on_key)
        self._returned: dict[str, EncodedResult] = {}
        self._announced: set[str] = set()  # whose next start is not to be announced: it was, or there was none
        self._in_front: set[str] = set()
        self._inline_jobs: deque[Job] = deque()
        self._inline_names: set[str] = set()
        self._inline_answers: dict[str, tuple[Mapping[str, object], Mapping[str, EncodedResult]]] = {}
        self._watched: list[set[str]] = []
        self._reopened = False
        self._lock = lock or threading.RLock()
        self._news = threading.Condition(self._lock)
        self._driver: int | None = None
        self._closing = False
        self._events: deque[Event] = deque()
        self._feeding = False
        self._checks_invariants = os.environ.get('PARPROC_CHECK') == '1'

    # --- what the session calls --------------------------------------------------------------------------------

    def take(self, event: Wanted) -> None:
        """Schedule tasks, which start when this thread waits, or as soon as another one that does comes to it."""
        with self._lock:
            self._feed(event)
            if self._driver not in {None, threading.get_ident()}:
                self.signals.wake()

    def want(self, event: Wanted) -> int | None:
        """Schedule tasks and start what can be started, as :meth:`pump` does; returns what that does."""
        return self.pump(event)

    def cancel(self, names: tuple[str, ...]) -> int | None:
        """End tasks and what depends on them; does not wait for their end. Returns what :meth:`pump` does."""
        return self.pump(Cancelled(names, self._clock()))

    def drop(self, names: Sequence[str]) -> None:
        """Forget tasks, after ending those that run, and block until that is done."""
        with self.attentive():
            with self._lock:
                self._feed(Dropped(tuple(names), self._clock()))
            self._drive_until(lambda: not any(name in self.machine.tasks for name in names), None)

    def pump(self, event: Wanted | Cancelled | None = None) -> int | None:
        """Take in whatever has happened, without waiting; what runs in this process is run.

        Args:
            event: what has happened as well.

        Returns:
            The signal that has stopped the run meanwhile, where nobody waits who would see to it.
        """
        before = self.stop_signal
        with self.attentive():  # a Ctrl-C amid the start of a task would leave one that nobody knows of
            drove = self._pump(event)
        return self.stop_signal if drove and before is None else None

    def _pump(self, event: Wanted | Cancelled | None) -> bool:
        """Do what :meth:`pump` does; return whether no thread waits, this one in an outer call included."""
        with self._lock:
            if event is not None:
                self._feed(event)
            if self._closing:
                return False
            if self._driver not in {None, threading.get_ident()}:
                self.signals.wake()  # the thread that waits sees to it, and to what there is to wait for now
                return False
            outer, self._driver = self._driver, threading.get_ident()
        try:
            while (job := self._next_inline()) is not None:
                self._run_inline(job)
        finally:
            with self._lock:
                self._driver = outer
                self._news.notify_all()
        return outer is None

    @contextlib.contextmanager
    def attentive(self) -> Iterator[None]:
        """Let signals stop the run meanwhile, also those that come at the very end, rather than break off what is done."""
        with self.signals:
            yield
        with self._lock:
            if self.signals.pending:
                self._work()

    def _next_inline(self) -> Job | None:
        """Take in whatever has happened, and return what is to be run in this process now."""
        self._gather(0)
        with self._lock:
            self._work()
            return self._inline_jobs.popleft() if self._inline_jobs else None

    def run(self, names: Iterable[str] | None = None, until: float | None = None) -> bool:
        """Block until the named tasks, or all, are over, or the run was stopped; return whether they are over.

        Args:
            names: what to wait for; None for everything.
            until: when to give up, in seconds of the clock; None for never.

        Raises:
            InternalError: when nothing can happen any more and yet something is open.
        """
        with self._lock:
            watched = None if names is None else {name for name in names if not self._is_over(name)}
            if watched is not None:
                self._watched.append(watched)

        def is_done() -> bool:
            return not self.machine.open_count if watched is None else not watched

        try:
            return self._drive_until(is_done, until)
        finally:
            if watched is not None:
                with self._lock:  # this very one: another thread may wait for the same names
                    self._watched = [other for other in self._watched if other is not watched]

    def idle(self) -> None:
        """Block until something is to run again, or even has, or the run was stopped."""
        self._reopened = False
        self._drive_until(
            lambda: self._reopened or bool(self.machine.open_count) or self.stop_signal is not None, None, idle=True
        )

    def change(self, changes: tuple[tuple[str, float], ...]) -> None:
        """Take note that what tasks read was changed: (task, when, in seconds of the clock)."""
        with self._lock:
            self._feed(Changed(changes, self._clock()))

    def deliver(self) -> None:
        """Block until what was said of a run that is over has been read.

        A signal ends the wait, as does the run's time. What was stopped before waits for its readers only while they
        go on reading, and not for long.
        """
        stopped = self.stop_signal is not None or self.timed_out
        began = last = self._clock()
        written = self._listener.written()
        with self.signals:
            while self._listener.unread() and not self.output_closed:
                with self._lock:
                    self._guarded(lambda: self._listener.tick(self._clock()))
                now = self._clock()
                if self._listener.written() > written:
                    written, last = self._listener.written(), now
                if stopped and now > min(last + LAST_WORDS, began + MOST_LAST_WORDS):
                    return
                if self.deadline is not None and now >= self.deadline:
                    self.timed_out = True
                    return
                while self.signals.pending:
                    number = self.signals.pending.popleft()
                    if number in {self.signals.suspend, self.signals.tell}:
                        self._on_signal(number)
                    else:
                        self.stop_signal = self.stop_signal or number
                        return
                due = self._listener.next_tick(now)
                self._gather(RETRY if due is None else min(max(0.0, due - now), LAST_WORDS))

    def add_reader(self, descriptor: int, call: Callable[[], None]) -> None:
        """Call ``call`` while waiting, whenever a descriptor is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def remove_reader(self, descriptor: int) -> None:
        """Undo :meth:`add_reader`."""
        self._selector.unregister(descriptor)

    def interrupt(self, signal: int, reason: str) -> None:
        """Stop the run: as if ``signal`` had arrived."""
        with self.attentive(), self._lock:
            self._feed(Interrupted(signal, self._clock(), reason))

    def tell(self, message: Message) -> None:
        """Pass a message of the session on to the reporters."""
        self._announce(message)

    def process_of(self, name: str) -> int | None:
        """Return the process that runs a task, None where there is none."""
        return self._executor.process_of(name)

    def take_over(self) -> None:
        """Let every thread that waits return, to be the only one from now on."""
        with self._lock:
            self._closing = True
            self.signals.wake()
            while self._driver not in {None, threading.get_ident()}:
                self._news.wait()

    def close(self) -> None:
        """End whatever still runs and release everything; threads that wait return."""
        self.take_over()
        with self._lock:
            self._executor.close()
            self.signals.close()
            self._prompter.close()
            disown(self._own)
            self._selector.close()
            self._news.notify_all()

    def abandon(self) -> None:
        """Be of no use any more, in a process that was forked from the one that runs this."""
        self._closing = True

    # --- the loop ----------------------------------------------------------------------------------------------

    def _drive_until(self, is_done: Callable[[], bool], until: float | None, *, idle: bool = False) -> bool:
        """Wait until ``is_done``, driving whenever no other thread does; return whether it is."""
        interrupted = False
        while True:
            with self._lock:
                if self._closing or is_done():
                    break
                if self._driver not in {None, threading.get_ident()}:
                    left = None if until is None else until - self._clock()
                    if left is not None and left <= 0:
                        return False
                    try:
                        self._news.wait(left)
                    except KeyboardInterrupt:
                        interrupted = True
                        self.signals.take(SIGINT)
                    continue
                outer, self._driver = self._driver, threading.get_ident()
            try:
                return self._drive(is_done, until, idle=idle)
            finally:
                with self._lock:
                    self._driver = outer
                    self._news.notify_all()
        if interrupted:
            self.stop_signal = None
            raise KeyboardInterrupt
        return not self._closing

    def _drive(self, is_done: Callable[[], bool], until: float | None, *, idle: bool) -> bool:
        with self.attentive():
            if not idle:
                self._take_keys()
            try:
                return self._run_until(is_done, until, idle=idle)
            finally:
                self._keys.give()

    def _run_until(self, is_done: Callable[[], bool], until: float | None = None, *, idle: bool = False) -> bool:
        while True:
            with self._lock:
                self._work()
                if is_done():
                    return True
                if self._closing:
                    return False
                job = self._inline_jobs.popleft() if self._inline_jobs else None
                if job is None and self.machine.quiet and not idle:
                    self._settle()
                    if is_done():
                        return True
                patience = self._patience()
                self._news.notify_all()
            if job is not None:
                self._run_inline(job)
                continue
            if until is not None:
                left = until - self._clock()
                if left <= 0:
                    return False
                patience = left if patience is None else min(patience, left)
            self._gather(patience)

    def _work(self) -> None:
        """Deal with everything that is known already."""
        while True:
            if self.signals.pending:  # first: a task in this process has ended by it, and no other is to start
                self._on_signal(self.signals.pending.popleft())
            elif self._inbox:
                self._take(self._inbox.popleft())
            elif self._stop_is_due:
                self._stop_is_due = False
                self.interrupt(SIGTERM, 'output closed')
            else:
                break
        now = self._clock()
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.timed_out = True
            self.interrupt(SIGTERM, 'the run took too long')
        due = self.machine.deadline
        if due is not None and now >= due:
            self._feed(Tick(now))
        self._guarded(lambda: self._listener.tick(now))

    def _run_inline(self, job: Job) -> None:
        outer, self.signals.in_task = self.signals.in_task, True
        self._inline_names.add(job.name)
        try:
            self._executor.start(job)
        finally:
            self._inline_names.discard(job.name)
            self.signals.in_task = outer

    def _gather(self, timeout: float | None) -> None:
        ready = self._selector.select(timeout)
        with self._lock:
            registered = self._selector.get_map()
            for key, _ in ready:
                if key.fd in registered and registered[key.fd].data is key.data:  # another thread may have gone on
                    key.data()

    def _patience(self) -> float | None:
        """Return how many seconds nothing needs to be done unless something happens."""
        if self._inbox or self._inline_jobs or self.signals.pending or self._stop_is_due:
            return 0
        now = self._clock()
        times = (self.machine.deadline, self.deadline, self._listener.next_tick(now))
        nearest = min((moment for moment in times if moment is not None), default=None)
        return None if nearest is None else max(0.0, nearest - now)

    def _settle(self) -> None:
        self._feed(Settled(self._clock()))
        self._work()
        if self.machine.quiet and self.machine.open_count and not self._inline_jobs:
            stuck = [task.spec.name for task in self.machine.open_tasks()]
            stories = '\n'.join(f'{name}:\n{self.machine.story(name)}' for name in stuck[:5])
            raise InternalError(f'nothing can go on, yet {len(stuck)} procs are open\n{stories}')

    # --- events in ---------------------------------------------------------------------------------------------

    def _take(self, report: Report) -> None:
        if isinstance(report, Ended):
            if report.result is not None:
                self._returned[report.name] = report.result
            self.params_read[report.name] = report.params_read
            self._prompter.forget(report.name)
            self._back(report.name)
            self._feed(Finished(report.name, report.outcome, self._clock()))
        elif isinstance(report, Progressed):
            self._announce(TaskProgressed(report.name, report.fraction, report.message, self._clock()))
        elif isinstance(report, Logged):
            self._announce(TaskLogged(report.name, report.message, self._clock()))
        elif isinstance(report, Warned):
            self._announce(RunWarned(report.message))
        else:
            self._on_asked(report)

    def _on_asked(self, asked: Asked) -> None:
        try:
            if isinstance(asked, CreateAsked):
                created = self._tasks.create(asked.name, asked.target, asked.proc_name, asked.args)
                due = self._tasks.due()
                if due or self.machine.missing:
                    self._feed(self._tasks.wanted(due))
                self._reply(asked.name, {'names': created})
            elif isinstance(asked, InputAsked):
                self._prompter.ask(asked.name, asked.message, hidden=asked.hidden)
            else:
                names = self._tasks.known(asked.name, asked.targets)
                self._feed(self._tasks.wanted(names, start=isinstance(asked, StartAsked)))
                if isinstance(asked, WaitAsked):
                    self._feed(WaitBegan(asked.name, tuple(names), self._clock()))
                else:
                    self._reply(asked.name, {'names': names})
        except UserError as error:
            self._reply(asked.name, {'error': error.message, 'hint': error.hint})

    def ask_inline(self, asked: Asked) -> tuple[Mapping[str, object], Mapping[str, EncodedResult]]:
        """Answer a task that runs inside this process: the engine goes on, nested, until there is an answer."""
        self.signals.in_task = False
        with self._lock:
            self._on_asked(asked)
        self._run_until(lambda: asked.name in self._inline_answers)
        self.signals.in_task = True
        return self._inline_answers.pop(asked.name)

    def _on_signal(self, signal: int) -> None:
        if signal == self.signals.suspend:
            self._pause()
            return
        if signal == self.signals.tell:
            self._guarded(lambda: self._listener.show_state(self._clock()))
            return
        if self.stop_signal is None:
            self.stop_signal = signal
        elif self.signals.received > 2:
            die_by(self.stop_signal)
        self.interrupt(signal, signal_name(signal))

    def _pause(self) -> None:
        """Stand still with all tasks, as Ctrl-Z asks, until the shell lets us go on."""
        began = self._clock()
        running = [task.spec.name for task in self.machine.open_tasks() if task.started is not None]
        for name in running:
            self._executor.kill(name, self.signals.stop)
        self._step_aside(True)
        self.signals.stand_still()
        self._step_aside(False)
        for name in running:
            self._executor.kill(name, self.signals.go_on)
        slept = self._clock() - began
        if self.deadline is not None:
            self.deadline += slept
        self._feed(Slept(slept, self._clock()))

    # --- actions out -------------------------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        """Let the machine have an event, and do what it says; what a listener asks for meanwhile comes after that."""
        self._events.append(event)
        if self._feeding:
            return
        self._feeding = True
        try:
            while self._events:
                actions = self.machine.handle(self._events.popleft())
                if self._checks_invariants:
                    self.machine.validate()
                for action in actions:
                    refused = self._perform(action)
                    if refused is not None:
                        self._events.append(refused)
        finally:
            self._feeding = False

    def _perform(self, action: Action) -> Event | None:
        if isinstance(action, Launch):
            return self._launch(action)
        if isinstance(action, Kill):
            self._executor.kill(action.name, action.signal)
        elif isinstance(action, Resume):
            self._resume(action)
        elif isinstance(action, TaskStarted) and action.name in self._announced:
            self._announced.discard(action.name)
        else:
            if isinstance(action, TaskFinished):
                self._on_finished(action)
            elif isinstance(action, TaskReopened):
                self._on_reopened(action.name)
            self._announce(action)
        return None

    def _launch(self, launch: Launch) -> StartFailed | None:
        try:
            job = self._tasks.job(launch.name, launch.attempt)
            if job.interactive:
                self._in_front.add(launch.name)
                self._step_aside(True)
            if job.in_process:
                self._inline_jobs.append(job)
                return None
            if self.machine.inline:  # its output is not a log's: the line that it starts has to be there before
                self._announce(TaskStarted(launch.name, launch.attempt, self._clock()))
                self._announced.add(launch.name)
            self._executor.start(job)
        except StartError as error:
            self._back(launch.name)
            self._announced.add(launch.name)
            return StartFailed(launch.name, error.reason, error.scarce, self._clock())
        except UserError as error:
            self._announced.add(launch.name)
            return StartFailed(launch.name, error.message, scarce=False, time=self._clock())
        return None

    def _resume(self, resume: Resume) -> None:
        if resume.deadlock:
            self._reply(resume.name, {'error': resume.deadlock, 'hint': None, 'deadlock': True})
            return
        tasks = {name: self.machine.tasks.get(name) for name in resume.failed}
        failed = {
            name: 'declared again' if task is None or task.outcome is None else task.outcome.reason
            for name, task in tasks.items()
        }
        results = {name: self.results[name] for name in resume.awaited if name in self.results}
        self._reply(resume.name, {'names': list(resume.awaited), 'failed': failed}, results)

    def _reply(
        self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult] | None = None
    ) -> None:
        if name in self._inline_names:
            self._inline_answers[name] = (answer, results or {})
        else:
            self._executor.reply(name, answer, results or {})

    def _on_finished(self, finished: TaskFinished) -> None:
        name = finished.name
        result = self._returned.pop(name, None)
        if result is not None and finished.outcome.state.is_good:
            self.results[name] = result
        self.ends[name] = finished.time
        for watched in self._watched:
            watched.discard(name)

    def _on_reopened(self, name: str) -> None:
        self._reopened = True
        for known in (self._returned, self.results, self.ends):
            known.pop(name, None)
        self._tasks.forget(name)

    def _take_keys(self) -> None:
        if self._listener.wants_keys() and not self._in_front:
            self._keys.take()

    def _on_key(self, key: str) -> None:
        if key == STOP_KEY:
            self.signals.pending.append(SIGINT)
        else:
            self._guarded(lambda: self._listener.press(key))

    def _back(self, name: str) -> None:
        """Take the terminal back from a task that had it."""
        if name in self._in_front:
            self._in_front.discard(name)
            self._step_aside(False)

    def _step_aside(self, away: bool) -> None:
        if away:
            self._keys.give()
        else:
            self._take_keys()
        self._guarded(lambda: self._listener.step_aside(away))

    def _say(self, text: str) -> None:
        self._guarded(lambda: self._listener.say(text))

    def _announce(self, message: Announcement | Message) -> None:
        self._guarded(lambda: self._listener.handle(message))

    def _guarded(self, call: Callable[[], None]) -> None:
        """Call a reporter; when nobody reads its output any more, the run ends, once the actions at hand are performed."""
        try:
            call()
        except BrokenPipeError:
            if not self.output_closed:
                self.output_closed = self._stop_is_due = True

    def _is_over(self, name: str) -> bool:
        task = self.machine.tasks.get(name)
        return task is None or task.is_over
