"""Frames survive any cutting into pieces, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.model import ErrorKind, Location, Outcome, ProcState
from parproc.exec.wire import (
    KINDS,
    FrameReader,
    frame,
    pack_answer,
    pack_outcome,
    unpack_answer,
    unpack_outcome,
)
from parproc.values.encoding import EncodedResult, FileResult

frames = st.lists(st.tuples(st.sampled_from([bytes([kind]) for kind in KINDS]), st.binary(max_size=200)), max_size=8)


@given(frames, st.lists(st.integers(1, 50), min_size=1))
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    sent: list[tuple[bytes, bytes]], sizes: list[int]
) -> None:
    data = b''.join(frame(kind, payload) for kind, payload in sent)
    reader, turn = FrameReader(), 0
    got: list[tuple[bytes, bytes]] = []
    while data:
        size = sizes[turn % len(sizes)]
        got += reader.feed(data[:size])
        data, turn = data[size:], turn + 1
    assert got == sent


@pytest.mark.parametrize('data', [b'Z\x01\x00\x00\x00x', b'A\xff\xff\xff\xff'])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match='not a frame'):
        FrameReader().feed(data)


outcomes = st.builds(
    Outcome,
    st.sampled_from(ProcState),
    st.none() | st.sampled_from(ErrorKind),
    st.text(),
    st.none() | st.builds(Location, st.text(), st.integers(1)),
    retry=st.booleans(),
)


@given(outcomes)
def test_outcomes_survive(outcome: Outcome) -> None:
    assert unpack_outcome(pack_outcome(outcome)[5:]) == outcome


names = st.text(min_size=1, max_size=10)


@given(st.dictionaries(names, st.binary(max_size=50) | st.builds(FileResult, names)))
def test_answers_survive(results: dict[str, EncodedResult]) -> None:
    answer: dict[str, object] = {'names': list(results), 'failed': {}}
    assert unpack_answer(pack_answer(answer, results)[5:]) == (answer, results)
