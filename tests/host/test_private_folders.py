"""A folder that is made again is where the one before was, and nobody else's."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from parproc.host.private_folders import check_ours, make_again


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / 'project' / '.parproc' / 'runs' / 'id' / 'logs'
    folder.mkdir(parents=True)
    return folder


def ancestor(path: Path, levels: int) -> Path:
    return path if levels == 0 else path.parents[levels - 1]


@pytest.mark.parametrize('levels', range(4))
def test_as_much_as_is_missing_is_made_and_private(levels: int, path: Path) -> None:
    lost = ancestor(path, levels)
    shutil.rmtree(lost)
    make_again(str(path))
    for folder in (path, *path.parents[:levels]):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    make_again(str(path))


def test_no_folder_of_a_project_is_made(path: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / 'project')
    with pytest.raises(FileNotFoundError):
        make_again(str(path))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('levels', range(4))
def test_no_link_is_followed(levels: int, path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / 'elsewhere'
    link = ancestor(path, levels)
    (elsewhere / path.relative_to(link)).parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(link)
    link.symlink_to(elsewhere)
    with pytest.raises(OSError):
        make_again(str(path))
    assert not (elsewhere / path.relative_to(link)).exists() or levels == 0


def test_nothing_is_made_where_everybody_could_replace_it(path: Path) -> None:
    shutil.rmtree(path)
    path.parent.chmod(0o777)
    with pytest.raises(OSError, match='by everybody'):
        make_again(str(path))
    path.parent.chmod(0o1777)
    make_again(str(path))


def test_nothing_is_made_in_a_strangers_folder(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip('needs root to give a folder away')
    shutil.rmtree(path)
    os.chown(path.parent, 12345, 12345)
    with pytest.raises(OSError, match='another user'):
        make_again(str(path))


def test_no_descriptor_is_left(path: Path) -> None:
    before = len(os.listdir('/dev/fd'))
    shutil.rmtree(path.parents[1])
    make_again(str(path))
    shutil.rmtree(path)
    path.write_text('no folder')
    with pytest.raises(OSError):
        make_again(str(path))
    assert len(os.listdir('/dev/fd')) == before


@pytest.mark.parametrize(('make', 'folder', 'why'), [
    (lambda path: path.mkdir(), False, 'is not a file'),
    (lambda path: path.write_text(''), True, 'is not a folder'),
    (lambda path: path.symlink_to('/'), True, 'is a symbolic link'),
    (os.mkfifo, False, 'is not a file'),
])  # fmt: skip
def test_what_is_not_as_it_should_be_is_named(
    make: Callable[..., object], folder: bool, why: str, tmp_path: Path
) -> None:
    make(tmp_path / 'planted')
    with pytest.raises(OSError) as found:
        check_ours(str(tmp_path / 'planted'), folder=folder)
    assert found.value.strerror == f'planted {why}'
