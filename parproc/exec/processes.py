"""Children of this process: forked for functions, spawned for commands, watched in the same way.

One thread. A child's end shows as its pidfd becoming readable (or as SIGCHLD), what it says arrives on its channel, and
both are seen by the engine's one wait. How a child comes about is the business of :mod:`parproc.exec.fork` and
:mod:`parproc.exec.spawn`; all that follows is the same.
"""

from __future__ import annotations

import errno
import gc
import os
import resource
import selectors
import sys
import threading
from _socket import socket
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTSTP

from parproc import descriptors
from parproc.core.model import SUCCESS, ErrorKind, Outcome, Usage, failure
from parproc.exec import openmp, system
from parproc.exec.child import Ground
from parproc.exec.exits import ExitSignal
from parproc.exec.foreground import Foreground
from parproc.exec.fork import close_channel, fork_child, open_channel
from parproc.exec.leftovers import Leftovers
from parproc.exec.protocol import Asked, Ended, Job, Logged, Progressed, Report, StartError, Warned, start_error
from parproc.exec.reaper import Reaper, terminal_modes
from parproc.exec.spawn import UnusableCommandError, keep_descriptors_here, spawn_command
from parproc.exec.wire import FrameReader, Kind, pack_answer, unpack_outcome, unpack_params_read, unpack_references
from parproc.values import PICKLED_NONE, EncodedResult, FileResult, first_unknown

SPARE_DESCRIPTORS = 8
MEMORY_UNIT = 1 if sys.platform == 'darwin' else 1024
RECEIVE = 65536
LAST_RECEIVES = 64
WATCH_READ = selectors.EVENT_READ
WATCH_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


class Child:
    """One running child: its process, its exit descriptor and its channel; what its job has used up before."""

    __slots__ = (
        *('answer', 'channel', 'foreground', 'job', 'leaked', 'on_channel', 'outcome', 'pid', 'pidfd'),
        *('params_read', 'reader', 'rest', 'result', 'signalled', 'unknown', 'usage'),
    )

    def __init__(self, job: Job, pid: int, pidfd: int, channel: socket | None) -> None:
        self.job = job
        self.foreground: Foreground | None = None
        self.rest: deque[tuple[str, ...]] = deque()
        self.usage = Usage()
        self.leaked: tuple[str, ...] = ()
        self.pid = pid
        self.pidfd = pidfd
        self.channel: socket | None = channel
        self.on_channel: Callable[[], None] | None = None
        self.reader = FrameReader()
        self.answer = bytearray()
        self.outcome: Outcome | None = None
        self.result: EncodedResult | None = None
        self.params_read: frozenset[str] | None = frozenset()
        self.unknown: str | None = None
        self.signalled = False


