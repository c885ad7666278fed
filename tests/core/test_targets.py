"""Words of a command line: globs over choices, trailing separators, exclusion."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.names import Pattern
from parproc.core.targets import OpenPlaceholderError, expand, fill_glob, names_literally
from parproc.errors import UserError


class FixedChoices:
    """Choices out of a dict; what it does not hold is open."""

    def __init__(self, choices: Mapping[str, Sequence[str]]) -> None:
        self.choices = choices

    def texts(self, placeholder: str, bound: Mapping[str, str]) -> Sequence[str] | None:
        return self.choices.get(placeholder)

    def allows(self, placeholder: str, text: str, bound: Mapping[str, str]) -> bool:
        return placeholder not in self.choices or text in self.choices[placeholder]


class FixedCatalog:
    """Names out of a dict: what a word stands for."""

    separators = ('::',)

    def __init__(self, meanings: Mapping[str, list[str]], procs: Sequence[str] = ()) -> None:
        self.meanings = meanings
        self.procs = dict.fromkeys(procs)

    def create(
        self,
        name: str,
        proc_name: str | None = None,
        args: Mapping[str, object] | None = None,
        params: Mapping[str, object] | None = None,
    ) -> list[str]:
        return self.meanings[name]


def filled(pattern: str, glob: str, **choices: Sequence[str]) -> list[str]:
    parsed = Pattern(pattern, '::')
    return [parsed.fill(values) for values in fill_glob(parsed, glob, FixedChoices(choices))]


@given(
    st.sampled_from(['b::[x]', '[x]::[y]', 'b-[x]::[y]', 'b::[x]-[y]', '[y]::b']),
    st.lists(st.sampled_from(['*', '?', 'a*', 'b', 'ab', 'b-*', '*-?', 'b-a']), min_size=1, max_size=3),
    st.lists(st.sampled_from(['a', 'b', 'ab']), unique=True),
    st.lists(st.sampled_from(['a', 'b', 'ba']), unique=True),
)
def test_a_glob_finds_what_trying_all_choices_finds(
    pattern: str, glob_segments: list[str], xs: list[str], ys: list[str]
) -> None:
    glob = '::'.join(glob_segments)
    parsed, wanted = Pattern(pattern, '::'), Pattern(glob, '::')
    every = {'x': xs, 'y': ys}
    products = itertools.product(*(every[name] for name in parsed.placeholders))
    names = [parsed.fill(dict(zip(parsed.placeholders, values, strict=True))) for values in products]
    assert set(filled(pattern, glob, x=xs, y=ys)) == {name for name in names if wanted.match(name) is not None}


def test_choices_come_in_their_order() -> None:
    assert filled('b::[x]::[y]', 'b::*::*', x=['2', '1'], y=['b', 'a']) == [
        'b::2::b',
        'b::2::a',
        'b::1::b',
        'b::1::a',
    ]


def test_a_glob_on_a_placeholder_without_choices_cannot_be_told() -> None:
    with pytest.raises(OpenPlaceholderError) as caught:
        filled('build::[env]', 'build::*')
    assert caught.value.placeholder == 'env'


def test_a_written_value_needs_no_choices_when_the_family_is_meant() -> None:
    assert filled('build::[env]::[os]', 'build::*::linux', env=['dev']) == ['build::dev::linux']


def test_a_family_that_a_glob_only_reaches_takes_no_value_that_nobody_listed() -> None:
    with pytest.raises(OpenPlaceholderError):
        filled('release::[version]', '*::prod')


def test_a_value_outside_of_the_choices_matches_nothing() -> None:
    assert filled('build::[env]', '*::qa', env=['dev']) == []


def test_a_family_is_named_when_all_its_fixed_segments_are_spelled() -> None:
    pattern = Pattern('build::[env]', '::')
    assert names_literally(pattern, 'build::*')
    assert not names_literally(pattern, '*::dev')
    assert not names_literally(Pattern('[a]::[b]', '::'), '*::*')


def test_words_give_their_names_once_and_in_order() -> None:
    catalog = FixedCatalog({'b::*': ['b::1', 'b::2'], 'a': ['a'], 'b::2': ['b::2']})
    assert expand(['b::2', 'a', 'b::*'], catalog) == ['b::2', 'a', 'b::1']


def test_a_trailing_separator_is_a_glob() -> None:
    catalog = FixedCatalog({'b::*': ['b::1', 'b::2']})
    assert expand(['b::'], catalog) == ['b::1', 'b::2']


def test_a_proc_may_really_be_called_with_a_trailing_separator() -> None:
    assert expand(['b::'], FixedCatalog({'b::': ['b::']}, procs=['b::'])) == ['b::']


@pytest.mark.parametrize('exclude', ['b::2', '*::2', 'b::?', 'b::'])
def test_what_is_excluded_is_left_out(exclude: str) -> None:
    catalog = FixedCatalog({'b::*': ['b::2'], 'a': ['a']})
    assert expand(['a', 'b::*'], catalog, exclude=[exclude]) == ['a']


def test_excluding_everything_is_an_error() -> None:
    with pytest.raises(UserError, match='every target is excluded'):
        expand(['a'], FixedCatalog({'a': ['a']}), exclude=['?'])
