"""What patterns name, when it changed, and that a burst of changes is one."""

from __future__ import annotations

import glob
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parproc.catalog.inputs import Inputs
from parproc.errors import ParprocError
from parproc.watching.scanner import LONGEST_BURST_SECONDS, TICK_NANOSECONDS, Scan, latest
from parproc.watching.watcher import Watcher

TREE = ['a.c', 'b.h', '.hidden.c', 'src/a.c', 'src/deep/er/a.c', 'src/deep/b.c', '.git/a.c', 'src/.x/a.c', 'odd[1]/a.c']
PATTERNS = [
    *(
        'a.c',
        './a.c',
        '*.c',
        '.*.c',
        '?.c',
        '[ab].*',
        'src/*.c',
        '*/*.c',
        '**/*.c',
        'src/**/*.c',
        '**/er/*.c',
        '*/deep/*/a.c',
    ),
    *('**/**/*.c', 'src/*/../a.c', 'missing.c', 'missing/*.c', 'a.c/*', 'odd[[]1]/*.c', '.git/*', 'src/**/a.c'),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def named(folder: Path, *patterns: str, ignored: tuple[str, ...] = ()) -> set[str]:
    return {os.path.relpath(path, folder) for path in Scan().files(str(folder), list(patterns), list(ignored))}


@pytest.mark.parametrize('pattern', PATTERNS)
def test_a_pattern_names_what_the_standard_library_says(tree: Path, pattern: str) -> None:
    found = glob.glob(pattern, root_dir=tree, recursive=True)
    assert named(tree, pattern) == {os.path.normpath(path) for path in found}


def test_a_folder_is_all_that_is_below_it(tree: Path) -> None:
    below = {'src/a.c', 'src/deep/b.c', 'src/deep/er/a.c'}
    assert named(tree, 'src') == named(tree, 'src/') == named(tree, 'src/**') == named(tree, str(tree / 'src')) == below
    assert named(tree, '.git') == {'.git/a.c'}


def test_what_is_ignored_is_left_out(tree: Path) -> None:
    assert named(tree, 'src', '*.c', ignored=('src/deep', 'b.h')) == {'a.c', 'src/a.c'}


def test_a_link_to_a_folder_is_followed_once(tree: Path) -> None:
    (tree / 'src' / 'loop').symlink_to(tree / 'src')
    (tree / 'other').symlink_to(tree / 'src' / 'deep')
    assert named(tree, 'src/**/b.c') == {'src/deep/b.c'}
    assert named(tree, 'other/*.c') == {'other/b.c'}


def test_the_latest_change_is_that_of_the_file_or_of_the_folder_it_was_in(tree: Path) -> None:
    before = Scan().files(str(tree), ['src'], [])
    assert latest(before, Scan().files(str(tree), ['src'], [])) is None
    (tree / 'src/a.c').write_text('other')
    after = Scan().files(str(tree), ['src'], [])
    assert latest(before, after) == (tree / 'src/a.c').stat().st_ctime_ns
    assert latest({}, after) == max((tree / path).stat().st_ctime_ns for path in named(tree, 'src'))
    (tree / 'src/deep/er/a.c').unlink()
    (tree / 'src/deep/er').rmdir()
    assert latest(after, Scan().files(str(tree), ['src'], [])) == (tree / 'src/deep').stat().st_mtime_ns


def test_a_file_that_says_it_is_of_the_future_changes_no_later_than_it_did(tree: Path) -> None:
    before = Scan().files(str(tree), ['a.c'], [])
    os.utime(tree / 'a.c', (time.time() + 9e6, time.time() + 9e6))
    moment = latest(before, Scan().files(str(tree), ['a.c'], []))
    assert moment is not None
    assert moment <= time.time_ns()


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []
        self.times = 0
        self.watcher: Watcher | None = None

    def __call__(self, changes: tuple[tuple[str, float], ...]) -> None:
        self.told += changes
        self.times += 1

    def next(self) -> set[str]:
        assert self.watcher is not None
        before = len(self.told)
        while len(self.told) == before:
            assert select.select([self.watcher.descriptor], [], [], 20)[0], 'nothing was noticed'
            self.watcher.read()
        return {name for name, _ in self.told[before:]}


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    yield heard
    if heard.watcher is not None:
        heard.watcher.close()


def test_it_begins_with_what_there_is_and_goes_on_with_what_changes(tree: Path, heard: Heard) -> None:
    of_c, of_h = Inputs(str(tree), ('**/*.c',)), Inputs(str(tree), ('*.h',), ('x.h',))
    heard.watcher = Watcher(
        [('one', of_c), ('two', of_c), ('header', of_h), ('none', Inputs(str(tree), ('*.z',)))], heard
    )
    assert heard.next() == {'one', 'two', 'header'}
    assert all(moment <= time.monotonic() + TICK_NANOSECONDS / 1e9 for _, moment in heard.told)
    (tree / 'x.h').write_text('ignored')
    (tree / 'b.h').write_text('changed')
    assert heard.next() == {'header'}
    (tree / 'new').mkdir()
    (tree / 'new' / 'n.c').write_text('new')
    assert heard.next() == {'one', 'two'}
    replacement = tree / 'b.h~'
    replacement.write_text('changes')
    replacement.replace(tree / 'b.h')
    assert heard.next() == {'header'}


def test_ten_thousand_changes_are_one(tmp_path: Path, heard: Heard) -> None:
    heard.watcher = Watcher([('all', Inputs(str(tmp_path), ('.',)))], heard)
    (tmp_path / 'first').touch()
    heard.next()
    before, began = heard.times, time.monotonic()
    for number in range(10_000):
        (tmp_path / str(number)).touch()
    last = (tmp_path / '9999').stat().st_ctime - (time.time() - time.monotonic())
    while heard.told[-1][1] < last - 0.02:
        heard.next()
    assert heard.times - before <= 3 + (time.monotonic() - began) / LONGEST_BURST_SECONDS


def test_it_ends_with_its_parent_and_says_so_when_it_ends_by_itself(tree: Path, heard: Heard) -> None:
    heard.watcher = watcher = Watcher([('one', Inputs(str(tree), ('*.c',)))], heard)
    heard.next()
    os.kill(watcher.pid, 9)
    assert select.select([watcher.descriptor], [], [], 20)[0]
    with pytest.raises(ParprocError, match='ended by itself'):
        watcher.read()
    watcher.close()
    heard.watcher = second = Watcher([('one', Inputs(str(tree), ('*.c',)))], heard)
    second._input.close()  # as the end of this process would
    while select.select([second.descriptor], [], [], 20)[0] and os.read(second.descriptor, 65536):
        continue
    assert second._process.wait(20) == 0
