"""What the program calls ``sys.exit`` with, remembered, since nothing else tells at its end."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

_exit_status: object = None


def note_exit_status() -> None:
    """Remember from now on what the program calls ``sys.exit`` with."""
    if getattr(sys.exit, '__module__', None) == __name__:
        return
    leave = sys.exit

    def exit(status: Any = None, /) -> NoReturn:  # noqa: A001 - it takes the place of that
        global _exit_status
        _exit_status = status
        leave(status)

    exit.__doc__ = leave.__doc__
    sys.exit = exit


def claims_success() -> bool:
    """Return whether the program ends by itself, or with a status that means success."""
    return _exit_status in {None, 0}
