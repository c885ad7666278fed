"""Frames between a child and its parent: one byte of kind, four of length, the payload.

A result travels as the pickle it already is, and the parent never unpickles it; all else is JSON.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Final

from parproc.core.model import ErrorKind, Location, Outcome, ProcState
from parproc.values import EncodedResult, FileResult

HEADER = 5
LONGEST_FRAME = 256 * 1024 * 1024


class Kind:
    """What a frame holds; plain constants, since looking up an enum's member touches pages a fresh fork shares."""

    ASK: Final = b'A'
    TELL: Final = b'T'
    ANSWER: Final = b'J'
    INLINE_RESULT: Final = b'R'
    FILE_RESULT: Final = b'F'
    OUTCOME: Final = b'O'


def frame(kind: bytes, payload: bytes) -> bytes:
    """Return the bytes to send."""
    return kind + len(payload).to_bytes(4, 'little') + payload


class FrameReader:
    """Cuts a stream of bytes into frames."""

    __slots__ = ('_buffer',)

    def __init__(self) -> None:
        self._buffer = b''

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Take bytes in and yield every (kind, payload) that is complete."""
        self._buffer += data
        while len(self._buffer) >= HEADER:
            size = int.from_bytes(self._buffer[1:HEADER], 'little')
            if len(self._buffer) < HEADER + size:
                return
            kind, payload = self._buffer[:1], self._buffer[HEADER : HEADER + size]
            self._buffer = self._buffer[HEADER + size :]
            yield kind, payload


def pack_result(result: EncodedResult) -> bytes:
    """Return the frame for what a task returned."""
    if isinstance(result, bytes):
        return frame(Kind.INLINE_RESULT, result)
    return frame(Kind.FILE_RESULT, result.path.encode('utf-8', 'surrogateescape'))


def pack_json(kind: bytes, value: object) -> bytes:
    """Return a frame with a JSON value; what JSON cannot say becomes text."""
    import json

    return frame(kind, json.dumps(value, default=str).encode())


def pack_outcome(outcome: Outcome) -> bytes:
    """Return the frame for how a task ended, when there is more to say than that it returned."""
    location = outcome.location
    value = {
        'state': outcome.state.name,
        'error': outcome.error.name if outcome.error else None,
        'reason': outcome.reason,
        'location': [location.file, location.line] if location else None,
        'retry': outcome.retry,
    }
    return pack_json(Kind.OUTCOME, value)


def unpack_outcome(payload: bytes) -> Outcome:
    """Return the outcome that :func:`pack_outcome` packed."""
    import json

    value = json.loads(payload)
    return Outcome(
        ProcState[value['state']],
        ErrorKind[value['error']] if value['error'] else None,
        value['reason'],
        Location(*value['location']) if value['location'] else None,
        retry=value['retry'],
    )


def pack_answer(answer: Mapping[str, object], results: Mapping[str, EncodedResult]) -> bytes:
    """Return the frame that answers a task's question, with results it may read now."""
    import json

    inline = [(name, result) for name, result in results.items() if isinstance(result, bytes)]
    head = json.dumps(
        {
            'answer': answer,
            'inline': [[name, len(data)] for name, data in inline],
            'files': {name: result.path for name, result in results.items() if isinstance(result, FileResult)},
        },
        default=str,
    ).encode()
    body = b''.join(data for _, data in inline)
    return frame(Kind.ANSWER, len(head).to_bytes(4, 'little') + head + body)


def unpack_answer(payload: bytes) -> tuple[dict[str, object], dict[str, EncodedResult]]:
    """Return what :func:`pack_answer` packed."""
    import json

    place = 4 + int.from_bytes(payload[:4], 'little')
    head = json.loads(payload[4:place])
    results: dict[str, EncodedResult] = {name: FileResult(path) for name, path in head['files'].items()}
    for name, size in head['inline']:
        results[name] = payload[place : place + size]
        place += size
    return head['answer'], results


class ChildChannel:
    """The task's end of the line."""

    __slots__ = ('_reader', '_socket')

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._reader = FrameReader()

    def ask(
        self, verb: str, arguments: Mapping[str, object]
    ) -> tuple[Mapping[str, object], Mapping[str, EncodedResult]]:
        """Send a question and block until it is answered."""
        self.send(pack_json(Kind.ASK, {'verb': verb, 'arguments': arguments}))
        while True:
            data = self._socket.recv(65536)
            if not data:
                raise SystemExit('the run is over')
            for _, payload in self._reader.feed(data):
                return unpack_answer(payload)

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Send a remark; one that cannot be sent is dropped."""
        try:
            self.send(pack_json(Kind.TELL, {'verb': verb, 'arguments': arguments}))
        except OSError:
            return

    def send(self, data: bytes) -> None:
        """Send whole frames."""
        self._socket.sendall(data)
