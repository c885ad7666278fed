"""What children need and their parent lays out once, before the first of them."""

from __future__ import annotations

import os
import resource

from parproc.exec import system
from parproc.exec.child.streams import make_streams
from parproc.host import descriptors

HIGH_DESCRIPTOR = 512


class ChildResources:
    """What all children share: the less a child makes itself, the fewer pages it copies.

    Attributes:
        parent: the parent's process id.
        nothing: descriptor of ``/dev/null``.
        streams: on descriptors 0, 1 and 2; the parent itself never uses them.
        high: no child's channel has a lower descriptor, if it can be helped, so that a task may close what it takes for
            all there are.

    Raises:
        OSError: when there is no descriptor to be had.
    """

    __slots__ = ('high', 'nothing', 'parent', 'streams')

    def __init__(self) -> None:
        system.prepare()
        self.parent = os.getpid()
        self.nothing = descriptors.own(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
        self.streams = make_streams()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.high = HIGH_DESCRIPTOR if limit == resource.RLIM_INFINITY else min(HIGH_DESCRIPTOR, limit // 2)

    def close(self) -> None:
        """Close the descriptor."""
        descriptors.close(self.nothing)
