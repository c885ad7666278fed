"""Tasks in processes of their own: forked for functions, spawned for commands, watched in the same way.

One thread. A child's end shows as its pidfd becoming readable (or as SIGCHLD), what it says arrives on its channel, and
both are seen by the engine's one wait. How a child comes about is the business of :mod:`parproc.exec.start`; all that
follows is the same.
"""

from __future__ import annotations

import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from signal import SIGCONT, SIGKILL

from parproc.core.model import SUCCESS, ErrorKind, Outcome, failure
from parproc.exec import system
from parproc.exec.child import openmp
from parproc.exec.cpython import socket
from parproc.exec.foreground import Foreground
from parproc.exec.processes.channel import ParentChannel
from parproc.exec.processes.child_process import ChildProcess
from parproc.exec.processes.exit_status import outcome_of, with_usage
from parproc.exec.processes.exit_watch import ExitWatch
from parproc.exec.processes.parent_setup import ParentSetup
from parproc.exec.processes.survivors import Survivors
from parproc.exec.processes.terminal_loan import TerminalLoans
from parproc.exec.protocol import Ended, FunctionResolver, Job, Report, StartError, TaskRef, Warned, start_error
from parproc.exec.start.fork import fork_child
from parproc.exec.start.socket_pair import close_channel, open_channel
from parproc.exec.start.spawn import UnusableCommandError, spawn_command
from parproc.exec.start.thread_warning import ThreadWarning
from parproc.exec.supervision import ownership
from parproc.exec.supervision.kill_tree import FREEZING, TreeSignaller
from parproc.exec.supervision.orphans import Orphans
from parproc.exec.supervision.supervisor import Supervisor
from parproc.values.encoding import EncodedResult

LONGEST_DYING_SECONDS = 5.0


