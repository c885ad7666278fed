"""Names and patterns: what matches what, and finding patterns by name."""

from __future__ import annotations

import enum
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.names import Pattern, PatternIndex, as_text, check_name, nearest
from parproc.errors import UserError

SEGMENTS = st.sampled_from(['a', 'b', 'ab', 'a-b', 'é', '😀', '', '*', '.', 'a b'])
PATTERN_SEGMENTS = st.sampled_from(['a', 'b', '[x]', '[y]', 'a-[z]', '[w]-b', '*', '?', 'a*', '.', 'a b'])


def slow_match(pattern: str, name: str) -> bool:
    """Try every way to cut ``name``: the obvious oracle for one segment, by recursion over characters."""

    def fits(tokens: list[str], text: str) -> bool:
        if not tokens:
            return not text
        first, rest = tokens[0], tokens[1:]
        if first in {'*', 'placeholder'}:
            return any(fits(rest, text[cut:]) for cut in range(first != '*', len(text) + 1))
        return bool(text) and first in {'?', text[0]} and fits(rest, text[1:])

    def tokens(segment: str) -> list[str]:
        found = []
        while segment:
            if segment[0] == '[':
                found.append('placeholder')
                segment = segment[segment.index(']') + 1 :]
            else:
                found.append(segment[0])
                segment = segment[1:]
        return found

    mine, theirs = pattern.split('::'), name.split('::')
    return len(mine) == len(theirs) and all(
        fits(tokens(segment), text) for segment, text in zip(mine, theirs, strict=True)
    )


def names(segments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(segments, min_size=1, max_size=3).map('::'.join).filter(bool)


def patterns() -> st.SearchStrategy[str]:
    unique = st.lists(PATTERN_SEGMENTS, min_size=1, max_size=3, unique=True)
    return unique.map('::'.join)


@given(patterns(), names(SEGMENTS))
def test_a_pattern_matches_what_cutting_by_hand_matches(pattern: str, name: str) -> None:
    assert (Pattern(pattern, '::').match(name) is not None) == slow_match(pattern, name)


@given(st.lists(patterns(), max_size=8), names(SEGMENTS))
def test_the_index_finds_exactly_the_patterns_that_match(texts: list[str], name: str) -> None:
    index: PatternIndex[int] = PatternIndex()
    for number, text in enumerate(texts):
        index.add(Pattern(text, '::'), number)
    found = sorted(number for _, number, _ in index.matches(name))
    assert found == [number for number, text in enumerate(texts) if Pattern(text, '::').match(name) is not None]


@given(st.dictionaries(st.sampled_from(['x', 'y']), st.from_regex(r'[^:\x00-\x1f\x7f-\x9f]+', fullmatch=True)))
def test_what_was_filled_in_is_what_matching_gives_back(args: dict[str, str]) -> None:
    pattern = Pattern('a::[x]::[y]', '::')
    filled = pattern.fill(args)
    if len(args) == 2:
        try:
            check_name(filled)
        except UserError:
            return
        assert pattern.match(filled) == args
    else:
        assert pattern.unfilled(args) == [name for name in ('x', 'y') if name not in args]


def test_a_placeholder_never_crosses_a_separator() -> None:
    assert Pattern('build::[env]', '::').match('build::a::b') is None
    assert Pattern('build::[env]', '::').match('build::') is None


def test_a_placeholder_may_stand_inside_of_text() -> None:
    assert Pattern('build-[env].[arch]', '::').match('build-dev.arm') == {'env': 'dev', 'arch': 'arm'}


def test_a_separator_may_occur_in_a_placeholder() -> None:
    pattern = Pattern('build_[my_env]', '_')
    assert pattern.match('build_dev') == {'my_env': 'dev'}
    assert pattern.fill({'my_env': 'dev'}) == 'build_dev'


def test_brackets_that_hold_no_identifier_are_text() -> None:
    assert Pattern('a[0]', '::').placeholders == ()
    assert Pattern('a[0]', '::').match('a[0]') == {}


def test_only_a_pattern_of_plain_text_is_concrete() -> None:
    concrete = {text: Pattern(text, '::').is_concrete for text in ('a::b', 'a::[b]', 'a::*', 'a?')}
    assert concrete == {'a::b': True, 'a::[b]': False, 'a::*': False, 'a?': False}


def test_a_placeholder_cannot_occur_twice() -> None:
    with pytest.raises(UserError, match='same placeholder twice'):
        Pattern('[a]::[a]', '::')


@pytest.mark.parametrize('name', ['', 'a\nb', 'a\x1b[2J', 'a\x00', '\x7f', '\x9b', 'a\u2028b', '\ud800'])
def test_a_name_is_text_without_control_characters(name: str) -> None:
    with pytest.raises(UserError):
        check_name(name)


@pytest.mark.parametrize('name', ['a', '../etc', 'ä ö', '😀', '-x', '[/foo]', 'a' * 300])
def test_any_other_text_is_a_name(name: str) -> None:
    assert check_name(name) == name


def test_an_enum_member_stands_in_a_name_by_its_value() -> None:
    class Env(enum.Enum):
        DEV = 'dev'

    assert Pattern('b::[env]', '::').fill({'env': Env.DEV}) == 'b::dev'
    assert as_text(3) == '3'


def test_the_nearest_spelling_is_suggested_whatever_its_case() -> None:
    assert nearest('biuld::Prod', ['build::prod', 'test']) == 'did you mean build::prod?'
    assert nearest('zzz', ['build']) is None


def test_many_patterns_are_not_all_tried() -> None:
    index: PatternIndex[int] = PatternIndex()
    for number, kind in itertools.product(range(300), ('', '::[x]')):
        index.add(Pattern(f'app::task{number}{kind}', '::'), number)
    [(pattern, number, values)] = index.matches('app::task7::z')
    assert (pattern.text, number, values) == ('app::task7::[x]', 7, {'x': 'z'})
