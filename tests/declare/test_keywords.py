"""The keywords that type checkers know are those that are accepted, in Python, in TOML and in the README."""

from __future__ import annotations

import inspect
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
from parproc.declare.fields import FIELDS, NOT_SUPPORTED_YET
from parproc.declare.option_choices import MODES, OUTPUTS
from parproc.declare.options import Options
from parproc.declare.origin import ROOT
from parproc.project import toml

TESTS = Path(__file__).parent.parent
README = (TESTS.parent / 'README.md').read_text(encoding='utf-8')
ONLY_IN_CODE = {'replace'}
"""Says how to declare, not what; a file says everything once."""
FIELDS_PLANNED = [
    'run',
    'deps',
    'rdeps',
    'after',
    'locks',
    'cpus',
    'resources',
    'now',
    'args',
    'timeout',
    'wave',
    'retries',
    'retry_delay',
    'inputs',
    'inputs_ignore',
    'outputs',
    'depfile',
    'no_skip',
    'cached',
    'log_ignore',
    'track_imports',
    'python_import_roots',
    'interactive',
    'isolated',
    'local',
    'env',
    'cwd',
    'shell',
    'requires',
    'confirm',
    'aliases',
    'group',
    'hidden',
    'jobserver',
    'doc',
    'replace',
    'arg_choices',
]
FIELDS_TO_COME = {
    **dict.fromkeys(('outputs', 'no_skip', 'depfile', 'track_imports', 'python_import_roots'), 'running what changed'),
    **dict.fromkeys(('cpus', 'resources', 'jobserver'), 'slots as amounts'),
    **dict.fromkeys(('run', 'shell', 'after', 'requires', 'confirm', 'aliases', 'group', 'hidden'), 'declaring more'),
    'cached': 'the cache',
    'local': 'many machines',
}
"""Field -> the capability that it comes with; none of them is accepted before."""
OPTIONS_PLANNED = [
    'parallel',
    'mode',
    'dynamic',
    'name_param_separator',
    'allow_missing_deps',
    'fail_fast',
    'grace',
    'stop_grace',
    'shell',
    'output',
    'jobserver',
    'resources',
    'log_ignore',
    'full_log_on_failure',
    'state_dir',
    'task_db_path',
    'global_inputs_ignore',
    'track_python_imports',
    'python_import_roots',
    'cache',
    'cache_size',
    'ray_address',
    'ray_shared',
    'ray_exclude',
]
OPTIONS_TO_COME = {
    **dict.fromkeys(('global_inputs_ignore', 'track_python_imports', 'python_import_roots'), 'running what changed'),
    **dict.fromkeys(('jobserver', 'resources'), 'slots as amounts'),
    **dict.fromkeys(('cache', 'cache_size'), 'the cache'),
    **dict.fromkeys(('ray_address', 'ray_shared', 'ray_exclude'), 'many machines'),
    'shell': 'declaring more',
}


def rows(header: str) -> set[str]:
    """Return the names in code marks in the first column of the table of the README that has this header."""
    table = re.search(rf'^\| {header} \|.*\n\|---.*\n((?:\|.*\n)+)', README, re.MULTILINE)
    assert table is not None
    cells = [row.split('|')[1] for row in table[1].splitlines()]
    return {name for cell in cells for name in re.findall(r'`([a-z_]+)', cell)}


def documented(kind: type) -> set[str]:
    """Return the keys of a TypedDict that are followed by a text that says what they are."""
    import ast

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
    assert rows('field') == set(keywords.ProtoKeywords.__annotations__)
    assert rows(r'option \| is') == set(keywords.OptionKeywords.__annotations__)


def test_what_is_planned_is_there_or_is_to_come() -> None:
    assert set(keywords.ProtoKeywords.__annotations__) == set(FIELDS_PLANNED) - FIELDS_TO_COME.keys()
    assert FIELDS_TO_COME.keys() <= set(FIELDS_PLANNED)
    assert set(keywords.OptionKeywords.__annotations__) == set(OPTIONS_PLANNED) - OPTIONS_TO_COME.keys()
    assert OPTIONS_TO_COME.keys() <= set(OPTIONS_PLANNED)


@pytest.mark.parametrize('field', sorted(FIELDS_TO_COME))
def test_a_field_that_is_to_come_is_refused(field: str) -> None:
    with pytest.raises(pp.UserError, match=f'"{field}"'):
        pp.Session().Proto('a::[x]', lambda context, x: x, **{field: None})
    assert field not in toml.KEYS or field == 'run'  # the command of a task file


@pytest.mark.parametrize('option', sorted(OPTIONS_TO_COME))
def test_an_option_that_is_to_come_is_refused(option: str) -> None:
    with pytest.raises(pp.UserError, match=f'unknown option "{option}"'):
        pp.Session(**{option: None})


@pytest.mark.parametrize('field', sorted(NOT_SUPPORTED_YET))
def test_a_field_that_was_accepted_before_says_that_it_is_not_supported_yet(field: str, tmp_path: Path) -> None:
    with pytest.raises(pp.UserError, match=rf'^Proc "a": "{field}" is not supported yet \(.+\)$'):
        pp.Session().Proc('a', lambda context: 1, **{field: ['x']})  # type: ignore[call-overload]
    path = tmp_path / 'parproc.toml'
    path.write_text(f'[proc.a]\nrun = "true"\n{field} = true\n')
    with pytest.raises(pp.UserError, match=rf'parproc.toml:3: "proc.a": "{field}" is not supported yet \(.+\)$'):
        toml.read_toml(str(path), lambda _: ROOT)


@pytest.mark.parametrize(
    ('documented_in', 'kind'),
    [
        (pp.Session.Proc, keywords.ProcKeywords),
        (pp.Session.Proto, keywords.ProtoKeywords),
        (pp.Session.set_options, keywords.OptionKeywords),
    ],
)
def test_the_docstring_that_an_editor_shows_tells_of_each_keyword(documented_in: object, kind: type) -> None:
    told = re.findall(r'^    ([a-z_]+): \S', inspect.getdoc(documented_in) or '', re.MULTILINE)
    assert set(kind.__annotations__) <= set(told)


def test_the_docstring_of_a_session_names_each_option() -> None:
    assert set(keywords.OptionKeywords.__annotations__) <= set(re.findall(r'``([a-z_]+)``', pp.Session.__doc__ or ''))


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
