"""The index for completion is what was written, as long as all that it was made from is unchanged."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from parproc.project import index as indexes
from parproc.project.index import Index, index_path, one_line, read_index, stamp, texts_of, write_index


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache' / 'parproc'


@pytest.fixture
def task_file(tmp_path: Path) -> str:
    (tmp_path / 'tasks.py').write_text('')
    return str(tmp_path / 'tasks.py')


def made() -> Index:
    index = Index()
    index.separator = '/'
    index.procs = {'lint': 'Look for mistakes.', 'test': ''}
    index.protos = {'build/[env]/[n]': ('Build it.', {'env': ['dev', 'prod'], 'n': None})}
    index.params = ['VERSION']
    index.lines = ['lint  Look for mistakes.', 'test']
    return index


def test_what_is_written_is_read(task_file: str) -> None:
    written = made()
    write_index([task_file], [task_file], written)
    read = read_index([task_file])
    assert read is not None
    assert read.fresh
    for attribute in ('separator', 'procs', 'protos', 'params', 'lines'):
        assert getattr(read, attribute) == getattr(written, attribute)


def test_it_is_of_these_files_and_no_others(task_file: str, tmp_path: Path) -> None:
    write_index([task_file], [task_file], made())
    assert read_index([str(tmp_path / 'parproc.toml'), task_file]) is None
    os.rename(index_path([task_file]), index_path(['another']))
    assert read_index(['another']) is None
    assert read_index([task_file]) is None


@pytest.mark.parametrize('change', ['content', 'mode', 'gone'])
def test_a_change_of_what_it_was_made_from_makes_it_stale(task_file: str, tmp_path: Path, change: str) -> None:
    (source := tmp_path / 'names.py').write_text('a')
    write_index([task_file], [task_file, str(source)], made())
    if change == 'content':
        source.write_text('ab')
    elif change == 'mode':
        source.chmod(0o666)
    else:
        source.unlink()
    read = read_index([task_file])
    assert read is not None
    assert not read.fresh
    assert read.procs == made().procs


def test_a_stamp_tells_who_may_write_a_file_and_where_it_is(task_file: str, tmp_path: Path) -> None:
    before = stamp(task_file)
    tmp_path.chmod(0o750)
    assert stamp(task_file) != before
    assert stamp(str(tmp_path / 'none')) == ''


@pytest.mark.parametrize('damage', ['cut', 'empty', 'foreign', 'words'])
def test_one_that_is_damaged_is_none(task_file: str, damage: str) -> None:
    write_index([task_file], [task_file], made())
    path = Path(index_path([task_file]))
    text = path.read_text()
    path.write_text(
        {
            'cut': text[: len(text) // 2],
            'empty': '',
            'foreign': text.replace('parproc-index-1', 'parproc-index-0'),
            'words': text.replace('proc\tlint\tLook for mistakes.', 'proc\tlint'),
        }[damage]
    )
    assert read_index([task_file]) is None


def test_it_is_the_users_own_and_no_link(task_file: str, tmp_path: Path, cache: Path) -> None:
    write_index([task_file], [task_file], made())
    path = Path(index_path([task_file]))
    assert path.parent == cache
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    path.rename(tmp_path / 'elsewhere')
    path.symlink_to(tmp_path / 'elsewhere')
    assert read_index([task_file]) is None


def test_where_it_cannot_be_written_there_is_none(task_file: str, tmp_path: Path) -> None:
    (tmp_path / 'cache').write_text('no folder')
    write_index([task_file], [task_file], made())
    assert read_index([task_file]) is None


def test_what_is_unchanged_is_not_written_again(task_file: str) -> None:
    write_index([task_file], [task_file], made())
    path = index_path([task_file])
    before = os.stat(path).st_ino
    write_index([task_file], [task_file], made())
    assert os.stat(path).st_ino == before
    write_index([task_file], [task_file], Index())
    assert os.stat(path).st_ino != before


def test_the_oldest_are_forgotten_where_there_are_many(
    task_file: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, 'MOST_KEPT_FILES', 4)
    cache.mkdir(parents=True)
    for number in range(4):
        (cache / f'{number}.index').write_text('')
        os.utime(cache / f'{number}.index', (number, number))
    write_index([task_file], [task_file], made())
    assert {path.name for path in cache.iterdir()} == {'3.index', os.path.basename(index_path([task_file]))}


def test_it_holds_only_so_many_choices(task_file: str) -> None:
    index = Index()
    index.protos = {'p::[x]': ('', {'x': [str(number) for number in range(indexes.MOST_CHOICES + 5)]})}
    write_index([task_file], [task_file], index)
    read = read_index([task_file])
    assert read is not None
    assert len(read.protos['p::[x]'][1]['x'] or ()) == indexes.MOST_CHOICES


def test_a_description_is_a_line_that_can_only_be_read(task_file: str) -> None:
    index = Index()
    index.procs = {'a': 'one\ttwo\nthree\x1b[31m'}
    write_index([task_file], [task_file], index)
    read = read_index([task_file])
    assert read is not None
    assert read.procs == {'a': 'one two three [31m'}
    assert len(one_line('x' * 1000)) == 200


def test_choices_are_texts_as_far_as_they_are_lists() -> None:
    assert texts_of({'a': [1, 'x'], 'b': ('y',), 'c': 'no list', 'd': None}) == {'a': ['1', 'x'], 'b': ['y']}
    assert texts_of(None) == {}


@pytest.mark.parametrize('base', ['', 'relative'])
def test_without_a_cache_folder_of_its_own_the_users_home_has_it(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', base)
    monkeypatch.setenv('HOME', '/somebody')
    assert indexes.cache_folder().startswith('/somebody/')
