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
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from signal import SIGINT
from typing import TypeAlias

from parproc.control.signals import SignalInbox, die_by
from parproc.core.events import Cancelled, Changed, Dropped, Interrupted, Settled, Slept, Tick, Wanted
from parproc.core.machine import Machine
from parproc.core.stopping import SIGTERM
from parproc.core.view import Message
from parproc.engine.actions import ActionPerformer
from parproc.engine.driving import DriverSeat
from parproc.engine.jobs import Jobs
from parproc.engine.listener import GuardedListener, Listener
from parproc.engine.reports import ReportTaker
from parproc.engine.result_store import ResultStore
from parproc.engine.stop_state import StopState
from parproc.engine.tasks import TaskSource
from parproc.engine.terminal import Terminal
from parproc.errors import InternalError
from parproc.exec.protocol import Answer, Asked, Executor, Job, Report
from parproc.exec.system import signal_name
from parproc.host.descriptors import disown, own

RETRY_SECONDS = 0.02
"""How soon a reader who did not take everything is tried again, where the listener names no time."""
SILENT_READER_SECONDS = 1.0
"""How long the readers of a stopped run may take nothing."""
LAST_WORDS_SECONDS = 10.0
"""How long the readers of a stopped run may take altogether."""
SIGNALS_BEFORE_LEAVING = 2
"""The first signal asks what runs to end, the second kills it; with one more, this process leaves at once."""
MOST_STORIES = 5
"""How many stuck tasks an error tells the story of."""

ExecutorFactory: TypeAlias = Callable[[selectors.BaseSelector, Callable[[Report], None]], Executor]