class ProcessExecutor:
    """Runs each job in a child process; see :class:`parproc.exec.protocol.Executor`.

    Args:
        selector: watches each child's exit (a pidfd) and its channel.
        post: takes reports.
        functions: finds the functions that jobs name.
        run_id: stands in the children's environment, so that what they leave behind can be found.
        reset: what to write to the terminal when this process is killed.
        exclusive: nothing but tasks starts processes in this program while they run, as with the command line; then
            also a daemon that hides its origin is known for a task's.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        post: Callable[[Report], None],
        functions: FunctionResolver,
        *,
        run_id: str,
        exclusive: bool = False,
        reset: bytes = b'',
    ) -> None:
        self._exclusive = exclusive
        self._selector = selector
        self._post = post
        self._functions = functions
        self._children: dict[str, ChildProcess] = {}
        self._setup: ParentSetup | None = None
        self._supervisor = Supervisor(selector, self._sessions, run_id, reset)
        self._signaller = TreeSignaller()
        self._exits = ExitWatch(selector, self._on_exit, self._look_for_exits)
        self._terminal_loans = TerminalLoans(selector, self._children.values)
        self._orphans = Orphans(run_id, exclusive=exclusive)
        self._survivors = Survivors(selector, self._orphans, self._children.__contains__)
        self._thread_warning = ThreadWarning(post if exclusive else None)

    # --- the protocol ------------------------------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Start a child for ``job``; one that has nothing to run has succeeded."""
        if job.function is None and not job.commands:
            self._post(Ended(job.name, SUCCESS))
            return
        setup = self._prepared()
        writer = self._supervisor.writer()
        if not self._children:
            self._note_earlier_children()
        foreground = Foreground() if job.interactive else None
        if job.function is None:
            self._spawn(job, deque(job.commands), setup)
        else:
            self._fork(job, job.function, setup, writer)
        child = self._children.get(job.name)
        if foreground is not None and child is not None:
            self._terminal_loans.lend(child, foreground)

    def kill(self, name: str, signal: int) -> None:
        """Send a signal to everything of the task."""
        child = self._children.get(name)
        if child is None:
            return
        child.is_signalled = child.is_signalled or signal not in FREEZING
        if signal == SIGCONT and child.foreground is not None:
            child.foreground.lend(child.pid)
        child.is_killed = child.is_killed or signal == SIGKILL
        if child.is_reaped and child.is_killed:
            self._finish(child)
        else:
            self._signaller.send(child.pid, signal, is_reaped=child.is_reaped)

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a question of the task."""
        child = self._children.get(name)
        if child is not None and child.channel is not None:
            child.channel.reply(answer, results)

    def process_of(self, name: str) -> int | None:
        """Return the process of a task that runs."""
        child = self._children.get(name)
        return None if child is None else child.pid

    def close(self) -> None:
        """Kill what still runs, and let the reaper go."""
        children = list(self._children.values())
        for child in children:
            self.kill(child.job.name, SIGKILL)
        for child in children:
            self._await(child)
        self._supervisor.close()
        if self._setup is not None:
            hidden = self._orphans.close()
            if hidden:
                self._post(Warned(f'ended what procs had left running: {", ".join(hidden)}'))
            self._setup.close()
            self._setup = None
        self._terminal_loans.close()
        self._exits.close()

    # --- starting ----------------------------------------------------------------------------------------------

    def _prepared(self) -> ParentSetup:
        """Make this process ready to have children, if it is not yet."""
        if self._setup is None:
            self._setup = ParentSetup(exclusive=self._exclusive)
        return self._setup

    def _fork(self, job: Job, ref: TaskRef, setup: ParentSetup, writer: int) -> None:
        has_threads = self._thread_warning.look()
        if openmp.look():
            self._post(Warned(openmp.WARNING))
        found = self._functions.call(ref.name), self._functions.name_of
        mine, theirs = open_channel(setup.highest_descriptor, setup.resources.high)
        try:
            with ownership.making_processes():
                pid = fork_child(job, found, theirs, writer, setup.resources, alone=not has_threads)
                child = self._adopted(job, pid)
        except StartError:
            close_channel(mine)
            raise
        self._accept(child, mine)

    def _spawn(self, job: Job, commands: deque[tuple[str, ...]], setup: ParentSetup) -> None:
        """Start the first of some commands; those that follow start when it has ended well."""
        first = len(commands) == len(job.commands)
        setup.check_descriptors()
        try:
            with ownership.making_processes():
                words = commands.popleft()
                spawn = partial(spawn_command, job, words, setup.resources.nothing, self._post, first=first)
                child = self._adopted(job, ownership.spawn_marked(spawn, alone=threading.active_count() == 1))
        except UnusableCommandError as error:
            self._post(Ended(job.name, failure(ErrorKind.FAILED, error.reason)))
            return
        child.commands_left = commands
        self._supervisor.remember(child.pid)
        self._accept(child, None)

    def _adopted(self, job: Job, pid: int) -> ChildProcess:
        child = ChildProcess(job, pid)
        ownership.adopt(pid, child)
        return child

    def _accept(self, child: ChildProcess, channel: socket | None) -> None:
        """Be told of a child's end and of what it says."""
        self._children[child.job.name] = child
        try:
            self._exits.watch(child)
            if channel is not None:
                child.channel = ParentChannel(self._selector, self._post, child.job, channel)
        except OSError as error:
            if channel is not None:
                close_channel(channel)
            self._abandon(child)
            raise start_error(error) from None
        if child.pidfd < 0:
            self._look_for_exits()

    def _abandon(self, child: ChildProcess) -> None:
        """End a child that cannot be watched."""
        system.send(child.pid, SIGKILL)
        system.wait_for_end(child.pid, -1, LONGEST_DYING_SECONDS)
        child.disconnect(self._selector)
        self._remove(child)

    def _sessions(self) -> list[int]:
        return [child.pid for child in self._children.values()]

    def _note_earlier_children(self) -> None:
        try:
            self._orphans.look()
        except OSError as error:
            raise start_error(error) from None

    # --- when it is over ---------------------------------------------------------------------------------------

    def _look_for_exits(self) -> None:
        """Find out who has ended, where no descriptor tells."""
        for child in list(self._children.values()):
            if child.pidfd < 0 and not child.is_reaped:
                self._on_exit(child)
        self._supervisor.look()

    def _await(self, child: ChildProcess) -> None:
        """Take in the end of a child that was killed; one that cannot die is not waited for."""
        deadline = time.monotonic() + LONGEST_DYING_SECONDS
        while self._children.get(child.job.name) is child:
            self._on_exit(child)
            left = deadline - time.monotonic()
            if left <= 0 and self._children.get(child.job.name) is child:
                child.disconnect(self._selector)
                self._remove(child)
                self._end(child, failure(ErrorKind.SIGNAL, 'could not be killed'))
            elif self._children.get(child.job.name) is child:
                system.pause_for(child.pidfd, left)

    def _on_exit(self, child: ChildProcess) -> None:
        """Take in the end of a child's process, if it has come."""
        if not child.reap():
            return
        child.disconnect(self._selector)
        if not child.is_signalled or child.is_killed or not self._survivors.watch(child, self._finish):
            self._finish(child)

    def _finish(self, child: ChildProcess) -> None:
        """End what a task has left running, and go on with its next command, or say how it ended."""
        self._survivors.forget(child)
        leaked = self._remove(child)
        child.leaked += () if child.is_signalled else leaked
        if child.commands_left and child.status == 0 and not child.is_signalled:
            self._go_on(child)
        else:
            self._end(child, outcome_of(child, self._ran_out_of_memory))

    def _ran_out_of_memory(self) -> bool:
        return self._setup is not None and self._setup.ran_out_of_memory()

    def _remove(self, child: ChildProcess) -> tuple[str, ...]:
        """Forget a child; return what it had left running, which is ended."""
        del self._children[child.job.name]
        leaked = self._orphans.end(child.pid, self._survivors.is_running_beside(child))
        ownership.disown(child.pid, child)
        self._supervisor.forget(child.pid)
        return leaked

    def _go_on(self, child: ChildProcess) -> None:
        """Start the next of a job's commands."""
        job = child.job
        try:
            setup = self._prepared()
            self._supervisor.writer()
            self._spawn(job, child.commands_left, setup)
        except StartError as error:
            self._end(child, failure(ErrorKind.FAILED, error.reason))
            return
        following = self._children.get(job.name)
        if following is None:
            return
        if child.foreground is not None:
            self._terminal_loans.lend(following, child.foreground)
        following.usage, following.leaked = child.usage, child.leaked

    def _end(self, child: ChildProcess, outcome: Outcome) -> None:
        outcome = with_usage(child, outcome)
        channel = child.channel
        if channel is None:
            self._post(Ended(child.job.name, outcome))
            return
        result = channel.result if outcome.error is None else None
        self._post(Ended(child.job.name, outcome, result, channel.params_read))
