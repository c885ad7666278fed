"""Results on their way from task to task: encoded once by the task, decoded only where somebody looks.

Small ones travel as bytes. Larger ones are a file that the task writes, with big buffers out of band (pickle protocol
5, PEP 574), which each reader maps; the parent hands on the path and never grows.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import itertools
import mmap
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

from parproc.errors import MissingError, ProcFailedError, UserError
from parproc.host.private_folders import make_again
from parproc.values.shared_bytes import aligned, bytes_at

INLINE_LIMIT = 32 * 1024
INLINE_AT_LAST = 1024 * 1024
ROOMY = 4
MAGIC = b'parproc\x01'
SCALARS = frozenset((type(None), bool, int, float, str, bytes))
DEEPEST = 20
LONGEST_KEY = 100
PICKLED_NONE = pickle.dumps(None, 5)
WHOLE_BUFFER = pickle.dumps(pickle.PickleBuffer(b''), 5, buffer_callback=lambda _: None)
# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))

_bases_of = type.__dict__['__mro__'].__get__
_qualname_of = type.__dict__['__qualname__'].__get__
_module_of = type.__dict__['__module__'].__get__


class FileResult(NamedTuple):
    """A result in a file."""

    path: str


EncodedResult: TypeAlias = 'bytes | FileResult'
Reference: TypeAlias = 'tuple[str, str]'


class ResultError(Exception):
    """A value cannot travel; the message names its type and where in the value it sits."""


def encode(value: object, paths: tuple[str, ...], references: set[Reference] | None = None) -> EncodedResult:
    """Encode what a task returned.

    Args:
        value: anything that pickles; pydantic models, also inside lists, tuples and dicts, become their ``model_dump()``.
        paths: files that it may be written to when it is large, the best place first.
        references: receives the (module, name) of all that is needed to decode it and is no part of Python.

    Raises:
        ResultError: when it does not pickle, or what was pickled does not unpickle.
        ProcFailedError: when there is no room for it.
    """
    if value is None:
        return PICKLED_NONE
    simple = type(value) in SCALARS
    if simple and (not isinstance(value, (str, bytes)) or len(value) < INLINE_LIMIT):
        return pickle.dumps(value, 5)
    if 'pydantic' in sys.modules:
        value = _dump_models(value)
    buffers: list[pickle.PickleBuffer] = []
    data = _pickled(pickle.PickleBuffer(value) if isinstance(value, bytes) else value, buffers)
    if not simple:
        _check(data, buffers, type_name(value), set() if references is None else references)
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
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    parts = [view[place : place + size] for place, size in zip(places, sizes, strict=True)]
    return pickle.loads(parts[0], buffers=parts[1:])


def _opened(path: str) -> BinaryIO:
    try:
        return open(path, 'rb')
    except FileNotFoundError:
        raise UserError(f'a result is gone: {path} was removed while the run went on') from None


def decode_result(name: str, encoded: EncodedResult, *, brief: bool = False) -> object:
    """Return the value that the proc ``name`` returned.

    Args:
        name: the proc.
        encoded: what it returned.
        brief: as for :func:`decode`.

    Raises:
        UserError: when it cannot be decoded here, whatever the value's own methods raise.
    """
    try:
        return decode(encoded, brief=brief)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        text = f'{name_of(type(error))}: {_short(error)}'
        raise UserError(f'the result of "{name}" cannot be read: {text}') from error


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
        explain: name -> why there is no result of that name, as a message.
    """

    __slots__ = ('_brief', '_decoded', '_encoded', '_explain')

    def __init__(
        self,
        encoded: Mapping[str, EncodedResult],
        *,
        brief: bool = False,
        explain: Callable[[str], str] = 'no result "{}"'.format,
    ) -> None:
        self._brief = brief
        self._encoded = encoded
        self._decoded: dict[str, Any] = {}
        self._explain = explain

    @property
    def encoded(self) -> Mapping[str, EncodedResult]:
        """The results as they travel."""
        return self._encoded

    def __getitem__(self, name: str) -> Any:
        if name not in self._decoded:
            if name not in self._encoded:
                raise MissingError(self._explain(name))
            self._decoded[name] = decode_result(name, self._encoded[name], brief=self._brief)
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
    """Return the name of a value's type, with its module unless that is builtins."""
    return name_of(type(value))


def name_of(kind: type) -> str:
    """Return a type's name, with its module unless that is builtins, whatever the type says of itself."""
    name = str.__str__(_qualname_of(kind))
    try:
        module = _module_of(kind)
    except AttributeError:
        return name
    return name if type(module) is not str or module == 'builtins' else f'{module}.{name}'


# --- what a reader needs -------------------------------------------------------------------------------------------


