"""What a forked child does once, before any job: it becomes a session leader and gives up what is its parent's."""

from __future__ import annotations

import os
from types import FrameType
from typing import NoReturn, TextIO

from parproc.context import enter_child
from parproc.exec import system
from parproc.exec.child import openmp
from parproc.exec.child.outcomes import Terminated
from parproc.exec.child.resources import ChildResources
from parproc.exec.child.streams import use_streams
from parproc.exec.cpython import plain_signal
from parproc.exec.foreground import put_into_foreground
from parproc.exec.supervision import ownership
from parproc.host import descriptors


def become_leader(reaper: int, parent: int, *, interactive: bool) -> None:
    """Start a session, be known to the reaper and take in orphans; leave when the parent was gone before.

    Who talks to the terminal stays in its session, in a group of its own.

    Args:
        reaper: descriptor to announce this process on.
        parent: the process that forked this one.
        interactive: the job talks to the terminal.
    """
    if interactive and os.isatty(0):
        os.setpgid(0, 0)
        put_into_foreground(os.getpgrp())
    else:
        os.setsid()
    ownership.mark()
    try:  # noqa: SIM105 - contextlib would cost every child a few pages more
        os.write(reaper, b'+%d\n' % os.getpid())
    except OSError:
        pass  # the reaper has died: the parent will make a new one, and tell it of this process
    if os.getppid() != parent:
        os._exit(1)
    system.become_subreaper()


def shed_parent(resources: ChildResources, channel: int, *, interactive: bool) -> tuple[TextIO | None, ...]:
    """Give up the parent's signal handlers, standard input, descriptors and streams.

    Args:
        resources: laid out by the parent.
        channel: the one descriptor of parproc's that stays.
        interactive: the job has the program's own standard input.

    Returns:
        The output streams that this process had, which may hold what the parent had not flushed.
    """
    system.reset_signals()
    handle_stop_signals()
    if not interactive:
        os.dup2(resources.nothing, 0)
    own_channel = descriptors.disown(channel)
    descriptors.close_all()
    descriptors.own(own_channel)
    old_streams = use_streams(resources.streams)
    enter_child()
    if openmp.limits:
        openmp.limit()
    return old_streams


def handle_stop_signals() -> None:
    """Let SIGINT and SIGTERM raise in the task, so that its ``finally`` blocks run."""
    plain_signal.signal(plain_signal.SIGINT, plain_signal.default_int_handler)
    plain_signal.signal(plain_signal.SIGTERM, _terminate)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(number)
