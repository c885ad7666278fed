"""Threads beside the one that forks: a child does not have them, and whatever they hold stays held."""

from __future__ import annotations

import threading
from collections.abc import Callable

from parproc.exec.protocol import Warned
from parproc.exec.supervision.sigchld import OWN_THREADS

MOST_NAMED = 5


class ThreadWarning:
    """Warns, once, that a task file has started threads; a program that has some knows of them.

    Args:
        post: takes the warning; None to give none.
    """

    def __init__(self, post: Callable[[Warned], None] | None) -> None:
        self._post = post

    def look(self) -> bool:
        """Return whether this process has other threads."""
        current = threading.current_thread()
        others = [thread for thread in threading.enumerate() if thread is not current]
        if others and self._post is not None:
            names = [f'"{thread.name}"' for thread in others if not thread.name.startswith(OWN_THREADS)]
            if names:
                more = f' and {len(names) - MOST_NAMED} more' if len(names) > MOST_NAMED else ''
                listed = ', '.join(names[:MOST_NAMED])
                self._post(Warned(f'forking while other threads run ({listed}{more}); procs do not inherit them'))
                self._post = None
        return bool(others)
