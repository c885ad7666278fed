"""The table of options: what a row says is what every place that knows of the option does."""

from __future__ import annotations

from pathlib import Path

import pytest

from parproc.cli.command_line import CommandLine, read_plain
from parproc.cli.help_text import help_text, spelled
from parproc.cli.option_kinds import Answer, Flag, Opposite, Option, Text, TextOrAuto, Texts
from parproc.cli.option_table import OPTIONS
from parproc.cli.options import read_options
from parproc.errors import UserError
from tests.conftest import Project

README = Path(__file__).parent.parent.parent / 'README.md'
VALUED = [row for row in OPTIONS if isinstance(row, Text | TextOrAuto | Texts)]


@pytest.fixture(autouse=True)
def no_options_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in OPTIONS:
        if row.environment:
            monkeypatch.delenv(row.environment, raising=False)


def read(*arguments: str) -> CommandLine:
    asked = read_options(arguments)
    assert asked is not None
    return asked


def name_of(row: Option) -> str:
    return row.names[-1]


def a_value(row: Option) -> str:
    return row.choices[-1] if row.choices else 'some'


def in_readme(row: Option) -> str:
    """The row of the README's table."""
    says = f'{row.help_text} {row.more}'.rstrip()
    return f'| `{spelled(row)}` | {says} |'.replace(f'`{spelled(row)}`', f'`{spelled(row)}`'.replace('|', '\\|'))


@pytest.mark.parametrize('row', VALUED, ids=name_of)
def test_each_name_of_an_option_gives_the_value_to_its_field(row: Option) -> None:
    value = a_value(row)
    wanted = (value,) if isinstance(row, Texts) else value
    for name in row.names:
        words = [f'{name}={value}'] if name.startswith('--') else [name, value]
        assert getattr(read(*words), row.field) == wanted
        assert read(*words).given == {row.field: wanted}


@pytest.mark.parametrize('row', [row for row in OPTIONS if isinstance(row, Flag)], ids=name_of)
def test_each_name_of_a_flag_sets_its_field(row: Option) -> None:
    assert getattr(read('target'), row.field) is False
    for name in row.names:
        assert read(name, 'target').given == {row.field: True}
        assert getattr(read(name, 'target'), row.field) is True


@pytest.mark.parametrize('row', [row for row in OPTIONS if row.environment], ids=name_of)
def test_each_option_has_a_default_in_the_environment(row: Option, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row.environment == 'PARPROC_' + row.names[-1].removeprefix('--').replace('-', '_').upper()
    monkeypatch.setenv(row.environment, a_value(row) if row.takes_value else '1')
    assert read_plain(['target'], {row.environment: '1'}) is None
    wanted = True if not row.takes_value else (a_value(row),) if isinstance(row, Texts) else a_value(row)
    assert getattr(read('target'), row.field) == wanted


def test_of_two_opposites_the_last_counts_and_the_command_line_more_than_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (read('a').fail_fast, read('a').keep_going) == (None, None)
    assert (read('-x', '-k').fail_fast, read('-x', '-k').keep_going) == (False, True)
    assert read('--keep-going', '--fail-fast').fail_fast is True
    monkeypatch.setenv('PARPROC_KEEP_GOING', 'yes')
    assert read('a').fail_fast is False
    monkeypatch.setenv('PARPROC_FAIL_FAST', '1')
    assert (read('a').fail_fast, read('-k').fail_fast) == (True, False)


@pytest.mark.parametrize('row', [row for row in OPTIONS if row.bare is not None], ids=name_of)
def test_an_option_that_may_do_without_a_value_has_one_then(row: Option) -> None:
    name = row.names[0]
    for words in ([name], [name, '-v'], *([[name, 'target']] if row.choices else [])):
        assert getattr(read(*words), row.field) == row.bare
    assert getattr(read(name, a_value(row)), row.field) == a_value(row)


def test_several_files_in_the_environment_are_separated_by_colons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PARPROC_FILE', 'a.py:b.toml')
    monkeypatch.setenv('PARPROC_EXCLUDE', 'c::* d')
    assert (read('x').files, read('x').exclude) == (('a.py', 'b.toml'), ('c::*', 'd'))


@pytest.mark.parametrize('row', [row for row in OPTIONS if row.choices], ids=name_of)
def test_a_value_that_is_no_choice_is_refused_and_the_hint_says_where_it_came_from(
    row: Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=name_of(row)) as told:
        read(f'{name_of(row)}=nonsense')
    assert told.value.hint == 'parproc --help lists the options'
    monkeypatch.setenv(row.environment, 'nonsense')
    with pytest.raises(UserError) as told:
        read('target')
    assert told.value.hint == f'the environment variable {row.environment} says so'


def test_the_help_has_each_option_and_fits_its_width(project: Project) -> None:
    text = help_text()
    for row in OPTIONS:
        assert f'  {spelled(row)}' in text and row.help_text in text
        assert row.help_text.endswith('.')
    assert max(map(len, text.splitlines())) <= 100
    assert project.run('--help').out == project.run('target', '-h').out == text


def test_the_version_is_told_among_other_options_too(project: Project) -> None:
    assert project.run('-v', '--version').out == project.run('--version').out


def test_completion_offers_each_option_and_its_choices(project: Project) -> None:
    def offered(line: str) -> dict[str, str]:
        out = project.run(_PARPROC_COMPLETE='fish_complete', COMP_WORDS=line, COMP_CWORD='1').out
        rows = [row.partition(',')[2].partition('\t') for row in out.splitlines()]
        return {value: text for value, _, text in rows}

    texts = {**offered('parproc -'), **offered('parproc --')}
    for row in OPTIONS:
        assert all(texts[name].lower() == row.help_text.removesuffix('.').lower() for name in row.names)
        if row.offers and name_of(row).startswith('--'):
            assert list(offered(f'parproc {name_of(row)}=')) == [f'{name_of(row)}={value}' for value in row.offers]


def test_the_readmes_table_is_this_table() -> None:
    section = README.read_text().split('## On the command line')[1].split('\n## ')[0]
    shown = [line for line in section.splitlines() if line.startswith('| `-')]
    assert shown == [in_readme(row) for row in OPTIONS]


def test_each_row_is_of_a_kind_that_gives_its_field_a_type() -> None:
    assert [row for row in OPTIONS if type(row) is Option] == []
    fields = [row.field for row in OPTIONS if not isinstance(row, Answer | Opposite)]
    assert sorted(fields) == sorted(set(fields))
