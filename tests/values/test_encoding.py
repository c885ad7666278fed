"""Results are what they were after the journey, small or large, and what cannot travel is named."""

from __future__ import annotations

import ctypes
import errno
import os
import pickle
import shutil
import stat
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, SupportsIndex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parproc.errors import MissingError, ProcFailedError, UserError
from parproc.values import result_file
from parproc.values.decoding import decode
from parproc.values.encoding import INLINE_LIMIT_BYTES, FileResult, ResultError, encode
from parproc.values.references import first_unknown
from parproc.values.results import Results


class Room(NamedTuple):
    f_frsize: int
    f_bavail: int


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part) | st.tuples(part, part),
    max_leaves=20,
)


@given(anything)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_survive(tmp_path: Path, value: object) -> None:
    assert decode(encode(value, (str(tmp_path / 'result'),))) == value


@pytest.mark.parametrize(
    'value',
    [
        b'x' * INLINE_LIMIT_BYTES,
        bytes(range(256)) * 40_000,
        'y' * INLINE_LIMIT_BYTES,
        '\udcff' * INLINE_LIMIT_BYTES,
        bytearray(b'z' * 100_000),
        {'a': b'x' * 100_000, 'b': ['y' * 100_000]},
        list(range(50_000)),
    ],
    ids=type,
)
def test_large_values_travel_in_a_file(tmp_path: Path, value: object) -> None:
    encoded = encode(value, (str(tmp_path / 'result'),))
    assert isinstance(encoded, FileResult)
    back = decode(encoded)
    assert back == value and type(back) is type(value)


def test_small_values_make_no_file(tmp_path: Path) -> None:
    encode([1, 2, 3], (str(tmp_path / 'result'),))
    assert not list(tmp_path.iterdir())


def test_buffers_are_mapped_and_may_be_written_to(tmp_path: Path) -> None:
    class Buffer:
        pass

    import pickle

    view = bytearray(b'x' * 1_000_000)
    encoded = encode({'view': Holder(view)}, (str(tmp_path / 'result'),))
    assert os.path.getsize(tmp_path / 'result') < 1_100_000
    first: Any = decode(encoded)
    second: Any = decode(encoded)
    first['view'].data[0] = 1
    assert second['view'].data[0] == ord('x')
    assert pickle.HIGHEST_PROTOCOL >= 5


class Holder:
    """Hands its data out of band, as arrays do."""

    def __init__(self, data: bytearray) -> None:
        self.data = memoryview(data)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[Holder], tuple[object]]:
        import pickle

        return Holder, (pickle.PickleBuffer(self.data),)


class Thing:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class TwoArguments(Exception):
    def __init__(self, first: object, second: object) -> None:
        super().__init__(first)


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (threading.Lock(), 'result is a _thread.lock'),
        ({'a': [Thing()]}, "result['a'][0].lock is a _thread.lock"),
        ([1, (2, lambda: 1)], 'result[1][1] is a function'),
        (TwoArguments(1, 2), 'does not unpickle'),
    ],
)
def test_what_cannot_travel_is_named(tmp_path: Path, value: object, text: str) -> None:
    with pytest.raises(ResultError) as caught:
        encode(value, (str(tmp_path / 'result'),))
    assert text in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_ring_that_does_not_pickle_ends(tmp_path: Path) -> None:
    ring: list[object] = [threading.Lock()]
    ring.insert(0, ring)
    with pytest.raises(ResultError):
        encode(ring, (str(tmp_path / 'result'),))


def test_models_arrive_as_what_they_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class BaseModel:
        def model_dump(self) -> dict[str, object]:
            return {'dumped': True}

    monkeypatch.setitem(sys.modules, 'pydantic', types.SimpleNamespace(BaseModel=BaseModel))
    value = {'a': [BaseModel(), (BaseModel(), 1)]}
    assert decode(encode(value, ())) == {'a': [{'dumped': True}, ({'dumped': True}, 1)]}


def test_results_are_read_when_they_are_looked_at(tmp_path: Path) -> None:
    results = Results({'small': encode(1, ()), 'gone': FileResult(str(tmp_path / 'gone'))})
    assert list(results) == ['small', 'gone'] and len(results) == 2 and 'gone' in results
    assert results['small'] == 1
    with pytest.raises(KeyError):
        results['unknown']
    with pytest.raises(UserError, match='gone was removed while the run went on'):
        results['gone']
    results.add({'gone': encode([2], ())})
    assert results == {'small': 1, 'gone': [2]}
    assert results['gone'] is results['gone']


def test_a_link_where_the_file_goes_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / 'target').write_text('kept')
    (tmp_path / 'result').symlink_to(tmp_path / 'target')
    encoded = encode(b'x' * INLINE_LIMIT_BYTES, (str(tmp_path / 'result'),))
    assert (tmp_path / 'target').read_text() == 'kept'
    assert not (tmp_path / 'result').is_symlink()
    assert decode(encoded) == b'x' * INLINE_LIMIT_BYTES


def test_a_folder_that_was_removed_is_made_again_for_a_result(tmp_path: Path) -> None:
    path = tmp_path / 'state' / 'runs' / 'id' / 'results' / 'a'
    (tmp_path / 'state').mkdir(0o700)
    assert decode(encode(b'x' * INLINE_LIMIT_BYTES, (str(path),))) == b'x' * INLINE_LIMIT_BYTES
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_result_goes_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def room(folder: str) -> Room:
        return Room(1, 4 * INLINE_LIMIT_BYTES if os.fspath(folder) == str(tmp_path / 'full') else 1 << 40)

    monkeypatch.setattr(os, 'statvfs', room)
    paths = (str(tmp_path / 'full' / 'a'), str(tmp_path / 'roomy' / 'a'))
    for name in ('full', 'roomy'):
        (tmp_path / name).mkdir()
    assert encode(b'x' * INLINE_LIMIT_BYTES * 2, paths) == FileResult(paths[1])
    shutil.rmtree(tmp_path / 'roomy')
    (tmp_path / 'roomy').write_text('no folder')
    assert encode(b'x' * INLINE_LIMIT_BYTES * 2, paths) == FileResult(paths[0])


