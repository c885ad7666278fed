"""Reading task files that are data: what their keys mean, and that each mistake is named with its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from parproc.declare.declaration import Declaration, make_declaration
from parproc.declare.dependency_kinds import NO_FAILURES, WhenScheduled, WhenTargetScheduled
from parproc.declare.origin import ROOT, Origin
from parproc.errors import UserError
from parproc.project.toml import TomlFile, check_values, read_toml


def read(folder: Path, text: str, name: str = 'parproc.toml', origin: Origin = ROOT) -> TomlFile:
    (folder / name).write_text(text)
    return read_toml(str(folder / name), lambda _: origin)


def one(folder: Path, table: str, header: str = 'proc.a') -> Declaration:
    (declaration,) = read(folder, f'[{header}]\n{table}\n').declarations
    return declaration


def filled(declaration: Declaration, *extra_args: str, **values: object) -> list[tuple[str, ...]]:
    return [command.filled(values, list(extra_args)) for command in declaration.commands]


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, '') == TomlFile(str(tmp_path / 'parproc.toml'))


def test_the_keys_at_the_top_are_those_of_the_project(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'default = ["a"]\ninclude = ["web/parproc.toml"]\ndotenv = [".env"]\n[options]\nparallel = 2\n[params]\nV = "1"\n',
    )
    assert (found.default, found.include, found.dotenv) == (('a',), ('web/parproc.toml',), ('.env',))
    assert (found.options, found.params, found.declarations) == ({'parallel': 2}, {'V': '1'}, ())


def test_in_pyproject_all_stands_in_a_table_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, '[project]\nname = "x"\n[tool.parproc.proc.a]\nrun = "true"\n', 'pyproject.toml')
    (declaration,) = found.declarations
    assert declaration.location is not None
    assert (declaration.name, declaration.location.line) == ('a', 3)
    with pytest.raises(UserError, match=r'pyproject\.toml:2: unknown key "prox"'):
        read(tmp_path, '[tool.parproc]\nprox = 1\n', 'pyproject.toml')


def test_procs_and_protos_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '[proc.b]\nrun = "true"\n[proto."a::[x]"]\nrun = "true"\n[proc.c]\nrun = "true"\n[proto."d::[x]"]\nrun = "true"\n',
    )
    assert [declaration.name for declaration in found.declarations] == ['b', 'a::[x]', 'c', 'd::[x]']
    assert [declaration.is_proto for declaration in found.declarations] == [False, True, False, True]


@pytest.mark.parametrize(
    ('run', 'expected'),
    [
        ('"make {x}"', [('/bin/sh', '-euc', """parproc_0='a b'; make "${parproc_0}\"""")]),
        ('["make", "{x}", "{extra_args}"]', [('make', 'a b', '-k', '-j')]),
        ('[["make", "one"], ["make", "two"]]', [('make', 'one'), ('make', 'two')]),
        ('[["make"], ["echo", "{{x}}"]]', [('make',), ('echo', '{x}')]),
    ],
)
def test_a_command_is_text_or_words_or_several(tmp_path: Path, run: str, expected: list[tuple[str, ...]]) -> None:
    assert filled(one(tmp_path, f'run = {run}'), '-k', '-j', x='a b') == expected


def test_fields_are_those_of_a_declaration_under_the_same_names(tmp_path: Path) -> None:
    text = (
        'run = "true"\ndoc = "Do."\ndeps = ["b", "c::*"]\nlocks = ["db"]\nwave = -1\ntimeout = "5m"\nretries = 2\n'
        'retry_delay = 3\nenv = {A = "b"}\ncwd = "x"\ninputs = ["*.c"]\nnow = true\nisolated = true'
    )
    found = one(tmp_path, text)
    assert (found.doc, found.deps, found.locks, found.wave) == ('Do.', ('b', 'c::*'), ('db',), -1)
    assert (found.timeout, found.retries, found.retry_delay) == (300.0, 2, 3.0)
    assert (found.env, found.cwd, found.inputs, found.now, found.isolated) == ({'A': 'b'}, 'x', ('*.c',), True, True)