class _Checker(pickle.Unpickler):
    """Decodes, and notes what that takes."""

    def __init__(self, data: bytes, buffers: Iterable[Any], references: set[Reference]) -> None:
        super().__init__(io.BytesIO(data), buffers=buffers)
        self._references = references

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name not in sys.stdlib_module_names:
            self._references.add((module_name, global_name))
        return super().find_class(module_name, global_name)


def _check(data: bytes, buffers: Sequence[pickle.PickleBuffer], kind: str, references: set[Reference]) -> None:
    try:
        _Checker(data, buffers, references).load()
    except Exception as error:
        raise ResultError(f'{kind} does not unpickle: {name_of(type(error))}: {_short(error)}') from None


def first_unknown(references: Iterable[Reference]) -> str | None:
    """Return the first of what a task's result refers to that this process does not have, None when it has it all.

    A module that is not loaded here need only be there to be loaded; nothing is loaded to find that out.
    """
    for module_name, name in references:
        module = sys.modules.get(module_name)
        if not (_can_be_found(module_name) if module is None else _defines(module, name)):
            return f'{module_name}.{name}'
    return None


def _defines(module: object, name: str) -> bool:
    found = module
    try:
        for step in name.split('.'):
            found = getattr(found, step)
    except (Exception, SystemExit):
        return False
    return True


def _can_be_found(module_name: str) -> bool:
    """Return whether a module could be imported here, as far as that is known without running any of it."""
    parts = module_name.split('.')
    loaded = next((end for end in range(len(parts) - 1, 0, -1) if '.'.join(parts[:end]) in sys.modules), 0)
    path = getattr(sys.modules['.'.join(parts[:loaded])], '__path__', ()) if loaded else None
    importlib.invalidate_caches()
    try:
        return any(
            finder.find_spec('.'.join(parts[: loaded + 1]), path, None) is not None
            for finder in sys.meta_path
            if hasattr(finder, 'find_spec')
        )
    except (Exception, SystemExit):
        return False


# --- encoding ------------------------------------------------------------------------------------------------------


def _pickled(value: object, buffers: list[pickle.PickleBuffer]) -> bytes:
    stream = io.BytesIO()
    try:
        pickle.Pickler(stream, 5, buffer_callback=buffers.append).dump(value)
    except Exception as error:
        path, culprit = _find_culprit(value)
        raise ResultError(f'result{path} is a {type_name(culprit)}: {_short(error)}') from None
    return stream.getvalue()


def _short(error: BaseException) -> str:
    try:
        return (str.__str__(str(error)).splitlines() or [name_of(type(error))])[0][:200]
    except BaseException:
        return name_of(type(error))


def _find_culprit(value: object, path: str = '', depth: int = 0) -> tuple[str, object]:
    """Return the path to, and the value of, the innermost part that does not pickle by itself."""
    parts: list[tuple[str, object]] = []
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            parts = [(f'[{_spelled(key)}]', part) for key, part in value.items()]
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


def _spelled(key: object) -> str:
    try:
        return str.__str__(repr(key))[:LONGEST_KEY]
    except BaseException:
        return f'a {type_name(key)}'


def _dump_models(value: object) -> object:
    """Return ``value`` with what it holds of pydantic's models dumped; itself when there is none in it."""
    model = getattr(sys.modules['pydantic'], 'BaseModel', None)
    if not isinstance(model, type):
        return value
    seen = {id(value)}
    open_ends = [value]
    while open_ends:
        part = open_ends.pop()
        kind = type(part)
        if kind is list or kind is tuple or kind is dict:
            for inner in part.values() if isinstance(part, dict) else cast('Iterable[object]', part):
                if type(inner) not in SCALARS and id(inner) not in seen:
                    seen.add(id(inner))
                    open_ends.append(inner)
        elif model in _bases_of(kind):
            return _dumped(value, model, {})
    return value


def _dumped(value: Any, model: type, done: dict[int, Any]) -> Any:
    """Return a copy in which models are dumped; what is shared, or holds itself, does so in the copy."""
    if id(value) in done:
        return done[id(value)]
    kind = type(value)
    copy: Any = value
    if kind is list:
        copy = done[id(value)] = []
        for part in value:
            copy.append(_dumped(part, model, done))
    elif kind is dict:
        copy = done[id(value)] = {}
        for key, part in value.items():
            copy[key] = _dumped(part, model, done)
    elif kind is tuple:
        parts = map(_dumped, value, itertools.repeat(model), itertools.repeat(done))  # one frame a level, as pickle has
        copy = done[id(value)] = tuple(parts)
    elif model in _bases_of(kind):
        copy = done[id(value)] = value.model_dump()
    return copy


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
