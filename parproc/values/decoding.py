"""Results decoded: from bytes, or from a file whose pages the value shares where its type allows it."""

from __future__ import annotations

import builtins
import mmap
import pickle

from parproc.errors import UserError
from parproc.values.encoding import WHOLE_BUFFER, EncodedResult
from parproc.values.result_file import open_result, read_places
from parproc.values.shared_bytes import bytes_at
from parproc.values.type_names import first_line, name_of

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))


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
    with open_result(encoded.path) as file:
        places = read_places(file)
        pickle_size = places[0][1]
        if len(places) == 2 and pickle_size == len(WHOLE_BUFFER) and file.read(pickle_size) == WHOLE_BUFFER:
            place, size = places[1]
            shared = bytes_at(file.fileno(), place, size) if brief else None
            if shared is None:
                file.seek(place)
                shared = file.read(size)
            return shared
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    parts = [view[place : place + size] for place, size in places]
    return pickle.loads(parts[0], buffers=parts[1:])


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
        text = f'{name_of(type(error))}: {first_line(error)}'
        raise UserError(f'the result of "{name}" cannot be read: {text}') from error