def test_what_is_no_text_in_python_has_keys_of_its_own(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        'run = "true"\ndeps = ["b"]\nno_failures = true\nrdeps = ["c"]\n'
        'when_scheduled = ["d"]\nwhen_target_scheduled = ["e"]',
    )
    assert found.deps == ('b', NO_FAILURES)
    assert found.rdeps == ('c', WhenScheduled('d'), WhenTargetScheduled('e'))
    assert one(tmp_path, 'run = "true"\nno_failures = false').deps == ()


def test_a_proc_without_a_command_stands_for_its_deps(tmp_path: Path) -> None:
    assert one(tmp_path, 'deps = ["b"]').commands == ()
    with pytest.raises(UserError, match=r':1: "proc\.a" has neither "run" nor "deps"'):
        one(tmp_path, 'doc = "nothing"')


def test_choices_are_lists_of_values(tmp_path: Path) -> None:
    found = one(tmp_path, 'run = "true"\narg_choices.x = ["a", "b"]', 'proto."p::[x]"')
    assert found.arg_choices == {'x': ('a', 'b')}


def test_names_begin_and_procs_run_where_the_origin_says(tmp_path: Path) -> None:
    seen: list[Mapping[str, object]] = []

    def origin(options: Mapping[str, object]) -> Origin:
        seen.append(options)
        return Origin(('web',), '/web', '/')

    (tmp_path / 'parproc.toml').write_text('[options]\nfail_fast = true\n[proc.a]\nrun = "true"\ncwd = "site"\n')
    (found,) = read_toml(str(tmp_path / 'parproc.toml'), origin).declarations
    assert (found.name, found.cwd, found.separator, seen) == ('web/a', '/web/site', '/', [{'fail_fast': True}])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('defualt = ["a"]', r':1: unknown key "defualt" \(did you mean default\?\)'),
        ('default = "a"', r':1: "default" must be a list'),
        ('proc = 3', r':1: "proc" must be a table, not 3'),
        ('[proc]\na = 3', r':2: "proc\.a" must be a table, not 3'),
        ('[proc.a]\nrun = "true"\ntimout = 3', r':3: "proc\.a" has an unknown key "timout" \(did you mean timeout\?\)'),
        ('[proc.a]\nrun = "true"\n\ntimeout = "soon"', r':4: .*not a length of time'),
        ('[proc.a]\nrun = "true"\nreplace = true', r':3: "proc\.a" has an unknown key "replace"'),
        ('[proc.a]\nrun = 3', r':2: "run" of "proc\.a" must be text or a list, not 3'),
        ('[proc.a]\nrun = [["make"], 3]', r':2: a command of "proc\.a" must be text or a list of words, not 3'),
        ('[proc.a]\nrun = []', r':2: "run" of "proc\.a" must be text or a list'),
        ('[proc.a]\nrun = "true"\nno_failures = 1', r':3: "no_failures" must be True or False'),
        ('[proc.a]\nrun = "true"\narg_choices.x = ["y"]', r':3: Proc "a" cannot have arg_choices'),
        ('[proc.b]\nrun = "true"\n[proc.a]\nrun = "true"\ndeps = [3]', r':5: .*a name, a callable or NO_FAILURES'),
        ('[proc."a b"]\nrun = "true"\ndoc = 3', r':3: doc of Proc "a b" must be text'),
        ('[proc.a\n', r':1: .*this is no valid TOML'),
        ('a = 1\na = 2\n', r':2: .*this is no valid TOML'),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=rf'parproc\.toml{message}'):
        read(tmp_path, text)


def test_what_is_no_text_or_nested_too_deeply_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / 'parproc.toml'
    for content in (b'a = "\xff"', b'a = ' + b'[' * 100_000):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r'parproc\.toml.*(cannot be read|no valid TOML)'):
            read_toml(str(path), lambda _: ROOT)


def test_values_that_nothing_supplies_are_named_with_the_nearest(tmp_path: Path) -> None:
    declarations = read(tmp_path, '[proc.a]\nrun = "make {VERSION} {extra_args}"\n').declarations
    check_values(declarations, lambda _: ('VERSION',))
    with pytest.raises(UserError, match=r'toml:1: nothing supplies \{VERSION\} in the command of "a".*VERSIONS'):
        check_values(declarations, lambda _: ('VERSIONS',))
    with pytest.raises(UserError, match=r'declare it under \[params\], or write \{\{VERSION\}\}'):
        check_values(declarations, lambda _: ())
    check_values([make_declaration(lambda: 1, 'b', is_proto=False)], lambda _: ())
