"""Children of this process: forked for functions, spawned for commands, watched in the same way.

One thread. A child's end shows as its pidfd becoming readable (or as SIGCHLD), what it says arrives on its channel, and
both are seen by the engine's one wait. How a child comes about is the business of :mod:`parproc.exec.start.fork` and
:mod:`parproc.exec.start.spawn`; all that follows is the same.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from signal import SIGCONT, SIGKILL, SIGTSTP

from parproc.core.model import SUCCESS, ErrorKind, Outcome, Usage, failure
from parproc.exec import system
from parproc.exec.child import openmp
from parproc.exec.child.main import Ground
from parproc.exec.cpython import socket
from parproc.exec.foreground import Foreground
from parproc.exec.processes.channel import ParentChannel
from parproc.exec.protocol import Ended, Job, Report, StartError, Warned, start_error
from parproc.exec.start.fork import close_channel, fork_child, open_channel
from parproc.exec.start.spawn import UnusableCommandError, keep_descriptors_here, spawn_command
from parproc.exec.supervision import ownership
from parproc.exec.supervision.kill_tree import FREEZING, Signalling
from parproc.exec.supervision.orphans import Orphans
from parproc.exec.supervision.sigchld import OWN_THREADS, SigchldWatch
from parproc.exec.supervision.supervisor import Supervisor
from parproc.host import descriptors
from parproc.values.encoding import EncodedResult

MOST_NAMED = 5
SPARE_DESCRIPTORS = 8
MEMORY_UNIT = 1 if sys.platform == 'darwin' else 1024
LONGEST_DYING = 5.0
TAKEN = 'its exit status was taken by another part of this program'


class Child:
    """One running child: its process, its exit descriptor and the line to it; what its job has used up before.

    ``left`` are descriptors of what it has left running and is given time to end, once the process itself has gone.
    """

    __slots__ = (
        *('foreground', 'is_gone', 'job', 'killed', 'leaked', 'left', 'line', 'pid', 'pidfd', 'rest', 'signalled'),
        *('status', 'usage'),
    )

    def __init__(self, job: Job, pid: int, pidfd: int) -> None:
        self.job = job
        self.foreground: Foreground | None = None
        self.rest: deque[tuple[str, ...]] = deque()
        self.usage = Usage()
        self.leaked: tuple[str, ...] = ()
        self.pid = pid
        self.pidfd = pidfd
        self.line: ParentChannel | None = None
        self.signalled = False
        self.killed = False
        self.is_gone = False
        self.status: int | None = None
        self.left: list[int] = []


class ProcessExecutor:
    """Runs each job in a child process; see :class:`parproc.exec.protocol.Executor`.

    Args:
        selector: watches each child's exit (a pidfd) and its channel.
        post: takes reports.
        run_id: stands in the children's environment, so that what they leave behind can be found.
        reset: what to write to the terminal when this process is killed.
        exclusive: nothing but tasks starts processes in this program while they run, as with the command line; then
            also a daemon that hides its origin is known for a task's.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        post: Callable[[Report], None],
        *,
        run_id: str,
        exclusive: bool = False,
        reset: bytes = b'',
    ) -> None:
        self._exclusive = exclusive
        self._selector = selector
        self._post = post
        self._children: dict[str, Child] = {}
        self._ground: Ground | None = None
        self._supervisor = Supervisor(selector, self._sessions, run_id, reset)
        self._signalling = Signalling()
        self._exits: SigchldWatch | None = None
        self._stops: SigchldWatch | None = None
        self._orphans = Orphans(run_id, exclusive=exclusive)
        self._ignored_ends = False
        self._warned_of_threads = False
        self._memory_kills = 0
        self._highest_descriptor = 0

    # --- the protocol ------------------------------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Start a child for ``job``; one that has nothing to run has succeeded."""
        if job.call is None and not job.commands:
            self._post(Ended(job.name, SUCCESS))
            return
        ground = self._ground or self._begin()
        writer = self._supervisor.writer()
        if not self._children:
            self._look_around()
        foreground = Foreground() if job.interactive else None
        if job.call is None:
            self._spawn(job, deque(job.commands), ground)
        else:
            self._fork(job, ground, writer)
        if foreground is not None:
            self._lend(job, foreground)

    def _lend(self, job: Job, foreground: Foreground) -> None:
        """Let a job have the terminal, and see when it is stopped from there."""
        child = self._children.get(job.name)
        if child is None:
            return
        child.foreground = foreground
        if foreground.is_ours:
            if self._stops is None and hasattr(os, 'waitid'):
                self._stops = SigchldWatch(self._selector, self._look_for_stops)
                self._stops.look()
            foreground.lend(child.pid)
            if job.call is None:  # a command may have been stopped for using the terminal before it had it
                system.send_group(child.pid, SIGCONT)
            self._look_for_stops()

    def _look_for_stops(self) -> None:
        """Stand still with a job that was stopped at its terminal, as the shell expects of the whole."""
        for child in self._children.values():
            terminal = child.foreground
            if terminal is not None and terminal.is_ours and system.is_stopped(child.pid):
                terminal.take_back()
                system.send(os.getpid(), SIGTSTP)

    def _fork(self, job: Job, ground: Ground, writer: int) -> None:
        others = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
        if others and not self._warned_of_threads:
            self._warn_of_threads([thread.name for thread in others])
        if openmp.look():
            self._post(Warned(openmp.WARNING))
        mine, theirs = open_channel(self._highest_descriptor, ground.high)
        try:
            with ownership.making_processes():
                pid = fork_child(job, theirs, writer, ground, alone=not others)
                child = self._own(job, pid)
        except StartError:
            close_channel(mine)
            raise
        self._accept(child, mine)

    def _spawn(self, job: Job, commands: deque[tuple[str, ...]], ground: Ground) -> None:
        """Start the first of some commands; those that follow start when it has ended well."""
        first = len(commands) == len(job.commands)
        self._spare_descriptors(ground)
        try:
            with ownership.making_processes():
                words = commands.popleft()
                spawn = partial(spawn_command, job, words, ground.nothing, self._post, first=first)
                child = self._own(job, ownership.spawn_marked(spawn, alone=threading.active_count() == 1))
        except UnusableCommandError as error:
            self._post(Ended(job.name, failure(ErrorKind.FAILED, error.reason)))
            return
        child.rest = commands
        self._supervisor.remember(child.pid)
        self._accept(child, None)

    def _own(self, job: Job, pid: int) -> Child:
        child = Child(job, pid, -1)
        ownership.adopt(pid, child)
        return child

    def _accept(self, child: Child, channel: socket | None) -> None:
        """Be told of a child's end and of what it says."""
        self._children[child.job.name] = child
        try:
            self._watch(child)
            if channel is not None:
                child.line = ParentChannel(self._selector, self._post, child.job, channel)
        except OSError as error:
            if channel is not None:
                close_channel(channel)
            self._abandon(child)
            raise start_error(error) from None
        if child.pidfd < 0:
            self._look_for_exits()

    def _watch(self, child: Child) -> None:
        try:
            child.pidfd = system.open_pidfd(child.pid)
        except ProcessLookupError:  # it has ended, and the program has waited for it
            return
        if child.pidfd >= 0:
            self._selector.register(child.pidfd, selectors.EVENT_READ, partial(self._on_exit, child))
            return
        if self._exits is None:
            self._exits = SigchldWatch(self._selector, self._look_for_exits)
        self._exits.look()

    def kill(self, name: str, signal: int) -> None:
        """Send a signal to everything of the task."""
        child = self._children.get(name)
        if child is None:
            return
        child.signalled = child.signalled or signal not in FREEZING
        if signal == SIGCONT and child.foreground is not None:
            child.foreground.lend(child.pid)
        child.killed = child.killed or signal == SIGKILL
        if child.is_gone and child.killed:
            self._finish(child)
        else:
            self._signalling.send(child.pid, signal, is_gone=child.is_gone)

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a question of the task."""
        child = self._children.get(name)
        if child is not None and child.line is not None:
            child.line.reply(answer, results)

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
        if self._ground is not None:
            self._ground.close()
            self._ground = None
            hidden = self._orphans.close()
            if hidden:
                self._post(Warned(f'ended what procs had left running: {", ".join(hidden)}'))
            ownership.leave()
            if self._ignored_ends and threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for watch in (self._stops, self._exits):
            if watch is not None:
                watch.close()
        self._stops = self._exits = None

    # --- starting ----------------------------------------------------------------------------------------------

    def _sessions(self) -> list[int]:
        return [child.pid for child in self._children.values()]

    def _begin(self) -> Ground:
        """Make this process ready to have children."""
        try:
            ground = Ground()
        except OSError as error:
            raise start_error(error) from None
        if self._exclusive:
            try:
                keep_descriptors_here()
            except OSError as error:
                ground.close()
                raise start_error(error) from None
        ownership.enter()
        self._memory_kills = system.out_of_memory_kills()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        unlimited = limit == resource.RLIM_INFINITY
        self._highest_descriptor = system.HIGHEST_DESCRIPTOR if unlimited else limit - SPARE_DESCRIPTORS
        if self._exclusive and threading.current_thread() is threading.main_thread():
            self._heed_ends()
        if sys.version_info >= (3, 12):  # we warn of threads ourselves, once and by name
            warnings.filterwarnings('ignore', r'.*use of fork\(\) may lead to deadlocks', DeprecationWarning)
        self._ground = ground
        return ground

    def _look_around(self) -> None:
        try:
            self._orphans.look()
        except OSError as error:
            raise start_error(error) from None

    def _spare_descriptors(self, ground: Ground) -> None:
        """Leave the highest descriptors to everything that is not the start of a task; raises StartError."""
        try:
            lowest = os.dup(ground.nothing)
        except OSError as error:
            raise start_error(error) from None
        os.close(lowest)
        if lowest > self._highest_descriptor:
            raise StartError('too many open files', scarce=True)

    def _heed_ends(self) -> None:
        """Let the system keep how children ended, where whoever started this program has it thrown away."""
        self._ignored_ends = signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
        if self._ignored_ends:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _warn_of_threads(self, others: list[str]) -> None:
        """Say once that a task file has started threads; a program that has some knows of them."""
        names = [f'"{name}"' for name in others if not name.startswith(OWN_THREADS)]
        if names and self._exclusive:
            self._warned_of_threads = True
            more = f' and {len(names) - MOST_NAMED} more' if len(names) > MOST_NAMED else ''
            listed = ', '.join(names[:MOST_NAMED])
            self._post(Warned(f'forking while other threads run ({listed}{more}); procs do not inherit them'))

    def _abandon(self, child: Child) -> None:
        """End a child that cannot be watched."""
        system.send(child.pid, SIGKILL)
        system.wait_for_end(child.pid, -1, LONGEST_DYING)
        self._part(child)
        self._let_go(child)

    # --- when it is over ---------------------------------------------------------------------------------------

    def _look_for_exits(self) -> None:
        """Find out who has ended, where no descriptor tells."""
        for child in list(self._children.values()):
            if child.pidfd < 0 and not child.is_gone:
                self._on_exit(child)
        self._supervisor.look()

    def _await(self, child: Child) -> None:
        """Take in the end of a child that was killed; one that cannot die is not waited for."""
        deadline = time.monotonic() + LONGEST_DYING
        while self._children.get(child.job.name) is child:
            self._on_exit(child)
            left = deadline - time.monotonic()
            if left <= 0 and self._children.get(child.job.name) is child:
                self._part(child)
                self._let_go(child)
                self._end(child, failure(ErrorKind.SIGNAL, 'could not be killed'))
            elif self._children.get(child.job.name) is child:
                system.pause_for(child.pidfd, left)

    def _on_exit(self, child: Child) -> None:
        """Take in the end of a child's process, if it has come."""
        try:
            pid, child.status, usage = os.wait4(child.pid, os.WNOHANG)
        except ChildProcessError:  # the program waits for any child, or has the system throw away how they end
            child.status = None
        else:
            if pid == 0:
                return
            cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MEMORY_UNIT
            child.usage = Usage(child.usage.cpu + cpu, max(child.usage.memory, memory))
        child.is_gone = True
        self._part(child)
        if not child.signalled or child.killed or not self._has_left(child):
            self._finish(child)

    def _has_left(self, child: Child) -> bool:
        """Return whether anything is left of a task that was told to end, and watch that: it has the same time to do so.

        Where no descriptor tells when it ends, it is given none.
        """
        for descriptor in child.left:
            self._forget(descriptor)
        child.left = []
        for pid in self._orphans.find(child.pid, self._is_running_beside(child)) - {child.pid}:
            try:
                descriptor = system.open_pidfd(pid)
            except OSError:
                continue
            if descriptor >= 0:
                child.left.append(descriptor)
                self._selector.register(descriptor, selectors.EVENT_READ, partial(self._on_left_ended, child))
        return bool(child.left)

    def _on_left_ended(self, child: Child) -> None:
        if not self._has_left(child):
            self._finish(child)

    def _finish(self, child: Child) -> None:
        """End what a task has left, and go on with its next command, or say how it ended."""
        for descriptor in child.left:
            self._forget(descriptor)
        leaked = self._let_go(child)
        child.leaked += () if child.signalled else leaked
        if child.rest and child.status == 0 and not child.signalled:
            self._go_on(child)
        else:
            self._end(child, self._judge(child, child.status))

    def _part(self, child: Child) -> None:
        """Close what leads to a child's process."""
        if child.line is not None:
            child.line.finish()
        if child.pidfd >= 0:
            self._forget(child.pidfd)
            child.pidfd = -1
        if child.foreground is not None:
            child.foreground.take_back()

    def _let_go(self, child: Child) -> tuple[str, ...]:
        """Strike a child out; return what it had left behind, which is ended."""
        del self._children[child.job.name]
        leaked = self._orphans.end(child.pid, self._is_running_beside(child))
        ownership.disown(child.pid, child)
        self._supervisor.forget(child.pid)
        return leaked

    def _is_running_beside(self, child: Child) -> Callable[[str], bool]:
        return lambda name: name != child.job.name and name in self._children

    def _forget(self, descriptor: int) -> None:
        try:  # noqa: SIM105 - contextlib would cost each task more than the rest of this
            self._selector.unregister(descriptor)
        except KeyError:
            pass
        descriptors.close(descriptor)

    def _go_on(self, child: Child) -> None:
        """Start the next of a job's commands."""
        job = child.job
        try:
            ground = self._ground or self._begin()
            self._supervisor.writer()
            self._spawn(job, child.rest, ground)
        except StartError as error:
            self._end(child, failure(ErrorKind.FAILED, error.reason))
            return
        following = self._children.get(job.name)
        if following is not None and child.foreground is not None:
            self._lend(job, child.foreground)
        if following is not None:
            following.usage, following.leaked = child.usage, child.leaked

    def _end(self, child: Child, outcome: Outcome) -> None:
        outcome = Outcome(
            outcome.state,
            outcome.error,
            outcome.reason,
            outcome.location,
            child.usage,
            child.leaked,
            outcome.retry,
            openmp.LIKELY_CAUSE if child.signalled and child.line is not None and openmp.is_limited() else '',
        )
        line = child.line
        if line is None:
            self._post(Ended(child.job.name, outcome))
            return
        self._post(Ended(child.job.name, outcome, line.result if outcome.error is None else None, line.params_read))

    def _judge(self, child: Child, status: int | None) -> Outcome:
        """Return how a child has ended: what it did, what it said, and last how it left."""
        if status is not None and os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            reason = f'killed by {system.signal_name(number)}'
            if number == SIGKILL and not child.signalled and self._rose_memory_kills():
                reason += ' (likely out of memory)'
            return failure(ErrorKind.SIGNAL, reason)
        line = child.line
        if line is not None and line.fault:
            return failure(ErrorKind.NO_RESULT, line.fault)
        if line is not None and line.unknown is not None and line.outcome is SUCCESS:
            return failure(ErrorKind.NOT_PICKLABLE, f'not picklable: result needs {line.unknown}, which only it has')
        if line is not None and line.outcome is not None:
            return line.outcome
        if status is None:
            return failure(ErrorKind.NO_RESULT, TAKEN)
        code = os.WEXITSTATUS(status)
        if child.job.call is None:
            return failure(ErrorKind.EXIT, f'exit {code}') if code else SUCCESS
        return failure(ErrorKind.NO_RESULT, 'ended without a result' + (f' (exit {code})' if code else ''))

    def _rose_memory_kills(self) -> bool:
        before, self._memory_kills = self._memory_kills, system.out_of_memory_kills()
        return self._memory_kills > before
