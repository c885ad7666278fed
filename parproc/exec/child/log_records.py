"""Log records and log handlers of a child: named after its task, and written out when it ends."""

from __future__ import annotations

import sys
from typing import Any

from parproc.exec.child.streams import flush
from parproc.exec.cpython import logging_handlers

_called: list[str] = []


def name_records(name: str) -> None:
    """Let log records say that they come from ``name``, and not again what the parent's handlers still hold back.

    Records that say already which process they come from are left as they are.
    """
    logging = sys.modules.get('logging')
    if logging is None:
        return
    if not _called:
        make = logging.getLogRecordFactory()

        def named(*arguments: Any, **keywords: Any) -> Any:
            record = make(*arguments, **keywords)
            if record.processName == 'MainProcess':
                record.processName = _called[-1]
            return record

        logging.setLogRecordFactory(named)
    _called.append(name)
    handlers = sys.modules.get('logging.handlers')
    if handlers is None:
        return
    for handler in logging_handlers():
        if isinstance(handler, handlers.BufferingHandler):
            handler.buffer = []


def flush_handlers() -> None:
    """Have log handlers write what they still hold back: this process is about to end."""
    flush(logging_handlers())


def flush_log_files() -> None:
    """Write out what the streams of log handlers hold, which a child would write once more."""
    flush([getattr(handler, 'stream', None) for handler in logging_handlers()])
