"""The fork executor: one child process per task, in a session of its own."""

from __future__ import annotations

import errno
import gc
import os
import resource
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from parproc.core.model import SUCCESS, ErrorKind, Outcome, Usage, failure
from parproc.exec import system
from parproc.exec.child import Ground, run_job
from parproc.exec.protocol import Asked, Ended, Job, Logged, Progressed, Report, StartError, Warned
from parproc.exec.reaper import Reaper
from parproc.exec.wire import FrameReader, Kind, pack_answer, unpack_outcome
from parproc.values import EncodedResult, FileResult

SCARCE = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
SPARE_DESCRIPTORS = 8
UNTOUCHED = {
    signal.SIGKILL,  # cannot be
    signal.SIGSTOP,
    signal.SIGPIPE,  # Python ignores these two, and a task in Python expects exceptions
    signal.SIGXFSZ,
    signal.SIGINT,  # the child sets these two itself
    signal.SIGTERM,
}
MEMORY_UNIT = 1 if sys.platform == 'darwin' else 1024


class Child:
    """One running child: its process, its exit descriptor and its channel."""

    __slots__ = ('channel', 'job', 'outcome', 'pid', 'pidfd', 'reader', 'result')

    def __init__(self, job: Job, pid: int, pidfd: int, channel: socket.socket) -> None:
        self.job = job
        self.pid = pid
        self.pidfd = pidfd
        self.channel: socket.socket | None = channel
        self.reader = FrameReader()
        self.outcome: Outcome | None = None
        self.result: EncodedResult | None = None


