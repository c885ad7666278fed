"""Which command a command line asks for."""

from __future__ import annotations

import pytest

from parproc.cli.command_line import CommandLine
from parproc.cli.commands import (
    Command,
    ListAll,
    PrintGraph,
    PrintPlan,
    PrintScript,
    RunTargets,
    ShowHistory,
    ShowOne,
    WriteFirstFile,
    command_of,
)

Given = dict[str, str | bool | tuple[str, ...]]
CASES: list[tuple[Given, Command]] = [
    ({}, RunTargets()),
    ({'only': True, 'jobs': '4', 'directory': 'there'}, RunTargets()),
    ({'init': True}, WriteFirstFile(None)),
    ({'init': True, 'directory': 'there'}, WriteFirstFile('there')),
    ({'completion': 'fish'}, PrintScript('fish')),
    ({'list_procs': True}, ListAll(expand=False, as_json=False)),
    ({'list_procs': True, 'list_all': True, 'as_json': True}, ListAll(expand=True, as_json=True)),
    ({'list_all': True}, RunTargets()),
    ({'show': 'a'}, ShowOne('a')),
    ({'show': ''}, ShowOne('')),
    ({'history': ''}, ShowHistory(None)),
    ({'history': 'a'}, ShowHistory('a')),
    ({'graph': 'dot'}, PrintGraph('dot')),
    ({'dry_run': True}, PrintPlan()),
]


@pytest.mark.parametrize(('given', 'command'), CASES, ids=str)
def test_an_option_asks_for_its_command(given: Given, command: Command) -> None:
    assert command_of(CommandLine(('target',), {}, (), given)) == command


def test_of_several_commands_the_first_of_a_fixed_order_is_meant() -> None:
    order: list[tuple[str, str | bool]] = [
        ('init', True),
        ('completion', 'zsh'),
        ('show', 'a'),
        ('list_procs', True),
        ('history', 'a'),
        ('graph', 'dot'),
        ('dry_run', True),
    ]
    for place, (field, value) in enumerate(order):
        alone: Given = {field: value}
        given: Given = dict(order[place:])
        assert command_of(CommandLine((), {}, (), given)) == command_of(CommandLine((), {}, (), alone))
