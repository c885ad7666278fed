"""Performing what the machine decides: launch, kill, resume, and tell the reporters of everything."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable

from parproc.core.closed import assert_never
from parproc.core.events import (
    Action,
    Event,
    Kill,
    Launch,
    Resume,
    RunStopping,
    StartFailed,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.machine import Machine
from parproc.engine.jobs import Jobs
from parproc.engine.listener import GuardedListener
from parproc.engine.result_store import ResultStore
from parproc.engine.tasks import TaskSource
from parproc.engine.terminal import Terminal
from parproc.errors import UserError
from parproc.exec.protocol import StartError


class ActionPerformer:
    """Gives events to the machine and performs the actions that it answers with, in order.

    Args:
        machine: decides.
        tasks: knows the tasks.
        jobs: starts them.
        listener: is told what has happened.
        terminal: goes to tasks that talk to the person.
        results: keeps what tasks returned.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        machine: Machine,
        tasks: TaskSource,
        jobs: Jobs,
        listener: GuardedListener,
        terminal: Terminal,
        results: ResultStore,
        clock: Callable[[], float],
    ) -> None:
        self._machine = machine
        self._tasks = tasks
        self._jobs = jobs
        self._listener = listener
        self._terminal = terminal
        self._results = results
        self._clock = clock
        self._events: deque[Event] = deque()
        self._is_feeding = False
        self._is_broken = False
        self._checks_invariants = os.environ.get('PARPROC_CHECK') == '1'
        self._announced: set[str] = set()  # whose next start is not to be announced: it was, or there was none
        self._awaited: list[set[str]] = []
        self._reopened_count = 0

    def feed(self, event: Event) -> None:
        """Let the machine have an event, and do what it says; what a listener asks for meanwhile comes after that."""
        self._events.append(event)
        if self._is_feeding:
            return
        self._is_feeding = True
        try:
            while self._events:
                actions = self._machine.handle(self._events.popleft())
                if self._checks_invariants:
                    self._machine.validate()
                for action in actions:
                    self._perform(action)
        except Exception:
            self._is_broken = True
            raise
        finally:
            self._is_feeding = False

    @property
    def is_broken(self) -> bool:
        """True once an error of ours came between what the machine decided and what was done."""
        return self._is_broken

    # --- who waits for whom ------------------------------------------------------------------------------------

    @property
    def reopened_count(self) -> int:
        """How many times a task that was over was to run once more."""
        return self._reopened_count

    def await_tasks(self, names: Iterable[str]) -> set[str]:
        """Return those of ``names`` that are not over, a set from which each goes as it ends."""
        awaited = {name for name in names if not self._is_over(name)}
        self._awaited.append(awaited)
        return awaited

    def await_no_longer(self, awaited: set[str]) -> None:
        """Let go of a set that :meth:`await_tasks` has returned."""
        self._awaited = [other for other in self._awaited if other is not awaited]  # equal ones are other threads'

    def _is_over(self, name: str) -> bool:
        task = self._machine.tasks.get(name)
        return task is None or task.is_over

    # --- one action --------------------------------------------------------------------------------------------

    def _perform(self, action: Action) -> None:
        match action:
            case Launch():
                self._launch(action)
            case Kill():
                self._jobs.kill(action.name, action.signal)
            case Resume():
                self._resume(action)
            case TaskStarted():
                if action.name in self._announced:
                    self._announced.discard(action.name)
                else:
                    self._listener.handle(action)
            case TaskFinished():
                self._results.note_finished(action)
                for awaited in self._awaited:
                    awaited.discard(action.name)
                self._listener.handle(action)
            case TaskReopened():
                self._reopened_count += 1
                self._results.forget(action.name)
                self._tasks.forget(action.name)
                self._listener.handle(action)
            case TaskWanted() | TaskRetrying() | TaskWaiting() | TaskResumed() | RunStopping():
                self._listener.handle(action)
            case _:
                assert_never(action)

    def _launch(self, launch: Launch) -> None:
        """Start an attempt; the machine hears as the next event when that could not be."""
        try:
            job = self._tasks.job(launch.name, launch.attempt)
            if job.interactive:
                self._terminal.give_to(launch.name)
            if (
                self._machine.inline and not job.in_process
            ):  # its output is not a log's: the line that it starts comes first
                self._listener.handle(TaskStarted(launch.name, launch.attempt, self._clock()))
                self._announced.add(launch.name)
            self._jobs.start(job)
        except StartError as error:
            self._terminal.take_back(launch.name)
            self._refuse(launch.name, error.reason, scarce=error.scarce)
        except UserError as error:
            self._refuse(launch.name, error.message, scarce=False)

    def _refuse(self, name: str, reason: str, *, scarce: bool) -> None:
        self._announced.add(name)
        self._events.append(StartFailed(name, reason, scarce, self._clock()))

    def _resume(self, resume: Resume) -> None:
        """Let a task go on that has waited, with what became of what it waited for."""
        if resume.deadlock:
            self._jobs.reply(resume.name, {'error': resume.deadlock, 'hint': None, 'deadlock': True})
            return
        tasks = {name: self._machine.tasks.get(name) for name in resume.failed}
        failed = {
            name: 'declared again' if task is None or task.outcome is None else task.outcome.reason
            for name, task in tasks.items()
        }
        known = self._results.results
        results = {name: known[name] for name in resume.awaited if name in known}
        self._jobs.reply(resume.name, {'names': list(resume.awaited), 'failed': failed}, results)
