"""Results on their way from task to task: encoded once by the task, decoded only where somebody looks.

Small ones travel as bytes. Larger ones are a file that the task writes, with big buffers out of band (pickle protocol
5, PEP 574), which each reader maps; the parent hands on the path and never grows.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from parproc.errors import ProcFailedError, UserError
from parproc.folders import make_again
from parproc.mapped import aligned, bytes_at

INLINE_LIMIT = 32 * 1024
INLINE_AT_LAST = 1024 * 1024
ROOMY = 4
MAGIC = b'parproc\x01'
SCALARS = (type(None), bool, int, float, str, bytes)
DEEPEST = 20
PICKLED_NONE = pickle.dumps(None, 5)
WHOLE_BUFFER = pickle.dumps(pickle.PickleBuffer(b''), 5, buffer_callback=lambda _: None)


class FileResult(NamedTuple):
    """A result in a file."""

    path: str


EncodedResult: TypeAlias = 'bytes | FileResult'


class ResultError(Exception):
    """A value cannot travel; the message names its type and where in the value it sits."""


def encode(value: object, paths: tuple[str, ...]) -> EncodedResult:
    """Encode what a task returned.

    Args:
        value: anything that pickles; pydantic models, also inside lists, tuples and dicts, become their ``model_dump()``.
        paths: files that it may be written to when it is large, the best place first.

    Raises:
        ResultError: when it does not pickle, or what was pickled does not unpickle.
        ProcFailedError: when there is no room for it.
    """
    if 'pydantic' in sys.modules:
        value = _dump_models(value)
    if value is None:
        return PICKLED_NONE
    simple = type(value) in SCALARS
    if simple and (not isinstance(value, (str, bytes)) or len(value) < INLINE_LIMIT):
        return pickle.dumps(value, 5)
    buffers: list[pickle.PickleBuffer] = []
    data = _pickled(pickle.PickleBuffer(value) if isinstance(value, bytes) else value, buffers)
    if not simple:
        try:
            pickle.loads(data, buffers=buffers)
        except Exception as error:
            raise ResultError(f'{type_name(value)} does not unpickle: {type(error).__name__}: {error}') from None
    if not buffers and len(data) <= INLINE_LIMIT:
        return data
    written = _write(paths, data, buffers)
    if written is not None:
        return FileResult(written)
    size = len(data) + sum(buffer.raw().nbytes for buffer in buffers)
    if size > INLINE_AT_LAST:
        raise ProcFailedError(f'no room for its result of {size / 1e6:.0f} MB: TMPDIR can name a folder that has more')
    return pickle.dumps(value, 5)


def decode(encoded: EncodedResult, *, brief: bool = False) -> object:
    """Return the value; one from a file shares the file's pages where its type allows it.

    Args:
        encoded: what a task returned.
        brief: this process ends soon, so memory that is never given back is no loss: then ``bytes`` are shared too.

    Raises:
        UserError: when its file is gone.
    """
    if isinstance(encoded, bytes):
        return pickle.loads(encoded)
    with _opened(encoded.path) as file:
        count = int.from_bytes(file.read(len(MAGIC) + 8)[len(MAGIC) :], 'little')
        sizes = [int.from_bytes(file.read(8), 'little') for _ in range(count)]
        places = _places(sizes)
        if count == 2 and sizes[0] == len(WHOLE_BUFFER) and file.read(sizes[0]) == WHOLE_BUFFER:
            shared = bytes_at(file.fileno(), places[1], sizes[1]) if brief else None
            if shared is None:
                file.seek(places[1])
                shared = file.read(sizes[1])
            return shared
        import mmap

        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    parts = [view[place : place + size] for place, size in zip(places, sizes, strict=True)]
    return pickle.loads(parts[0], buffers=parts[1:])


def _opened(path: str) -> BinaryIO:
    try:
        return open(path, 'rb')
    except FileNotFoundError:
        raise UserError(f'a result is gone: {path} was removed while the run went on') from None


def _places(sizes: Sequence[int]) -> list[int]:
    """Return where in a result's file each part begins: the pickle first, then its buffers, with room before each."""
    places = [len(MAGIC) + 8 * (len(sizes) + 1)]
    for size in sizes[:-1]:
        places.append(aligned(places[-1] + size))
    return places