def test_a_place_that_turns_out_to_be_full_is_left_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = (str(tmp_path / 'full'), str(tmp_path / 'roomy'))
    real = result_file._write_to

    def write(path: str, parts: Any) -> None:
        real(path, parts)
        if path == paths[0]:
            raise OSError(errno.ENOSPC, 'full')

    monkeypatch.setattr(result_file, '_write_to', write)
    assert encode(b'x' * INLINE_LIMIT_BYTES, paths) == FileResult(paths[1])
    assert not (tmp_path / 'full').exists()


@pytest.mark.parametrize('value', [b'x' * 100_000, ['x' * 100_000], {'a': bytearray(100_000)}])
def test_what_fits_nowhere_travels_by_itself_unless_it_is_large(
    value: bytes | dict[str, bytearray] | list[str], tmp_path: Path
) -> None:
    (tmp_path / 'file').write_text('')
    nowhere = (str(tmp_path / 'file' / 'a'),)
    encoded = encode(value, nowhere)
    assert isinstance(encoded, bytes)
    assert decode(encoded) == value
    with pytest.raises(ProcFailedError, match='no room for its result of 20 MB'):
        encode(b'x' * 20_000_000, nowhere)


def test_bytes_read_by_a_process_that_ends_soon_share_the_pages_of_the_file(tmp_path: Path) -> None:
    assert ctypes, 'it is used where it is loaded'
    value = bytes(range(256)) * 40_000
    encoded = encode(value, (str(tmp_path / 'result'),))
    back = decode(encoded, brief=True)
    assert type(back) is bytes and back == value and hash(back) == hash(value)
    assert back[-3:] + b'!' == value[-3:] + b'!' and {back: 1}[value] == 1
    assert pickle.loads(pickle.dumps(back)) == value
    with open('/proc/self/maps') as maps:
        assert str(tmp_path / 'result') in maps.read()


def test_where_objects_are_laid_out_otherwise_bytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = b'x' * 100_000
    encoded = encode(value, (str(tmp_path / 'result'),))
    monkeypatch.setitem(sys.modules, 'ctypes', None)
    assert decode(encoded, brief=True) == value


class Model:
    """Stands for pydantic's."""

    def __init__(self, value: int = 1) -> None:
        self.value = value

    def model_dump(self) -> dict[str, object]:
        return {'value': self.value}


@pytest.fixture
def pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pydantic', types.SimpleNamespace(BaseModel=Model))


def test_what_holds_itself_arrives_so_with_models_and_without(pydantic: None) -> None:
    ring: list[object] = [1]
    ring.append(ring)
    back: Any = decode(encode(ring, ()))
    assert back[1] is back
    inner: list[object] = []
    table: dict[str, object] = {'model': Model(), 'tuple': (inner,)}
    table['self'] = table
    inner.append(table['tuple'])
    back = decode(encode(table, ()))
    assert back['model'] == {'value': 1} and back['self'] is back
    assert back['tuple'][0][0][0] is back['tuple'][0]


def test_what_is_shared_stays_shared(pydantic: None) -> None:
    model, part = Model(), [Model(2)]
    back: Any = decode(encode([model, model, part, {'part': part}], ()))
    assert back == [{'value': 1}, {'value': 1}, [{'value': 2}], {'part': [{'value': 2}]}]
    assert back[0] is back[1] and back[2] is back[3]['part']


def test_models_change_nothing_for_what_is_nested_deeply(pydantic: None) -> None:
    deep: list[object] = []
    for _ in range(400):
        deep = [deep]
    assert decode(encode(deep, ())) == deep
    bottomless: list[Any] = []
    for _ in range(100_000):
        bottomless = [bottomless]
    with pytest.raises(ResultError, match='recursion'):
        encode(bottomless, ())
    while bottomless:
        bottomless = bottomless[0]


def test_what_a_reader_needs_is_noted() -> None:
    references: set[tuple[str, str]] = set()
    encode([Model(), {'a': 1}, os.PathLike, types.SimpleNamespace()], (), references)
    assert references == {(__name__, 'Model')}
    assert first_unknown(references) is None
    assert first_unknown([(__name__, 'Model.nope')]) == f'{__name__}.Model.nope'
    assert first_unknown([('nope.nope', 'A')]) == 'nope.nope.A'
    assert first_unknown([('json.nope', 'A')]) == 'json.nope.A'
    assert first_unknown([('wsgiref.handlers', 'BaseHandler')]) is None
    assert 'wsgiref' not in sys.modules


def leave() -> NoReturn:
    raise SystemExit(0)


class Loses:
    def __reduce__(self) -> tuple[Callable[[], NoReturn], tuple[()]]:
        return leave, ()


def test_a_result_that_cannot_be_read_here_names_its_proc() -> None:
    results = Results({'a': pickle.dumps(Loses())})
    with pytest.raises(UserError, match='the result of "a" cannot be read: SystemExit'):
        results['a']
    with pytest.raises(MissingError, match='"b" is not there'):
        Results({}, explain='"{}" is not there'.format)['b']