class ForkExecutor:
    """Runs each job in a forked child; see :class:`parproc.exec.protocol.Executor`.

    Args:
        selector: watches each child's exit (a pidfd) and its channel.
        post: takes reports.
        run_id: marks the children's environment, so that what they leave behind can be found.
    """

    def __init__(self, selector: selectors.BaseSelector, post: Callable[[Report], None], *, run_id: str) -> None:
        self._selector = selector
        self._post = post
        self._run_id = run_id
        self._children: dict[str, Child] = {}
        self._pids: set[int] = set()
        self._reaper: Reaper | None = None
        self._foreign: set[int] = set()
        self._ground: Ground | None = None
        self._was_subreaper = False
        self._warned_of_threads = False
        self._memory_kills = 0
        self._highest_descriptor = 0

    # --- the protocol ------------------------------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Fork a child for ``job``."""
        if not self._children:
            self._begin()
        reaper = self._living_reaper()
        ground = self._ground
        if ground is None:
            raise StartError('the executor is closed', scarce=False)
        try:
            mine, theirs = socket.socketpair()
        except OSError as error:
            raise start_error(error) from None
        if theirs.fileno() > self._highest_descriptor:
            mine.close()
            theirs.close()
            raise StartError('too many open files', scarce=True)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        try:
            pid = os.fork()
        except OSError as error:
            mine.close()
            theirs.close()
            raise start_error(error) from None
        if pid == 0:
            run_job(job, theirs, reaper.writer, ground)
        theirs.close()
        mine.setblocking(False)
        self._pids.add(pid)
        try:
            pidfd = os.pidfd_open(pid) if system.LINUX else -1
        except OSError as error:
            mine.close()
            system.kill_tree(pid)
            self._reap(pid)
            raise start_error(error) from None
        child = Child(job, pid, pidfd, mine)
        self._children[job.name] = child
        self._selector.register(mine, selectors.EVENT_READ, lambda: self._on_channel(child))
        if pidfd >= 0:
            self._selector.register(pidfd, selectors.EVENT_READ, lambda: self._on_exit(child))

    def kill(self, name: str, signal: int) -> None:
        """Send a signal to everything of the task."""
        child = self._children.get(name)
        if child is not None:
            self._signal(child, signal)

    def reply(self, name: str, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a question of the task."""
        child = self._children.get(name)
        if child is None or child.channel is None:
            return
        try:
            child.channel.setblocking(True)
            child.channel.sendall(pack_answer(answer, results))
            child.channel.setblocking(False)
        except OSError:
            return

    def close(self) -> None:
        """Kill what still runs, and let the reaper go."""
        for child in list(self._children.values()):
            system.kill_tree(child.pid)
            self._on_exit(child)
        if self._reaper is not None:
            self._reaper.close()
            self._reaper = None
            if self._ground is not None:
                self._ground.close()
                self._ground = None
            if not self._was_subreaper:
                system.stop_being_subreaper()

    # --- starting ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Look at the process as it is before children of ours exist."""
        if self._reaper is None:
            system.prepare()
            self._was_subreaper = system.was_subreaper()
            system.become_subreaper()
            self._memory_kills = system.out_of_memory_kills()
        self._highest_descriptor = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS
        dispositions = [
            int(number)
            for number in signal.valid_signals()
            if number not in (signal.SIGKILL, signal.SIGSTOP) and signal.getsignal(number) not in (signal.SIG_DFL, None)
        ]
        if self._ground is None:
            self._ground = Ground()
        self._ground.survey(dispositions)
        reaper = set() if self._reaper is None else {self._reaper.pid}
        self._foreign = set(self._own_children()) - reaper
        if not self._warned_of_threads:
            self._warn_of_threads()

    def _warn_of_threads(self) -> None:
        others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
        if others:
            self._warned_of_threads = True
            names = ', '.join(f'"{name}"' for name in others)
            self._post(Warned(f'forking while other threads run ({names}); procs do not inherit them'))

    def _living_reaper(self) -> Reaper:
        if self._reaper is None or not self._reaper.is_alive():
            if self._reaper is not None:
                os.close(self._reaper.writer)
            gc.freeze()
            try:
                self._reaper = Reaper(self._run_id)
            except OSError as error:
                raise start_error(error) from None
            for child in self._children.values():
                self._reaper.remember(child.pid)
        return self._reaper

    # --- while it runs -----------------------------------------------------------------------------------------

    def _on_channel(self, child: Child) -> None:
        if child.channel is None:
            return
        while True:
            try:
                data = child.channel.recv(262144)
            except BlockingIOError:
                return
            except OSError:
                data = b''
            if not data:
                self._selector.unregister(child.channel)
                child.channel.close()
                child.channel = None
                return
            for kind, payload in child.reader.feed(data):
                try:
                    self._take(child, kind, payload)
                except (ValueError, KeyError, TypeError):
                    self._post(Warned(f'"{child.job.name}" sent what cannot be understood'))

    def _take(self, child: Child, kind: bytes, payload: bytes) -> None:
        if kind == Kind.INLINE_RESULT:
            child.outcome, child.result = SUCCESS, payload
        elif kind == Kind.FILE_RESULT:
            child.outcome, child.result = SUCCESS, FileResult(payload.decode('utf-8', 'surrogateescape'))
        elif kind == Kind.OUTCOME:
            child.outcome = unpack_outcome(payload)
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

    def _signal(self, child: Child, number: int) -> None:
        if number == signal.SIGKILL:
            system.kill_tree(child.pid)
            return
        system.send_group(child.pid, number)
        system.send(child.pid, number)
        if number != signal.SIGSTOP:
            system.send_group(child.pid, signal.SIGCONT)

    # --- when it is over ---------------------------------------------------------------------------------------

    def _on_exit(self, child: Child) -> None:
        if self._children.pop(child.job.name, None) is None:
            return
        _, status, usage = os.wait4(child.pid, 0)
        self._on_channel(child)
        if child.channel is not None:
            self._selector.unregister(child.channel)
            child.channel.close()
            child.channel = None
        if child.pidfd >= 0:
            self._selector.unregister(child.pidfd)
            os.close(child.pidfd)
        leaked = self._end_leftovers(child)
        self._pids.discard(child.pid)
        if self._reaper is not None:
            self._reaper.forget(child.pid)
        used = Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MEMORY_UNIT)
        outcome = replace(self._judge(child, status), usage=used, leaked=leaked)
        result = child.result if outcome.error is None else None
        self._post(Ended(child.job.name, outcome, result))

    def _judge(self, child: Child, status: int) -> Outcome:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            reason = f'killed by {signal_name(number)}'
            if number == signal.SIGKILL and self._rose_memory_kills():
                reason += ' (likely out of memory)'
            return failure(ErrorKind.SIGNAL, reason)
        if child.outcome is not None:
            return child.outcome
        code = os.WEXITSTATUS(status)
        return failure(ErrorKind.NO_RESULT, 'ended without a result' + (f' (exit {code})' if code else ''))

    def _rose_memory_kills(self) -> bool:
        before, self._memory_kills = self._memory_kills, system.out_of_memory_kills()
        return self._memory_kills > before

    def _end_leftovers(self, child: Child) -> tuple[str, ...]:
        """Kill and reap what a task left behind; return what it was."""
        left: dict[int, str] = {}
        for _ in range(1000):
            found = self._leftovers(child)
            fresh = found - left.keys()
            for pid in fresh:
                left[pid] = system.describe(pid)
            for pid in found:
                system.send(pid, signal.SIGKILL)
            if not found:
                break
            for pid in found:
                self._reap(pid)
        return tuple(text for text in left.values())

    def _leftovers(self, child: Child) -> set[int]:
        known = self._pids | self._foreign
        if self._reaper is not None:
            known.add(self._reaper.pid)
        orphans = [pid for pid in self._own_children() if pid not in known]
        ours = [pid for pid in orphans if not self._is_zombie(pid) and self._belongs(pid, child)]
        try:
            os.killpg(child.pid, 0)
        except (ProcessLookupError, PermissionError):
            return system.tree_of(set(ours)) if ours else set()
        return system.tree_of({*ours, child.pid})

    def _own_children(self) -> list[int]:
        return [] if self._ground is None else self._ground.children.read()

    def _is_zombie(self, pid: int) -> bool:
        """Reap an orphan that has ended already."""
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return True

    def _belongs(self, pid: int, child: Child) -> bool:
        """Return whether an orphan is the task's; in a program with threads, others may start processes as well."""
        if not self._warned_of_threads:
            return True
        try:
            return os.getsid(pid) == child.pid or system.has_environment(
                pid, b'PARPROC_RUN_ID=' + self._run_id.encode()
            )
        except ProcessLookupError:
            return False

    @staticmethod
    def _reap(pid: int) -> None:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            return


def start_error(error: OSError) -> StartError:
    """Return what the engine is told when the system refuses."""
    return StartError(error.strerror or str(error), scarce=error.errno in SCARCE)


def signal_name(number: int) -> str:
    """Return the name of a signal: ``SIGTERM``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f'signal {number}'
