"""Every private name of the standard library that children need: one function per need, each with its reason.

A child goes on where its parent was, while the standard library keeps books that are the parent's: handlers to run at
its end, workers to terminate, finalizers to call. Nothing public tells it that a new program begins, and nothing public
ends a program but the interpreter's own way out, which would run what is the parent's as well.
"""

from __future__ import annotations

# the functions of ``signal`` make an enum of each answer, which costs more than all the rest of a child
import _signal as plain_signal  # type: ignore[import-not-found]
import atexit
import builtins
import itertools
import os
import sys
import threading
import weakref

# ``socket`` makes enums of all its constants when it is loaded
from _socket import AF_UNIX, SOCK_STREAM, socket, socketpair
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = [
    'AF_UNIX',
    'SOCK_STREAM',
    'ExitMarks',
    'begin',
    'encoded_environment',
    'end',
    'end_processes',
    'fork',
    'logging_handlers',
    'modules',
    'plain_signal',
    'run_exit_handlers',
    'socket',
    'socketpair',
]

ExitMarks: TypeAlias = 'tuple[int, int, int]'

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

modules = sys.modules  # the very dict, which a task may empty but not take away
_kept: list[object] = []
_finalize: Any = weakref.finalize
_of_finalize = vars(_finalize)  # looking its attributes up would cost each child pages of the interpreter's cache
_finalizers = _finalize._index_iter
_before_threads: list[Any] = threading._threading_atexits  # type: ignore[attr-defined]


def begin(name: str, leave: Callable[..., object], *arguments: object) -> ExitMarks:
    """Let the standard library take this process for a program that begins.

    Exit handlers run from the newest to the oldest, and there is no way to leave some out, nor to drop them without
    dropping what they alone hold: so one that does not come back stands before those of the parent.

    Args:
        name: what this process is called.
        leave: ends the process, after what was registered later.
        arguments: for ``leave``.

    Returns:
        What :func:`end` takes, to know what was registered since.
    """
    atexit.register(leave, *arguments)
    if 'multiprocessing.process' in modules:
        _forget_processes(name)
    if _before_threads:
        _forget_executors()
    if _of_finalize['_registered_with_atexit']:
        _finalize._registered_with_atexit = False
    return atexit._ncallbacks(), len(_before_threads), next(_finalizers)


def end(marks: ExitMarks) -> None:
    """End as a program does: wait for threads that are not daemons, then run the exit handlers that are its own.

    Comes back when there are none; else the one that was given to :func:`begin` is called in the end.
    """
    callbacks, before_threads, finalizers = marks
    if len(threading._active) > 1 or len(_before_threads) > before_threads:  # type: ignore[attr-defined]
        threading._shutdown()  # type: ignore[attr-defined]
    if atexit._ncallbacks() == callbacks:
        return
    for info in list(_finalize._registry.values()):
        if info.index < finalizers:
            info.atexit = False
    atexit._run_exitfuncs()


def run_exit_handlers() -> None:
    """Run what was registered with ``atexit``, for a process that leaves by ``os._exit``, which would skip it."""
    atexit._run_exitfuncs()


def _forget_processes(name: str) -> None:
    """Let ``multiprocessing`` take this process for one of its own, called ``name``, that has started no other yet.

    Its own children do the same when they begin: the parent's workers are not theirs to terminate, and queues, locks
    and proxies drop what belonged to threads that are not here.
    """
    process: Any = modules['multiprocessing.process']
    process._children = set()
    process._process_counter = itertools.count(1)
    process.current_process().name = name
    util: Any = modules.get('multiprocessing.util')
    if util is not None:
        util._exiting = False
        util._finalizer_registry.clear()
        util._run_after_forkers()


def end_processes() -> None:
    """Do what ``multiprocessing`` does when a program ends: queues are written out, children waited for."""
    modules['multiprocessing.util']._exit_function()


def _forget_executors() -> None:
    """Let ``concurrent.futures`` forget the parent's pools: their threads are not here, their processes not ours.

    Its own handlers stay, for without them the threads of a pool that a task leaves open would be waited for in vain.
    """
    _before_threads.clear()
    for name, books, flag in (
        ('concurrent.futures.thread', '_threads_queues', '_shutdown'),
        ('concurrent.futures.process', '_threads_wakeups', '_global_shutdown'),
    ):
        module = modules.get(name)
        if module is not None:
            _kept.append(list(getattr(module, books).items()))
            getattr(module, books).clear()
            setattr(module, flag, False)
            _before_threads.append(module._python_exit)


def logging_handlers() -> list[Any]:
    """Return the log handlers of this process: ``logging.getHandlerNames``, of Python 3.12, leaves out the nameless.

    One that has gone meanwhile is None.
    """
    logging: Any = modules.get('logging')
    return [] if logging is None else [reference() for reference in list(logging._handlerList)]


def encoded_environment() -> dict[bytes, bytes]:
    """Return a copy of this process's environment as bytes; ``os.environb`` would decode and encode each part of it."""
    return dict(os.environ._data)  # type: ignore[attr-defined]


def fork() -> int:
    """Fork, also while the program ends, when exit handlers wait for what nobody has waited for.

    Python 3.12 forks no more by then, though all is in order still; 3.13 does again. What it forbids can be had from
    the system itself, between the calls that Python has for this (C API, *PyOS_BeforeFork* and those after it).

    Raises:
        OSError: when the system refuses.
    """
    try:
        return os.fork()
    except RuntimeError:
        import ctypes

    python, system = ctypes.pythonapi, ctypes.PyDLL(None, use_errno=True)
    python.PyOS_BeforeFork()
    pid: int = system.fork()
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return pid
    number = ctypes.get_errno()
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, os.strerror(number))
    return pid
