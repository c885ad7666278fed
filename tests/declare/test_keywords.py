"""The keywords that type checkers know are those that are accepted, in Python, in TOML and in the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import parproc as pp
from parproc.declare import keywords
from parproc.declare.declaration import Declaration
from parproc.declare.fields import FIELDS
from parproc.declare.option_choices import MODES, OUTPUTS
from parproc.declare.options import Options
from parproc.project import toml

TESTS = Path(__file__).parent.parent
README = (TESTS.parent / 'README.md').read_text(encoding='utf-8')
ONLY_IN_CODE = {'replace'}
"""Says how to declare, not what; a file says everything once."""
STILL_TO_COME = {'no_skip'}
"""Accepted, and of use only once procs can be up to date."""


def rows(header: str) -> set[str]:
    """Return the names in code marks in the first column of the table of the README that has this header."""
    table = re.search(rf'^\| {header} \|.*\n\|---.*\n((?:\|.*\n)+)', README, re.MULTILINE)
    assert table is not None
    cells = [row.split('|')[1] for row in table[1].splitlines()]
    return {name for cell in cells for name in re.findall(r'`([a-z_]+)', cell)}


def documented(kind: type) -> set[str]:
    """Return the keys of a TypedDict that are followed by a text that says what they are."""
    import ast
    import inspect

    (defined,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(defined, ast.ClassDef)
    return {
        key.target.id
        for key, text in zip(defined.body, defined.body[1:], strict=False)
        if isinstance(key, ast.AnnAssign)
        and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def test_each_keyword_is_a_field_of_a_declaration() -> None:
    assert set(keywords.ProtoKeywords.__annotations__) - ONLY_IN_CODE == set(FIELDS)
    assert set(keywords.ProcKeywords.__annotations__) - ONLY_IN_CODE == set(FIELDS) - {'arg_choices'}
    assert set(FIELDS) <= {field.name for field in fields(Declaration)}


def test_each_keyword_is_a_key_in_toml() -> None:
    assert set(keywords.ProtoKeywords.__annotations__) - ONLY_IN_CODE <= toml.KEYS
    assert toml.KEYS - set(keywords.ProtoKeywords.__annotations__) == toml.OWN_KEYS


def test_each_keyword_of_an_option_is_one() -> None:
    assert set(keywords.OptionKeywords.__annotations__) == {field.name for field in fields(Options)}
    for key, choices in (('mode', MODES), ('output', OUTPUTS)):
        annotation = keywords.OptionKeywords.__annotations__[key].__forward_arg__
        assert annotation == f'Literal[{", ".join(map(repr, choices))}] | None'


def test_each_keyword_says_what_it_is() -> None:
    for kind in (keywords.ProcKeywords, keywords.OptionKeywords):
        assert documented(kind) == set(kind.__annotations__)
    assert documented(keywords.ProtoKeywords) == {'arg_choices'}


def test_the_readme_knows_each_field_and_each_option() -> None:
    assert rows('field') == set(keywords.ProtoKeywords.__annotations__) - STILL_TO_COME
    assert rows(r'option \| is') == set(keywords.OptionKeywords.__annotations__)


def check_types(*paths: Path) -> str:
    found = subprocess.run(
        [
            *(sys.executable, '-m', 'mypy', '--strict', '--no-pretty', '--hide-error-context', '--no-error-summary'),
            *('--cache-dir', os.devnull, '--config-file', '', '--python-version', '3.10'),
            *map(str, paths),
        ],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert found.stderr == ''
    return found.stdout


def test_a_program_as_people_write_it_passes_and_each_mistake_is_found() -> None:
    mistakes = TESTS / 'typing' / 'mistakes.py'
    lines = enumerate(mistakes.read_text(encoding='utf-8').splitlines(), 1)
    expected = {(number, code) for number, line in lines for code in line.partition('  # ')[2].split()}
    told = check_types(TESTS / 'typing' / 'user_code.py', mistakes)
    errors = re.findall(r'^(.*?):(\d+): error: .*\[([a-z-]+)\]$', told, re.MULTILINE)
    assert len(errors) == told.count(' error: ')
    found = {(int(line), code) for path, line, code in errors if path.endswith('mistakes.py')}
    assert found - {(line, 'untyped-decorator') for line, _ in expected} == expected
    assert [error for error in errors if not error[0].endswith('mistakes.py')] == []


@pytest.mark.parametrize('key', sorted(keywords.OptionKeywords.__annotations__))
def test_each_option_can_be_left_as_it_is(key: str) -> None:
    assert Options().updated(**{key: None}) == Options()
    with pytest.raises(pp.UserError):
        Options().updated(**{key: object()})


@pytest.mark.parametrize('key', sorted(keywords.ProtoKeywords.__annotations__))
def test_each_keyword_can_be_none_and_cannot_be_just_anything(key: str) -> None:
    session = pp.Session()
    session.Proto('a::[x]', lambda context, x: x, **{key: None})
    with pytest.raises(pp.UserError, match=key):
        session.Proto('b::[x]', lambda context, x: x, **{key: object()})  # type: ignore[call-overload]
    assert list(session.get_protos()) == ['a::[x]']