class Engine:
    """Runs a machine against the world.

    Args:
        machine: decides.
        tasks: knows the tasks.
        executor: makes the executor, given the selector and where to post reports.
        listener: receives every announcement and message.
        results: keeps what tasks returned.
        lock: guards all of this; every method takes it, and the wait for something to happen lets it go.
        deadline: when the run's time is up, in seconds of the clock; None for never.
        clock: monotonic seconds.
        selector: what to wait in, and is closed with this; None for the system's best.

    Attributes:
        machine: decides.
        signals: those that arrive at this process.
        stop: whether, and why, the run is to end before everything is done.
    """

    def __init__(
        self,
        machine: Machine,
        tasks: TaskSource,
        executor: ExecutorFactory,
        listener: Listener,
        *,
        results: ResultStore | None = None,
        lock: threading.RLock | None = None,
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        self.machine = machine
        self._clock = clock
        self._lock = lock or threading.RLock()
        self._selector = selector or selectors.DefaultSelector()
        self._own = own(self._selector.fileno()) if hasattr(self._selector, 'fileno') else -1
        self._inbox: deque[Report] = deque()
        made = executor(self._selector, self._inbox.append)
        self.signals = SignalInbox(self._selector, inline=machine.inline)
        self.stop = StopState(deadline)
        self._seat = DriverSeat(self._lock, self.signals, self.stop, clock)
        self._is_stuck = False
        self._listener = GuardedListener(listener)
        self._jobs = jobs = Jobs(made, self.signals)
        self._terminal = Terminal(self._selector, self._listener, jobs.reply, lambda: self.signals.post(SIGINT))
        self._results = results or ResultStore()
        self._performer = ActionPerformer(machine, tasks, jobs, self._listener, self._terminal, self._results, clock)
        self._reports = ReportTaker(
            machine, tasks, self._performer, jobs, self._listener, self._terminal, self._results, clock
        )

    # --- what has become of it ---------------------------------------------------------------------------------

    @property
    def output_closed(self) -> bool:
        """True once nobody reads the output of the listener any more."""
        return self._listener.output_closed

    @property
    def is_broken(self) -> bool:
        """True once an error of ours has broken off a decision, so that waiting for what is open could last for ever."""
        return self._is_stuck or self._performer.is_broken

    def process_of(self, name: str) -> int | None:
        """Return the process that runs a task, None where there is none."""
        return self._jobs.process_of(name)

    # --- scheduling --------------------------------------------------------------------------------------------

    def take(self, event: Wanted) -> None:
        """Schedule tasks, which start when this thread waits, or as soon as another one that does comes to it."""
        with self._lock:
            self._performer.feed(event)
            if self._seat.is_taken():
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
                self._performer.feed(Dropped(tuple(names), self._clock()))
            self._drive_until(lambda: not any(name in self.machine.tasks for name in names), None)

    def change(self, changes: tuple[tuple[str, float], ...]) -> None:
        """Take note that what tasks read was changed: (task, when, in seconds of the clock)."""
        with self._lock:
            self._performer.feed(Changed(changes, self._clock()))

    def interrupt(self, signal: int, reason: str) -> None:
        """Stop the run: as if ``signal`` had arrived."""
        with self.attentive(), self._lock:
            self._performer.feed(Interrupted(signal, self._clock(), reason))

    def tell(self, message: Message) -> None:
        """Pass a message on to the reporters."""
        self._listener.handle(message)

    def pump(self, event: Wanted | Cancelled | None = None) -> int | None:
        """Take in whatever has happened, without waiting; what runs in this process is run.

        Args:
            event: what has happened as well.

        Returns:
            The signal that has stopped the run meanwhile, where nobody waits who would see to it.
        """
        before = self.stop.signal
        with self.attentive():  # a Ctrl-C amid the start of a task would leave one that nobody knows of
            drove = self._pump(event)
        return self.stop.signal if drove and before is None else None

    def _pump(self, event: Wanted | Cancelled | None) -> bool:
        """Do what :meth:`pump` does; return whether no thread waits, this one in an outer call included."""
        with self._lock:
            if event is not None:
                self._performer.feed(event)
            if self._seat.is_closing:
                return False
            if self._seat.is_taken():
                self.signals.wake()  # the thread that waits sees to it, and to what there is to wait for now
                return False
            outer = self._seat.take()
        try:
            while (job := self._next_inline()) is not None:
                self._jobs.run_inline(job)
        finally:
            self._seat.leave(outer)
        return outer is None

    def _next_inline(self) -> Job | None:
        """Take in whatever has happened, and return what is to be run in this process now."""
        self._gather(0)
        with self._lock:
            self._work()
            return self._jobs.next_inline()

    @contextlib.contextmanager
    def attentive(self) -> Iterator[None]:
        """Let signals stop the run meanwhile, also those that come at the very end, rather than break off what is done."""
        with self.signals:
            yield
        with self._lock:
            if self.signals.pending:
                self._work()

    # --- waiting -----------------------------------------------------------------------------------------------

    def run(self, names: Iterable[str] | None = None, until: float | None = None) -> bool:
        """Block until the named tasks, or all, are over, or the run was stopped; return whether they are over.

        Args:
            names: what to wait for; None for everything.
            until: when to give up, in seconds of the clock; None for never.

        Raises:
            InternalError: when nothing can happen any more and yet something is open.
        """
        if names is None:
            return self._drive_until(lambda: not self.machine.open_count, until)
        with self._lock:
            awaited = self._performer.await_tasks(names)
        try:
            return self._drive_until(lambda: not awaited, until)
        finally:
            with self._lock:
                self._performer.await_no_longer(awaited)

    def idle(self) -> None:
        """Block until something is to run again, or even has, or the run was stopped."""
        before = self._performer.reopened_count

        def is_done() -> bool:
            reopened = self._performer.reopened_count != before
            return reopened or bool(self.machine.open_count) or self.stop.signal is not None

        self._drive_until(is_done, None, idle=True)

    def ask_inline(self, asked: Asked) -> Answer:
        """Answer a task that runs inside this process: the engine goes on, nested, until there is an answer."""
        self.signals.set_in_task(False)
        with self._lock:
            self._reports.take_question(asked)
        self._run_until(lambda: self._jobs.has_inline_answer(asked.name))
        self.signals.set_in_task(True)
        return self._jobs.take_inline_answer(asked.name)

    def deliver(self) -> None:
        """Block until what was said of a run that is over has been read.

        A signal ends the wait, as does the run's time. What was stopped before waits for its readers only while they
        go on reading, and not for long.
        """
        is_stopped = self.stop.is_stopped
        began = last = self._clock()
        written = self._listener.written()
        with self.signals:
            while self._listener.unread():
                with self._lock:
                    self._listener.tick(self._clock())
                now = self._clock()
                if self._listener.written() > written:
                    written, last = self._listener.written(), now
                if is_stopped and now > min(last + SILENT_READER_SECONDS, began + LAST_WORDS_SECONDS):
                    return
                if self.stop.check_time(now) or self._is_stopped_by_signal():
                    return
                due = self._listener.next_tick(now)
                self._gather(RETRY_SECONDS if due is None else min(max(0.0, due - now), SILENT_READER_SECONDS))

    def _is_stopped_by_signal(self) -> bool:
        """Take what signals have arrived while nothing runs any more; return whether one of them ends the wait."""
        while self.signals.pending:
            number = self.signals.pending.popleft()
            if number not in {self.signals.suspend, self.signals.tell}:
                self.stop.note_signal(number)
                return True
            self._on_signal(number)
        return False

    # --- readers, and the end ----------------------------------------------------------------------------------

    def add_reader(self, descriptor: int, call: Callable[[], None]) -> None:
        """Call ``call`` while waiting, whenever a descriptor is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def remove_reader(self, descriptor: int) -> None:
        """Undo :meth:`add_reader`."""
        self._selector.unregister(descriptor)

    def take_over(self) -> None:
        """Let every thread that waits return, to be the only one from now on."""
        self._seat.take_over()

    def close(self) -> None:
        """End whatever still runs and release everything; threads that wait return."""
        self.take_over()
        with self._lock:
            self._jobs.close()
            self.signals.close()
            self._terminal.close()
            disown(self._own)
            self._selector.close()
            self._seat.notify()

    def abandon(self) -> None:
        """Be of no use any more, in a process that was forked from the one that runs this."""
        self._seat.abandon()

    # --- the loop ----------------------------------------------------------------------------------------------

    def _drive_until(self, is_done: Callable[[], bool], until: float | None, *, idle: bool = False) -> bool:
        """Wait until ``is_done``, driving whenever no other thread does; return whether it is."""
        return self._seat.drive_until(is_done, until, lambda: self._drive(is_done, until, idle=idle))

    def _drive(self, is_done: Callable[[], bool], until: float | None, *, idle: bool) -> bool:
        with self.attentive():
            if not idle:
                self._terminal.take_keys()
            try:
                return self._run_until(is_done, until, idle=idle)
            finally:
                self._terminal.give_keys()

    def _run_until(self, is_done: Callable[[], bool], until: float | None = None, *, idle: bool = False) -> bool:
        while True:
            with self._lock:
                self._work()
                if is_done():
                    return True
                if self._seat.is_closing:
                    return False
                job = self._jobs.next_inline()
                if job is None and self.machine.quiet and not idle:
                    self._settle()
                    if is_done():
                        return True
                patience = self._patience()
                self._seat.notify()
            if job is not None:
                self._jobs.run_inline(job)
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
                self._reports.take(self._inbox.popleft())
            elif self._listener.take_closing():
                self.interrupt(SIGTERM, 'output closed')
            else:
                break
        now = self._clock()
        if self.stop.check_time(now):
            self.interrupt(SIGTERM, 'the run took too long')
        due = self.machine.deadline
        if due is not None and now >= due:
            self._performer.feed(Tick(now))
        self._listener.tick(now)

    def _gather(self, timeout: float | None) -> None:
        """Block until something happens, or ``timeout`` seconds have passed, and take it into the inbox."""
        ready = self._selector.select(timeout)
        with self._lock:
            registered = self._selector.get_map()
            for key, _ in ready:
                if key.fd in registered and registered[key.fd].data is key.data:  # another thread may have gone on
                    key.data()

    def _patience(self) -> float | None:
        """Return how many seconds nothing needs to be done unless something happens."""
        if self._inbox or self._jobs.has_inline or self.signals.pending or self._listener.closing_is_news:
            return 0
        now = self._clock()
        times = (self.machine.deadline, self.stop.deadline, self._listener.next_tick(now))
        nearest = min((moment for moment in times if moment is not None), default=None)
        return None if nearest is None else max(0.0, nearest - now)

    def _settle(self) -> None:
        """Let the machine know that nothing will be declared any more by itself; raises InternalError when it is stuck."""
        self._performer.feed(Settled(self._clock()))
        self._work()
        if self.machine.quiet and self.machine.open_count and not self._jobs.has_inline:
            self._is_stuck = True
            stuck = [task.spec.name for task in self.machine.open_tasks()]
            stories = '\n'.join(f'{name}:\n{self.machine.story(name)}' for name in stuck[:MOST_STORIES])
            raise InternalError(f'nothing can go on, yet {len(stuck)} procs are open\n{stories}')

    # --- signals -----------------------------------------------------------------------------------------------

    def _on_signal(self, signal: int) -> None:
        if signal == self.signals.suspend:
            self._pause()
            return
        if signal == self.signals.tell:
            self._listener.show_state(self._clock())
            return
        if not self.stop.note_signal(signal) and self.signals.received > SIGNALS_BEFORE_LEAVING:
            die_by(self.stop.signal or signal)
        self.interrupt(signal, signal_name(signal))

    def _pause(self) -> None:
        """Stand still with all tasks, as Ctrl-Z asks, until the shell lets us go on."""
        began = self._clock()
        running = [task.spec.name for task in self.machine.open_tasks() if task.started is not None]
        for name in running:
            self._jobs.kill(name, self.signals.stop)
        self._terminal.step_aside(True)
        self.signals.stand_still()
        self._terminal.step_aside(False)
        for name in running:
            self._jobs.kill(name, self.signals.go_on)
        slept = self._clock() - began
        self.stop.postpone(slept)
        self._performer.feed(Slept(slept, self._clock()))
