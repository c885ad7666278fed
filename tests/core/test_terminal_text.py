"""The filter for screens: nothing but text and, where wanted, colour gets through."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.terminal_text import clean_line, plain_text

PIECES = st.sampled_from(
    [
        '\x1b',
        '\x1b[',
        '31',
        'm',
        '2J',
        '\x1b[31m',
        '\x1b]52;c;eA==\x07',
        '\x1b]0;t\x1b\\',
        '\x9b2J',
        '\x9d0;x\x9c',
        '\x1bP',
        '\x07',
        '\r',
        '\x08',
        '\0',
        '\t',
        '\n',
        '\u202e',
        '\u2066',
        '\u2028',
        '\udcff',
        ';',
        ':',
        '[',
        ']',
        'é',
        'text',
        ' ',
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map(''.join) | st.text()
SGR = re.compile(r'\x1b\[[0-9;:]*m')
BIDI = set('\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')


def acting(text: str) -> set[str]:
    """Return the characters of ``text`` that could do more than be read, by looking at each."""
    return {
        char
        for char in text
        if (ord(char) < 32 and char != '\t')
        or 127 <= ord(char) < 160
        or char in BIDI
        or char in '\u2028\u2029'
        or 0xD800 <= ord(char) <= 0xDFFF
    }


@given(TEXTS)
def test_without_colour_nothing_acts(text: str) -> None:
    assert not acting(clean_line(text, colour=False))


@given(TEXTS)
def test_with_colour_only_whole_colour_sequences_act_and_they_are_closed(text: str) -> None:
    cleaned = clean_line(text, colour=True)
    assert not acting(SGR.sub('', cleaned))
    if SGR.search(cleaned):
        assert cleaned.endswith('\x1b[0m')


@given(TEXTS)
def test_a_name_is_one_line_that_does_nothing(text: str) -> None:
    assert not acting(plain_text(text))
    assert '\t' not in plain_text(text)


@given(st.text(alphabet=st.characters(categories=['L', 'N', 'P', 'S'])))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean_line(text, colour=True) == plain_text(text) == text


@pytest.mark.parametrize(
    ('line', 'seen'),
    [
        ('\x1b[31mred\x1b[0m', 'red'),
        ('a\x1b[2Jb', 'ab'),
        ('a\x1b]52;c;aGk=\x07b', 'ab'),
        ('a\x1b]0;title\x1b\\b', 'ab'),
        ('10%\r50%\r100%', '100%'),
        ('10%\r100%\r', '100%'),
        ('windows\r', 'windows'),
        ('bell\x07', 'bell\\x07'),
        ('\u202eevil', '\\u202eevil'),
        ('caf\udce9', 'caf\\xe9'),
        ('[/foo] [bold]x', '[/foo] [bold]x'),
        ('a\tb', 'a\tb'),
    ],
)
def test_what_is_seen_of_a_line(line: str, seen: str) -> None:
    assert clean_line(line, colour=False) == seen


def test_colour_ends_with_its_line() -> None:
    assert clean_line('\x1b[1;31mred', colour=True) == '\x1b[1;31mred\x1b[0m'


def test_a_name_shows_its_control_characters() -> None:
    assert plain_text('a\nb\x1b[2J') == 'a\\nb\\x1b[2J'