class ProcessExecutor:
    """Runs each job in a child process; see :class:`parproc.exec.protocol.Executor`.

    Args:
        selector: watches each child's exit (a pidfd) and its channel.
        post: takes reports.
        run_id: marks the children's environment, so that what they leave behind can be found.
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
        self._modes = terminal_modes()
        self._reset = reset
        self._selector = selector
        self._post = post
        self._run_id = run_id
        self._children: dict[str, Child] = {}
        self._known: set[int] = set()
        self._ground: Ground | None = None
        self._reaper: Reaper | None = None
        self._exits: ExitSignal | None = None
        self._stops: ExitSignal | None = None
        self._leftovers = Leftovers(run_id, exclusive=exclusive)
        self._was_subreaper = False
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
        reaper = self._living_reaper()
        if not self._children:
            self._leftovers.look(self._known)
        foreground = Foreground() if job.interactive else None
        if job.call is None:
            self._spawn(job, deque(job.commands), ground, reaper)
        else:
            self._fork(job, ground, reaper)
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
                self._stops = self._exit_signal(self._look_for_stops)
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

    def _fork(self, job: Job, ground: Ground, reaper: Reaper) -> None:
        alone = threading.active_count() == 1
        if not alone and not self._warned_of_threads:
            self._warn_of_threads()
        if openmp.look():
            self._post(Warned(openmp.WARNING))
        mine, theirs = open_channel(self._highest_descriptor, ground.high)
        try:
            pid = fork_child(job, theirs, reaper.writer, ground, alone=alone)
        except StartError:
            close_channel(mine)
            raise
        self._accept(job, pid, mine)

    def _spawn(self, job: Job, commands: deque[tuple[str, ...]], ground: Ground, reaper: Reaper) -> None:
        """Start the first of some commands; those that follow start when it has ended well."""
        first = len(commands) == len(job.commands)
        try:
            pid, warning = spawn_command(job, commands.popleft(), ground.nothing, first=first)
        except UnusableCommandError as error:
            self._post(Ended(job.name, failure(ErrorKind.FAILED, error.reason)))
            return
        reaper.remember(pid)
        self._accept(job, pid, None)
        self._children[job.name].rest = commands
        if warning:
            self._post(Warned(warning))

    def _accept(self, job: Job, pid: int, channel: socket | None) -> None:
        self._known.add(pid)
        try:
            self._watch(job, pid, channel)
        except OSError as error:
            if channel is not None:
                close_channel(channel)
            self._abandon(pid)
            raise start_error(error) from None

    def kill(self, name: str, signal: int) -> None:
        """Send a signal to everything of the task.

        SIGKILL needs no walk through the tree: what it spares becomes ours when the leader is gone, and is ended then.
        """
        child = self._children.get(name)
        if child is None:
            return
        child.signalled = child.signalled or signal not in (SIGSTOP, SIGCONT)
        if not system.send_group(child.pid, signal):
            system.send(child.pid, signal)  # so young that it has no session yet
        if signal == SIGCONT and child.foreground is not None:
            child.foreground.lend(child.pid)
        if signal != SIGSTOP and not system.send_group(child.pid, SIGCONT):
            system.send(child.pid, SIGCONT)

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a question of the task."""
        child = self._children.get(name)
        if child is not None and child.channel is not None:
            child.answer += pack_answer(answer, results)
            self._send(child)

    def process_of(self, name: str) -> int | None:
        """Return the process of a task that runs."""
        child = self._children.get(name)
        return None if child is None else child.pid

    def close(self) -> None:
        """Kill what still runs, and let the reaper go."""
        for child in list(self._children.values()):
            self.kill(child.job.name, SIGKILL)
        for child in list(self._children.values()):
            self._on_exit(child)
        if self._reaper is not None:
            self._reaper.close()
            self._known.discard(self._reaper.pid)
            self._reaper = None
        if self._ground is not None:
            self._ground.close()
            self._ground = None
            self._leftovers.close()
            gc.unfreeze()
            if not self._was_subreaper:
                system.stop_being_subreaper()
        for watch in (self._stops, self._exits):
            if watch is not None:
                watch.close()
        self._stops = self._exits = None

    # --- starting ----------------------------------------------------------------------------------------------

    def _living_reaper(self) -> Reaper:
        if self._reaper is not None and self._reaper.is_alive():
            return self._reaper
        if self._reaper is not None:
            self._known.discard(self._reaper.pid)
            descriptors.close(self._reaper.writer)
            self._reaper = None
        try:
            self._reaper = Reaper(self._run_id, self._modes, self._reset)
        except OSError as error:
            raise start_error(error) from None
        self._known.add(self._reaper.pid)
        for child in self._children.values():
            self._reaper.remember(child.pid)
        return self._reaper

    def _begin(self) -> Ground:
        """Make this process ready to have children."""
        try:
            ground = Ground()
        except OSError as error:
            raise start_error(error) from None
        self._was_subreaper = system.was_subreaper()
        system.become_subreaper()
        self._memory_kills = system.out_of_memory_kills()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        unlimited = limit == resource.RLIM_INFINITY
        self._highest_descriptor = system.HIGHEST_DESCRIPTOR if unlimited else limit - SPARE_DESCRIPTORS
        if self._exclusive:
            keep_descriptors_here()
        gc.freeze()
        if sys.version_info >= (3, 12):  # we warn of threads ourselves, once and by name
            import warnings

            warnings.filterwarnings('ignore', r'.*use of fork\(\) may lead to deadlocks', DeprecationWarning)
        self._ground = ground
        return ground

    def _warn_of_threads(self) -> None:
        others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
        self._warned_of_threads = True
        names = ', '.join(f'"{name}"' for name in others)
        self._post(Warned(f'forking while other threads run ({names}); procs do not inherit them'))

    def _watch(self, job: Job, pid: int, channel: socket | None) -> None:
        """Be told of a child's end and of what it says."""
        pidfd = system.open_pidfd(pid)
        child = Child(job, pid, pidfd, channel)
        try:
            if pidfd >= 0:
                self._selector.register(pidfd, WATCH_READ, partial(self._on_exit, child))
            elif self._exits is None:
                self._exits = self._exit_signal(self._look_for_exits)
            if channel is not None:
                child.on_channel = partial(self._on_channel, child)
                self._selector.register(channel.fileno(), WATCH_READ, child.on_channel)
        except OSError:
            if pidfd >= 0:
                self._forget(pidfd)
                descriptors.close(pidfd)
            raise
        self._children[job.name] = child
        if pidfd < 0:
            self._look_for_exits()

    def _exit_signal(self, call: Callable[[], None]) -> ExitSignal:
        try:
            return ExitSignal(self._selector, call)
        except ValueError as error:
            raise OSError(errno.ENOTSUP, f'this system needs the main thread to start procs: {error}') from None

    def _abandon(self, pid: int) -> None:
        """End a child that cannot be watched."""
        system.send(pid, SIGKILL)
        os.waitpid(pid, 0)
        self._leftovers.end(pid, self._known, self._children)
        self._known.discard(pid)
        if self._reaper is not None:
            self._reaper.forget(pid)

    # --- while it runs -----------------------------------------------------------------------------------------

    def _on_channel(self, child: Child) -> None:
        if child.answer:
            self._send(child)
        self._receive(child)

    def _send(self, child: Child) -> None:
        """Send as much of an answer as fits; the rest when there is room, for a task may be stopped."""
        if child.channel is None:
            return
        try:
            del child.answer[: child.channel.send(child.answer)]
        except BlockingIOError:
            pass
        except OSError:
            child.answer.clear()
        self._selector.modify(child.channel.fileno(), WATCH_BOTH if child.answer else WATCH_READ, child.on_channel)

    def _receive(self, child: Child) -> bool:
        """Take in what a child has said so far; return whether there may be more."""
        if child.channel is None:
            return False
        try:
            data = child.channel.recv(RECEIVE)
        except BlockingIOError:
            return False
        except OSError:
            data = b''
        if not data:
            self._hang_up(child)
            return False
        try:
            for kind, payload in child.reader.feed(data):
                self._take(child, kind, payload)
        except (ValueError, LookupError, TypeError, AttributeError):
            self._post(Warned(f'"{child.job.name}" sent what cannot be understood'))
            self._hang_up(child)
        return True

    def _hang_up(self, child: Child) -> None:
        if child.channel is not None:
            self._forget(child.channel.fileno())
            close_channel(child.channel)
            child.channel = child.on_channel = None

    def _forget(self, descriptor: int) -> None:
        try:
            self._selector.unregister(descriptor)
        except KeyError:
            return

    def _take(self, child: Child, kind: bytes, payload: bytes) -> None:
        if kind == Kind.INLINE_RESULT:
            child.outcome, child.result = SUCCESS, PICKLED_NONE if payload == PICKLED_NONE else payload
        elif kind == Kind.FILE_RESULT:
            child.outcome, child.result = SUCCESS, FileResult(payload.decode('utf-8', 'surrogateescape'))
        elif kind == Kind.OUTCOME:
            child.outcome, child.result = unpack_outcome(payload), None
        elif kind == Kind.PARAMS_READ:
            child.params_read = unpack_params_read(payload)
        elif kind == Kind.REFERENCES:
            child.unknown = first_unknown(unpack_references(payload))
        else:
            import json

            self._hear(child.job.name, kind, json.loads(payload))

    def _hear(self, name: str, kind: bytes, message: dict[str, object]) -> None:
        verb, arguments = message['verb'], message['arguments']
        if not isinstance(verb, str) or not isinstance(arguments, dict):
            raise TypeError(verb)
        if kind == Kind.ASK:
            self._post(Asked(name, verb, arguments))
        elif verb == 'progress':
            self._post(Progressed(name, arguments['fraction'], arguments['message']))
        elif verb == 'log':
            self._post(Logged(name, arguments['message']))
        else:
            self._post(Warned(arguments['message']))

    # --- when it is over ---------------------------------------------------------------------------------------

    def _look_for_exits(self) -> None:
        """Find out who has ended, where no descriptor tells."""
        for child in list(self._children.values()):
            if child.pidfd < 0:
                self._on_exit(child, os.WNOHANG)

    def _on_exit(self, child: Child, options: int = 0) -> None:
        pid, status, usage = os.wait4(child.pid, options)
        if pid == 0:
            return
        del self._children[child.job.name]
        for _ in range(LAST_RECEIVES):
            if not self._receive(child):
                break
        self._hang_up(child)
        if child.pidfd >= 0:
            self._forget(child.pidfd)
            descriptors.close(child.pidfd)
        if child.foreground is not None:
            child.foreground.take_back()
        self._known.discard(pid)
        leaked = self._leftovers.end(pid, self._known, self._children)
        if self._reaper is not None:
            self._reaper.forget(pid)
        before = child.usage
        child.usage = Usage(
            before.cpu + usage.ru_utime + usage.ru_stime, max(before.memory, usage.ru_maxrss * MEMORY_UNIT)
        )
        child.leaked += () if child.signalled else leaked
        if child.rest and status == 0 and not child.signalled:
            self._go_on(child)
        else:
            self._end(child, self._judge(child, status))

    def _go_on(self, child: Child) -> None:
        """Start the next of a job's commands."""
        job = child.job
        try:
            self._spawn(job, child.rest, self._ground or self._begin(), self._living_reaper())
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
        )
        result = child.result if outcome.error is None else None
        self._post(Ended(child.job.name, outcome, result, child.params_read))

    def _judge(self, child: Child, status: int) -> Outcome:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            reason = f'killed by {system.signal_name(number)}'
            if number == SIGKILL and not child.signalled and self._rose_memory_kills():
                reason += ' (likely out of memory)'
            return failure(ErrorKind.SIGNAL, reason)
        if child.unknown is not None and child.outcome is SUCCESS:
            return failure(ErrorKind.NOT_PICKLABLE, f'not picklable: result needs {child.unknown}, which only it has')
        if child.outcome is not None:
            return child.outcome
        code = os.WEXITSTATUS(status)
        if child.job.call is None:
            return failure(ErrorKind.EXIT, f'exit {code}') if code else SUCCESS
        return failure(ErrorKind.NO_RESULT, 'ended without a result' + (f' (exit {code})' if code else ''))

    def _rose_memory_kills(self) -> bool:
        before, self._memory_kills = self._memory_kills, system.out_of_memory_kills()
        return self._memory_kills > before
