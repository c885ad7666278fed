"""The parent's end of the line to a child: takes in what it says, and sends it answers, without ever waiting for it."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping

from parproc.core.closed import assert_never
from parproc.core.model import SUCCESS, Outcome
from parproc.exec.cpython import socket
from parproc.exec.messages import (
    MalformedError,
    Message,
    NotReturned,
    ParamsRead,
    ResultNeeds,
    Returned,
    decode_message,
)
from parproc.exec.protocol import (
    CreateAsked,
    InputAsked,
    Job,
    Logged,
    Progressed,
    Report,
    StartAsked,
    WaitAsked,
    Warned,
)
from parproc.exec.start.socket_pair import close_channel
from parproc.exec.wire import FrameReader, pack_answer
from parproc.values.encoding import EncodedResult, FileResult
from parproc.values.references import first_unknown

RECEIVE_BYTES = 65536
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
            data = self._channel.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b''
        if not data:
            self._hang_up()
            return False
        try:
            for kind, payload in self._reader.feed(data):
                self._take(decode_message(self._job.name, kind, payload))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError) as error:
            told = str(error) if isinstance(error, MalformedError) else 'sent what is no message'
            self.fault = f'misused its line to the run: {told}'
            self._hang_up()
        return True

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._selector.unregister(self._channel.fileno())
            close_channel(self._channel)
            self._channel = None

    def _take(self, message: Message) -> None:
        if isinstance(message, Returned):
            result = message.result
            if isinstance(result, FileResult) and result.path not in self._job.result_paths:
                raise MalformedError('named another file than its own as its result')
            self.outcome, self.result = SUCCESS, result
        elif isinstance(message, NotReturned):
            self.outcome, self.result = message.outcome, None
        elif isinstance(message, ParamsRead):
            self.params_read = message.names
        elif isinstance(message, ResultNeeds):
            self.unknown = first_unknown(message.references)
        elif isinstance(message, (Progressed, Logged, Warned)):
            self._post(message)
        elif isinstance(message, (CreateAsked, StartAsked, WaitAsked, InputAsked)):
            if self._asking:
                raise MalformedError('asked again before it was answered')
            self._asking = True
            self._post(message)
        else:
            assert_never(message)
