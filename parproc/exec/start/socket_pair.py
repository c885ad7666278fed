"""The line between a parent and a forked child: a pair of sockets, each end known as parproc's own."""

from __future__ import annotations

import fcntl

from parproc.exec.cpython import AF_UNIX, SOCK_STREAM, socket, socketpair
from parproc.exec.protocol import StartError, start_error
from parproc.host import descriptors


def open_channel(highest: int, high: int) -> tuple[socket, socket]:
    """Return the two ends of a line between parent and child.

    Args:
        highest: the highest number that a descriptor may have, so that some are left for everything else.
        high: the number from which on the child's end has its own.

    Raises:
        StartError: when there are too few descriptors.
    """
    try:
        mine, theirs = socketpair()
    except OSError as error:
        raise start_error(error) from None
    for end in (mine, theirs):
        descriptors.own(end.fileno())
    if max(mine.fileno(), theirs.fileno()) > highest:
        close_channel(mine)
        close_channel(theirs)
        raise StartError('too many open files', scarce=True)
    mine.setblocking(False)
    return mine, _moved(theirs, high)


def _moved(end: socket, lowest: int) -> socket:
    """Return a channel's end with a descriptor from ``lowest`` on, as far as there is one to be had."""
    try:
        number = fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, lowest)
    except OSError:
        return end
    moved = socket(AF_UNIX, SOCK_STREAM, 0, descriptors.own(number))
    close_channel(end)
    return moved


def close_channel(end: socket) -> None:
    """Close one end of a line."""
    descriptors.disown(end.fileno())
    end.close()