class Results(Mapping[str, Any]):
    """Name -> result, read only; each is decoded when it is first looked at.

    Args:
        encoded: results by name; shared, not copied.
        brief: as for :func:`decode`.
    """

    __slots__ = ('_brief', '_decoded', '_encoded')

    def __init__(self, encoded: Mapping[str, EncodedResult], *, brief: bool = False) -> None:
        self._brief = brief
        self._encoded = encoded
        self._decoded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._decoded:
            self._decoded[name] = decode(self._encoded[name], brief=self._brief)
        return self._decoded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._encoded

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def __repr__(self) -> str:
        return repr(dict(self))

    def add(self, more: Mapping[str, EncodedResult]) -> None:
        """Take in results that came later."""
        self._encoded = {**self._encoded, **more}


def type_name(value: object) -> str:
    """Return a type's name, with its module unless that is builtins."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__qualname__}'


def _pickled(value: object, buffers: list[pickle.PickleBuffer]) -> bytes:
    stream = io.BytesIO()
    try:
        pickle.Pickler(stream, 5, buffer_callback=buffers.append).dump(value)
    except Exception as error:
        path, culprit = _find_culprit(value)
        raise ResultError(f'result{path} is a {type_name(culprit)}: {_short(error)}') from None
    return stream.getvalue()


def _short(error: Exception) -> str:
    try:
        return (str(error).splitlines() or [type(error).__name__])[0][:200]
    except Exception:
        return type(error).__name__


def _find_culprit(value: object, path: str = '', depth: int = 0) -> tuple[str, object]:
    """Return the path to, and the value of, the innermost part that does not pickle by itself."""
    parts: list[tuple[str, object]] = []
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            parts = [(f'[{key!r}]', part) for key, part in value.items()]
        elif isinstance(value, (list, tuple, set, frozenset)):
            parts = [(f'[{index}]', part) for index, part in enumerate(value)]
        elif isinstance(getattr(value, '__dict__', None), dict) and not isinstance(value, type):
            parts = [(f'.{name}', part) for name, part in vars(value).items()]
    for step, part in parts:
        try:
            pickle.dumps(part, 5)
        except Exception:
            return _find_culprit(part, path + step, depth + 1)
    return path, value


def _dump_models(value: object) -> object:
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(_dump_models(part) for part in value)
    if type(value) is dict:
        return {key: _dump_models(part) for key, part in value.items()}
    model = getattr(sys.modules['pydantic'], 'BaseModel', None)
    if isinstance(model, type) and isinstance(value, model):
        dumped: object = value.model_dump()  # type: ignore[attr-defined]
        return dumped
    return value


def _write(paths: tuple[str, ...], data: bytes, buffers: Sequence[pickle.PickleBuffer]) -> str | None:
    """Write a result where it can be written, and return where that is; None when it is nowhere.

    A place that it would take a good part of comes last: it may be memory, or the disk that the system lives on.
    """
    parts = [memoryview(data), *(buffer.raw() for buffer in buffers)]
    room = ROOMY * sum(part.nbytes for part in parts)
    for path in sorted(paths, key=lambda path: not _has(path, room)):
        try:
            _write_to(path, parts)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)
        else:
            return path
    return None


def _has(path: str, room: int) -> bool:
    try:
        found = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= room


def _write_to(path: str, parts: Sequence[memoryview]) -> None:
    """Write magic, the number of parts, their sizes, and the parts: the pickle first, then its buffers."""
    sizes = [part.nbytes for part in parts]
    header = MAGIC + len(parts).to_bytes(8, 'little') + b''.join(size.to_bytes(8, 'little') for size in sizes)
    with open(_made_new(path), 'wb', buffering=0) as file:
        for place, part in ((0, memoryview(header)), *zip(_places(sizes), parts, strict=True)):
            file.seek(place)
            done = 0
            while done < part.nbytes:
                done += file.write(part[done:]) or 0
        file.write(b'\0')


def _made_new(path: str) -> int:
    """Make a file anew, whatever stands in its place, and return its descriptor; a task may have removed its folder."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_again(os.path.dirname(path))
        return os.open(path, flags, 0o600)
