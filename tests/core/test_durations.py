"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from parproc.core.durations import format_duration, parse_duration
from parproc.errors import UserError


@pytest.mark.parametrize(
    ('written', 'seconds'),
    [
        (0, 0),
        (2.5, 2.5),
        ('30s', 30),
        ('5m', 300),
        ('1h', 3600),
        ('1h30m', 5400),
        ('500ms', 0.5),
        ('90', 90),
        (' 2 ', 2),
    ],
)
def test_a_length_of_time_is_seconds(written: object, seconds: float) -> None:
    assert parse_duration(written, 'timeout') == seconds


@pytest.mark.parametrize(
    'written', ['', 'soon', '5 parsecs', '-1', -1, True, None, 'nan', float('inf'), '1h 30m', '5mm']
)
def test_anything_else_is_an_error_that_names_it(written: object) -> None:
    with pytest.raises(UserError, match='timeout is not a length of time'):
        parse_duration(written, 'timeout')


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [(0.04, '0.0s'), (9.9, '9.9s'), (9.97, '10s'), (59.6, '1m00s'), (184, '3m04s'), (3725, '1h02m')],
)
def test_lengths_are_shown_short(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
