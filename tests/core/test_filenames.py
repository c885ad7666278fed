"""File names for logs: one safe component, and never the same for two names."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parproc.core.filenames import file_stem

NAMES = st.text(alphabet=st.sampled_from('abAB_-.:/~ \x00é😀\ud800'), max_size=8) | st.text(max_size=400)
SEPARATORS = st.sampled_from(['::', '.', '/', '-', '_', 'ab', '~'])


@pytest.mark.parametrize(
    ('name', 'stem'),
    [('test', 'test'), ('build::prod', 'build.prod'), ('a-b_c::9', 'a-b_c.9'), ('_private', '_private')],
)
def test_plain_names_stay_readable(name: str, stem: str) -> None:
    assert file_stem(name) == stem


def test_the_separator_may_be_another() -> None:
    assert file_stem('build/prod', '/') == 'build.prod'


@pytest.mark.parametrize(
    'name', ['Build', 'a.b', '../../etc/passwd', '-rf', 'a/b', '..', '', '😀', 'x' * 300, '::a', 'a\0b']
)
def test_any_other_name_gets_a_hash(name: str) -> None:
    prefix, _, digest = file_stem(name).partition('~')
    assert len(digest) == 12
    assert not prefix.startswith(('-', '.'))


@given(st.lists(NAMES, unique=True, min_size=2, max_size=20), SEPARATORS)
@example(['a::b', 'a.b', 'A::B', 'a_b', 'a::b~'], '::')
@example(['build', 'Build', 'BUILD'], '::')
def test_no_two_names_share_a_file_even_where_case_is_not_told_apart(names: list[str], separator: str) -> None:
    assert len({file_stem(name, separator).lower() for name in names}) == len(names)


@given(NAMES, SEPARATORS)
def test_a_stem_is_one_short_safe_component(name: str, separator: str) -> None:
    stem = file_stem(name, separator)
    assert 0 < len(stem) <= 110
    assert set(stem) <= set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~')
    assert not stem.startswith(('-', '.'))
