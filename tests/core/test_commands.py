"""Commands with values in them: what runs, and that no value can become a command."""

from __future__ import annotations

import string
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parproc.core.commands import text, words
from parproc.errors import UserError

EVIL = 'a b\'; "$(echo PWNED)" `echo PWNED` $HOME \\ * #x'
TEXTS = st.text(st.characters(exclude_characters='\x00', exclude_categories=['Cs']), max_size=30)
SHELLY = st.text(st.sampled_from('\'"`$(){};&|<>\\ \n#*ab'), max_size=20)


def output(source: str, *extra_args: str, **values: object) -> str:
    command = text(source).filled(values, extra_args)
    assert command[:2] == ('/bin/sh', '-euc')
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ('source', 'expected'),
    [
        ('printf %s {x}', EVIL),
        ("printf %s '{x}'", EVIL),
        ("printf %s 'it is '{x}", f'it is {EVIL}'),
        ('printf %s "{x}"', EVIL),
        ('printf %s "$(printf %s "{x}")"', EVIL),
        ('printf %s "$(printf %s \'{x}\')"', EVIL),
        ('printf %s "${NOT_SET_AT_ALL:-{x}}"', EVIL),
        ('cat <<END\n{x}\nEND\n', f'{EVIL}\n'),
        ("cat <<'END'\n{x}\nEND\n", f'{EVIL}\n'),
        ('cat <<-END\n\t{x}\n\tEND\nprintf %s after', f'{EVIL}\nafter'),
        ('y={x}; printf %s "$y"', EVIL),
        ('# {x}\nprintf %s fine', 'fine'),
        ('case {x} in *) printf %s fine;; esac', 'fine'),
        ('(printf %s {x})', EVIL),
        ('printf %s\\" {x}', f'{EVIL}"'),
    ],
)
def test_a_value_is_one_value_wherever_it_stands(source: str, expected: str) -> None:
    assert output(source, x=EVIL) == expected


def test_a_value_with_lines_cannot_end_a_comment_or_a_here_document() -> None:
    assert output('# {x}\nprintf %s fine', x='a\necho PWNED') == 'fine'
    assert output('cat <<END\n{x}\nEND\n', x='END\necho PWNED') == 'END\necho PWNED\n'
    assert output("cat <<'END'\n{x}\nEND\n", x='END\necho PWNED') == 'END\necho PWNED\n'


def test_what_is_calculated_with_must_be_a_number() -> None:
    assert output('printf %s $(( {n} + 1 ))', n=41) == '42'
    with pytest.raises(UserError, match='no whole number'):
        text('echo $(( {n} + 1 ))').filled({'n': 'a[$(echo PWNED)]'}, ())


@given(before=SHELLY, after=SHELLY, value=SHELLY | TEXTS)
@settings(max_examples=150, deadline=None)
def test_no_value_ever_becomes_a_command(before: str, after: str, value: str) -> None:
    """Whatever surrounds it: with a value that would run something, nothing more runs than with a harmless one."""
    source = f'{before}{{x}}{after}'
    try:
        evil = f'{value};exec 9>&1;echo PWNED>&9;`echo PWNED`$(echo PWNED)'
        command = text(source).filled(dict.fromkeys(text(source).names(), evil), ())
    except UserError:
        return
    done = subprocess.run(command, capture_output=True, timeout=20, check=False, cwd='/proc')
    lines = [line for line in done.stdout.split(b'\n') if line.strip(b'"\'') == b'PWNED']
    assert not lines, command


@pytest.mark.parametrize(
    ('source', 'names'),
    [
        ('{a} {b}{a}', {'a', 'b'}),
        ('${HOME} {{a}} {} {1} {a b} {"k": 1} {a,b}', set()),
        ("awk '{print $1}' ${x}{y}", {'y'}),
        ('{extra_args}', {'extra_args'}),
        ('${{a}}', set()),
    ],
)
def test_a_value_is_an_identifier_in_braces_with_no_dollar_before(source: str, names: object) -> None:
    assert text(source).names() == names
    assert words([source]).names() == names


def test_other_braces_are_left_as_they_stand() -> None:
    source = '${HOME} {{a}} awk \'{print $1}\' {"k": 1} {}'
    assert words([source]).filled({}, ()) == (source.replace('{{a}}', '{a}'),)
    assert text(source).filled({}, ())[2] == source.replace('{{a}}', '{a}')


def test_words_are_passed_as_they_are() -> None:
    command = words(['run', 'x={x}', '{extra_args}', 'all: {extra_args}'])
    assert command.filled({'x': EVIL}, ('a b', "c'd")) == (
        *('run', f'x={EVIL}'),
        *('a b', "c'd"),
        "all: 'a b' 'c'\"'\"'d'",
    )
    assert words(['run', '{extra_args}']).filled({}, ()) == ('run',)


def test_extra_arguments_stay_apart_in_text() -> None:
    assert output("printf '%s|' {extra_args}", 'a b', '$HOME', "c'd") == "a b|$HOME|c'd|"
    assert output('printf %s "{extra_args}"', 'a b', '$HOME') == 'a b $HOME'
    assert output('printf %s {extra_args}') == ''


@given(st.text(string.printable, max_size=40))
def test_text_without_values_is_passed_unchanged(source: str) -> None:
    if not text(source).names() and '{{' not in source:
        assert text(source).filled({}, ())[2] == source
