"""What is private to CPython's standard library and has no public twin: one function per need, with its reason."""

from __future__ import annotations

import atexit


def run_exit_handlers() -> None:
    """Run what was registered with ``atexit``, for a process that leaves by ``os._exit``, which would skip it."""
    atexit._run_exitfuncs()
