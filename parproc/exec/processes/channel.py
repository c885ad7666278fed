"""The parent's end of the line to a child: takes in what it says, and sends it answers, without ever waiting for it."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping

from parproc.core.model import SUCCESS, Outcome
from parproc.exec import messages
from parproc.exec.cpython import socket
from parproc.exec.protocol import Job, Report
from parproc.exec.start.fork import close_channel
from parproc.exec.wire import FrameReader, Kind, pack_answer, unpack_outcome, unpack_params_read, unpack_references
from parproc.values.encoding import PICKLED_NONE, EncodedResult, FileResult, first_unknown

RECEIVE = 65536
LAST_RECEIVES = 64
WATCH_READ = selectors.EVENT_READ
WATCH_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


class ParentChannel:
    """What is said between this process and one child.

    Args:
        selector: watches the channel.
        post: takes what the task asks and remarks.
        job: whose child.
        channel: the socket, of which this is the owner from now on.

    Attributes:
        outcome: how the task says that it ended, None as long as it has not.
        result: what it returned.
        params_read: the params that its function looked for, None where it looked at all there are.
        unknown: what its result needs and is not to be had here, None where that is nothing.
        fault: what it said that can be no message, '' as long as there is nothing of that kind.
    """

    __slots__ = (
        '_answer',
        '_asking',
        '_channel',
        '_job',
        '_post',
        '_reader',
        '_selector',
        'fault',
        'outcome',
        'params_read',
        'result',
        'unknown',
    )

    def __init__(
        self, selector: selectors.BaseSelector, post: Callable[[Report], None], job: Job, channel: socket
    ) -> None:
        self._selector = selector
        self._post = post
        self._job = job
        self._channel: socket | None = channel
        self._reader = FrameReader()
        self._answer = bytearray()
        self._asking = False
        self.outcome: Outcome | None = None
        self.result: EncodedResult | None = None
        self.params_read: frozenset[str] | None = frozenset()
        self.unknown: str | None = None
        self.fault = ''
        selector.register(channel.fileno(), WATCH_READ, self._on_ready)

    def reply(self, answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> None:
        """Answer a question."""
        if self._channel is not None:
            self._asking = False
            self._answer += pack_answer(answer, results)
            self._send()

    def finish(self) -> None:
        """Take in what was said last, and hang up."""
        for _ in range(LAST_RECEIVES):
            if not self._receive():
                break
        self._hang_up()

    def _on_ready(self) -> None:
        if self._answer:
            self._send()
        self._receive()

    def _send(self) -> None:
        """Send as much of an answer as fits; the rest when there is room, for a task may be stopped."""
        if self._channel is None:
            return
        try:
            del self._answer[: self._channel.send(self._answer)]
        except BlockingIOError:
            pass
        except OSError:
            self._answer.clear()
        self._selector.modify(self._channel.fileno(), WATCH_BOTH if self._answer else WATCH_READ, self._on_ready)

    def _receive(self) -> bool:
        """Take in what the child has said so far; return whether there may be more."""
        if self._channel is None:
            return False
        try:
            data = self._channel.recv(RECEIVE)
        except BlockingIOError:
            return False
        except OSError:
            data = b''
        if not data:
            self._hang_up()
            return False
        try:
            for kind, payload in self._reader.feed(data):
                self._take(kind, payload)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError) as error:
            told = str(error) if isinstance(error, messages.MalformedError) else 'sent what is no message'
            self.fault = f'misused its line to the run: {told}'
            self._hang_up()
        return True

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._selector.unregister(self._channel.fileno())
            close_channel(self._channel)
            self._channel = None

    def _take(self, kind: bytes, payload: bytes) -> None:
        if kind == Kind.INLINE_RESULT:
            self.outcome, self.result = SUCCESS, PICKLED_NONE if payload == PICKLED_NONE else payload
        elif kind == Kind.FILE_RESULT:
            path = payload.decode('utf-8', 'surrogateescape')
            if path not in self._job.result_paths:
                raise messages.MalformedError('named another file than its own as its result')
            self.outcome, self.result = SUCCESS, FileResult(path)
        elif kind == Kind.OUTCOME:
            self.outcome, self.result = messages.checked(unpack_outcome(payload)), None
        elif kind == Kind.PARAMS_READ:
            self.params_read = unpack_params_read(payload)
        elif kind == Kind.REFERENCES:
            self.unknown = first_unknown(unpack_references(payload))
        else:
            self._hear(kind, payload)

    def _hear(self, kind: bytes, payload: bytes) -> None:
        import json

        message = json.loads(payload)
        if not isinstance(message, dict):
            raise messages.MalformedError('sent what is no message')
        verb, arguments = message.get('verb'), message.get('arguments')
        if kind == Kind.TELL:
            self._post(messages.remark(self._job.name, verb, arguments))
        elif kind != Kind.ASK:
            raise messages.MalformedError('sent an answer')
        elif self._asking:
            raise messages.MalformedError('asked again before it was answered')
        else:
            asked = messages.question(self._job.name, verb, arguments)
            self._asking = True
            self._post(asked)
