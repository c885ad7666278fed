"""Frames between a child and its parent: one byte of kind, four of length, the payload.

A result travels as the pickle it already is, and the parent never unpickles it; all else is JSON. How a task ended is
written by hand, with nothing that the task can have exchanged or taken away.
"""

from __future__ import annotations

import builtins
from _thread import allocate_lock
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parproc.core.model import ErrorKind, Location, Outcome, ProcState
from parproc.errors import UserError
from parproc.exec.cpython import socket
from parproc.values.encoding import EncodedResult, FileResult
from parproc.values.references import Reference

HEADER_BYTES = 5
LONGEST_FRAME_BYTES = 256 * 1024 * 1024
# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))


class Kind:
    """What a frame holds; plain constants, since looking up an enum's member touches pages a fresh fork shares."""

    ASK: Final = b'A'
    TELL: Final = b'T'
    ANSWER: Final = b'J'
    INLINE_RESULT: Final = b'R'
    FILE_RESULT: Final = b'F'
    OUTCOME: Final = b'O'
    REFERENCES: Final = b'N'
    PARAMS_READ: Final = b'P'


KINDS = b'ATJRFONP'


def frame(kind: bytes, payload: bytes) -> bytes:
    """Return the bytes to send."""
    return kind + len(payload).to_bytes(4, 'little') + payload


class FrameReader:
    """Cuts a stream of bytes into frames."""

    __slots__ = ('_buffer',)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Take bytes in and return every (kind, payload) that is complete.

        Raises:
            ValueError: when the bytes are no frames.
        """
        buffer = self._buffer
        buffer += data
        frames = []
        place = 0
        while len(buffer) - place >= HEADER_BYTES:
            start = place + HEADER_BYTES
            size = int.from_bytes(buffer[place + 1 : start], 'little')
            if size > LONGEST_FRAME_BYTES or buffer[place] not in KINDS:
                raise ValueError('not a frame')
            if len(buffer) < start + size:
                break
            frames.append((bytes(buffer[place : place + 1]), bytes(buffer[start : start + size])))
            place = start + size
        del buffer[:place]
        return frames


def pack_result(result: EncodedResult) -> bytes:
    """Return the frame for what a task returned."""
    if isinstance(result, bytes):
        return frame(Kind.INLINE_RESULT, result)
    return frame(Kind.FILE_RESULT, result.path.encode('utf-8', 'surrogateescape'))


def pack_json(kind: bytes, value: object) -> bytes:
    """Return a frame with a JSON value; what JSON cannot say becomes text."""
    return frame(kind, prepare()(value).encode())


def prepare() -> Callable[[object], str]:
    """Load what a child needs to say something, and return what makes JSON of a value."""
    global _as_json, _quoted
    if _as_json is None:
        import json
        from json.encoder import encode_basestring_ascii

        _as_json, _quoted = json.JSONEncoder(default=str).encode, encode_basestring_ascii
    return _as_json


_as_json: Callable[[object], str] | None = None
_quoted: Callable[[str], str] = repr


def unpack_json(payload: bytes) -> Any:
    """Return the JSON value of a frame, which may be any; raises ValueError for what is none."""
    import json

    return json.loads(payload)


def pack_references(references: Iterable[Reference]) -> bytes:
    """Return the frame with what a reader of the result needs: modules, and names in them."""
    return frame(Kind.REFERENCES, _listed(f'[{_quoted(module)},{_quoted(name)}]' for module, name in references))


def unpack_references(payload: bytes) -> list[Reference]:
    """Return what :func:`pack_references` packed."""
    return [(str(module), str(name)) for module, name in unpack_json(payload)]


def unpack_params_read(payload: bytes) -> frozenset[str] | None:
    """Return what :func:`pack_params_read` packed."""
    names = unpack_json(payload)
    return None if names is None else frozenset(map(str, names))


def pack_params_read(names: Iterable[str] | None) -> bytes:
    """Return the frame with the names of the params that a task looked for, None for all."""
    return frame(Kind.PARAMS_READ, b'null' if names is None else _listed(map(_quoted, names)))


def _listed(items: Iterable[str]) -> bytes:
    return f'[{",".join(items)}]'.encode()


def pack_outcome(outcome: Outcome) -> bytes:
    """Return the frame for how a task ended, when there is more to say than that it returned."""
    prepare()
    error, place = outcome.error, outcome.location
    fields = (
        f'"state":{_quoted(outcome.state._name_)}',
        f'"error":{"null" if error is None else _quoted(error._name_)}',
        f'"reason":{_quoted(outcome.reason)}',
        f'"location":{"null" if place is None else f"[{_quoted(place.file)},{place.line}]"}',
        f'"retry":{"true" if outcome.retry else "false"}',
    )
    return frame(Kind.OUTCOME, f'{{{",".join(fields)}}}'.encode())


def unpack_outcome(payload: bytes) -> Outcome:
    """Return the outcome that :func:`pack_outcome` packed."""
    value = unpack_json(payload)
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
    place = 4 + int.from_bytes(payload[:4], 'little')
    head = unpack_json(payload[4:place])
    results: dict[str, EncodedResult] = {name: FileResult(path) for name, path in head['files'].items()}
    for name, size in head['inline']:
        results[name] = payload[place : place + size]
        place += size
    return head['answer'], results


class ChildChannel:
    """The task's end of the line, for any of its threads."""

    __slots__ = ('_asking', '_broken', '_reader', '_sending', '_socket')

    def __init__(self, end: socket) -> None:
        self._socket = end
        self._reader = FrameReader()
        self._sending = allocate_lock()
        self._asking = allocate_lock()
        self._broken = False

    def ask(
        self, verb: str, arguments: Mapping[str, object]
    ) -> tuple[Mapping[str, object], Mapping[str, EncodedResult]]:
        """Send a question and block until it is answered.

        Raises:
            UserError: when an earlier question was broken off, so that answers can no longer be told apart.
        """
        with self._asking:
            if self._broken:
                raise UserError('this proc broke off a question to its run, and can ask no more')
            self._broken = True
            self.send(pack_json(Kind.ASK, {'verb': verb, 'arguments': arguments}))
            answer = self._receive()
            self._broken = False
        return unpack_answer(answer)

    @property
    def descriptor(self) -> int:
        """The descriptor of the channel."""
        return self._socket.fileno()

    def _receive(self) -> bytes:
        while True:
            data = self._socket.recv(65536)
            if not data:
                raise SystemExit('the run is over')
            for _, payload in self._reader.feed(data):
                return payload

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Send a remark; one that cannot be sent is dropped."""
        try:
            self.send(pack_json(Kind.TELL, {'verb': verb, 'arguments': arguments}))
        except OSError:
            return

    def send(self, data: bytes) -> None:
        """Send whole frames."""
        with self._sending:
            self._socket.sendall(data)
