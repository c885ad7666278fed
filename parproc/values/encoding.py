"""Results encoded once, by the task that returns them; nobody decodes one but who looks at it.

Small ones travel as bytes. Larger ones are a file that the task writes and each reader maps; the parent hands on the
path and never grows.
"""

from __future__ import annotations

import builtins
import io
import pickle
import sys
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from parproc.errors import ProcFailedError
from parproc.values.models import SCALARS, dump_models
from parproc.values.references import Reference, note_references
from parproc.values.result_file import write
from parproc.values.type_names import first_line, name_of, type_name

INLINE_LIMIT_BYTES = 32 * 1024
INLINE_AT_LAST_BYTES = 1024 * 1024
"""What travels as bytes where no file can be written."""
MOST_LEVELS = 20
LONGEST_KEY_CHARACTERS = 100
PICKLED_NONE = pickle.dumps(None, 5)
WHOLE_BUFFER = pickle.dumps(pickle.PickleBuffer(b''), 5, buffer_callback=lambda _: None)
"""The pickle of a value that is one buffer and nothing else."""
# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))


class FileResult(NamedTuple):
    """A result in a file."""

    path: str


EncodedResult: TypeAlias = 'bytes | FileResult'


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
    if simple and (not isinstance(value, (str, bytes)) or len(value) < INLINE_LIMIT_BYTES):
        return pickle.dumps(value, 5)
    if 'pydantic' in sys.modules:
        value = dump_models(value)
    buffers: list[pickle.PickleBuffer] = []
    data = _pickled(pickle.PickleBuffer(value) if isinstance(value, bytes) else value, buffers)
    if not simple:
        try:
            note_references(data, buffers, set() if references is None else references)
        except Exception as error:
            kind = type_name(value)
            raise ResultError(f'{kind} does not unpickle: {name_of(type(error))}: {first_line(error)}') from None
    if not buffers and len(data) <= INLINE_LIMIT_BYTES:
        return data
    written = write(paths, data, buffers)
    if written is not None:
        return FileResult(written)
    size = len(data) + sum(buffer.raw().nbytes for buffer in buffers)
    if size > INLINE_AT_LAST_BYTES:
        raise ProcFailedError(f'no room for its result of {size / 1e6:.0f} MB: TMPDIR can name a folder that has more')
    return pickle.dumps(value, 5)


def _pickled(value: object, buffers: list[pickle.PickleBuffer]) -> bytes:
    stream = io.BytesIO()
    try:
        pickle.Pickler(stream, 5, buffer_callback=buffers.append).dump(value)
    except Exception as error:
        path, culprit = _find_culprit(value)
        raise ResultError(f'result{path} is a {type_name(culprit)}: {first_line(error)}') from None
    return stream.getvalue()


def _find_culprit(value: object, path: str = '', depth: int = 0) -> tuple[str, object]:
    """Return the path to, and the value of, the innermost part that does not pickle by itself."""
    parts: list[tuple[str, object]] = []
    if depth < MOST_LEVELS:
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
        return str.__str__(repr(key))[:LONGEST_KEY_CHARACTERS]
    except BaseException:
        return f'a {type_name(key)}'
