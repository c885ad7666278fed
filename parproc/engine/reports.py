"""Taking in what an executor reports of tasks: their ends, what they say, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable

from parproc.core.closed import assert_never
from parproc.core.events import Finished, WaitBegan
from parproc.core.machine import Machine
from parproc.core.view import RunWarned, TaskLogged, TaskProgressed
from parproc.engine.actions import ActionPerformer
from parproc.engine.jobs import Jobs
from parproc.engine.listener import GuardedListener
from parproc.engine.result_store import ResultStore
from parproc.engine.tasks import TaskSource
from parproc.engine.terminal import Terminal
from parproc.errors import UserError
from parproc.exec.protocol import (
    Asked,
    CreateAsked,
    Ended,
    InputAsked,
    Logged,
    Progressed,
    Report,
    StartAsked,
    WaitAsked,
    Warned,
)


class ReportTaker:
    """Turns reports into events for the machine, messages for the reporters and answers for the tasks.

    Args:
        machine: decides.
        tasks: knows the tasks.
        performer: takes events.
        jobs: pass answers on.
        listener: is told what tasks say.
        terminal: where questions to the person are put.
        results: keeps what tasks returned.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        machine: Machine,
        tasks: TaskSource,
        performer: ActionPerformer,
        jobs: Jobs,
        listener: GuardedListener,
        terminal: Terminal,
        results: ResultStore,
        clock: Callable[[], float],
    ) -> None:
        self._machine = machine
        self._tasks = tasks
        self._performer = performer
        self._jobs = jobs
        self._listener = listener
        self._terminal = terminal
        self._results = results
        self._clock = clock

    def take(self, report: Report) -> None:
        """Take one report."""
        match report:
            case Ended():
                self._results.note_attempt(report)
                self._terminal.forget(report.name)
                self._performer.feed(Finished(report.name, report.outcome, self._clock()))
            case Progressed():
                self._listener.handle(TaskProgressed(report.name, report.fraction, report.message, self._clock()))
            case Logged():
                self._listener.handle(TaskLogged(report.name, report.message, self._clock()))
            case Warned():
                self._listener.handle(RunWarned(report.message))
            case CreateAsked() | StartAsked() | WaitAsked() | InputAsked():
                self.take_question(report)
            case _:
                assert_never(report)

    def take_question(self, asked: Asked) -> None:
        """Do what a running task asks for; what cannot be is raised in that task."""
        try:
            match asked:
                case CreateAsked():
                    self._create(asked)
                case StartAsked():
                    names = self._schedule(asked.name, asked.targets, start=True)
                    self._jobs.reply(asked.name, {'names': names})
                case WaitAsked():
                    names = self._schedule(asked.name, asked.targets, start=False)
                    self._performer.feed(WaitBegan(asked.name, tuple(names), self._clock()))
                case InputAsked():
                    self._terminal.ask(asked.name, asked.message, hidden=asked.hidden)
                case _:
                    assert_never(asked)
        except UserError as error:
            self._jobs.reply(asked.name, {'error': error.message, 'hint': error.hint})

    def _create(self, asked: CreateAsked) -> None:
        created = self._tasks.create(asked.name, asked.target, asked.proc_name, asked.args)
        due = self._tasks.due()
        if due or self._machine.missing:
            self._performer.feed(self._tasks.wanted(due))
        self._jobs.reply(asked.name, {'names': created})

    def _schedule(self, asker: str, targets: tuple[str, ...], *, start: bool) -> list[str]:
        names = self._tasks.known(asker, targets)
        self._performer.feed(self._tasks.wanted(names, start=start))
        return names
