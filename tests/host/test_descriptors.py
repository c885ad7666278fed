"""Which descriptors are parproc's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from parproc.host import descriptors


@pytest.fixture
def files() -> Iterator[list[int]]:
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(6)]
    yield opened
    for descriptor in opened:
        descriptors.disown(descriptor)
        try:
            os.close(descriptor)
        except OSError:
            continue


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_what_is_owned_is_known_until_it_is_given_away(files: list[int]) -> None:
    before = descriptors.owned()
    assert descriptors.own(files[0]) == files[0] and descriptors.own(-1) == -1
    assert set(descriptors.owned()) - set(before) == {files[0]}
    assert descriptors.disown(files[0]) == files[0] and is_open(files[0])
    descriptors.own(files[1])
    descriptors.close(files[1])
    assert not is_open(files[1]) and descriptors.owned() == before
    descriptors.close(files[2])
    assert is_open(files[2]), 'it is not ours, or not any more'


def test_a_child_closes_its_parents_own_and_no_others(files: list[int]) -> None:
    for index in (0, 1, 3, 5):
        descriptors.own(files[index])
    pid = os.fork()
    if pid == 0:
        descriptors.close_all()
        good = [is_open(one) for one in files] == [False, False, True, False, True, False]
        os._exit(0 if good and not descriptors.owned() else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert all(map(is_open, files))
