"""What shows a run, with what follows from how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parproc.engine.listener import Listener


@dataclass(frozen=True, slots=True)
class Display:
    """What shows a run.

    Args:
        listener: takes every announcement and message.
        environment: variables that tell procs where their output goes.
        terminal_reset: what to write to the terminal when nobody can take the board away any more.
    """

    listener: Listener
    environment: Mapping[str, str] = field(default_factory=dict)
    terminal_reset: bytes = b''
