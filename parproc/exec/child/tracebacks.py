"""Tracebacks as their readers want them: with frames of their own code, and none of parproc's."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_GROUP: Any = getattr(builtins, 'BaseExceptionGroup', None)  # from Python 3.11 on
_TRACE, _CAUSE, _CONTEXT = (  # an exception's class may have others of these names
    BaseException.__dict__[name] for name in ('__traceback__', '__cause__', '__context__')
)


def drop_our_frames(error: BaseException) -> None:
    """Take parproc's frames out of the traceback of an exception, and of all that it came from.

    One that has no other frames keeps them: there is nothing else to see where it was raised.
    """
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        kept = None
        for step in reversed(list(_steps(_TRACE.__get__(one)))):
            if not step.tb_frame.f_code.co_filename.startswith(PACKAGE):
                kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
        if kept is not None:
            _TRACE.__set__(one, kept)
        left += [_CAUSE.__get__(one), _CONTEXT.__get__(one)]
        if _GROUP is not None and issubclass(type(one), _GROUP):
            left += _GROUP.__dict__['exceptions'].__get__(one)


def _steps(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
