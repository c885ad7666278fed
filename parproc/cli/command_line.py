"""What the command line asks for, as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parproc.cli.option_table import NO_OPTIONS

PARAMETER = re.compile(r'([^\W\d]\w*)=(.*)', re.DOTALL)
GRAPHS = ('mermaid', 'dot', 'json')


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command line, read.

    Args:
        words: targets as given.
        params: KEY=VALUE arguments.
        extra_args: what followed ``--``.
        fail_fast: start nothing new after a failure; None where nothing says.
        output: how to show the run; None where nothing says.
        print_name: the proc whose result is to be printed.
    """

    words: tuple[str, ...]
    params: dict[str, str]
    extra_args: tuple[str, ...]
    files: tuple[str, ...] = ()
    directory: str | None = None
    list_procs: bool = False
    list_all: bool = False
    as_json: bool = False
    show: str | None = None
    dry_run: bool = False
    graph: str | None = None
    jobs: str | None = None
    mode: str | None = None
    timeout: str | None = None
    fail_fast: bool | None = None
    last_failed: bool = False
    only: bool = False
    exclude: tuple[str, ...] = ()
    output: str | None = None
    print_name: str | None = None
    junit: str | None = None
    trace: str | None = None
    html: str | None = None
    history: str | None = None
    completion: str | None = None
    init: bool = False
    quiet: bool = False
    verbose: bool = False
    colour: str = 'auto'


def read_plain(arguments: Sequence[str], environment: Mapping[str, str]) -> CommandLine | None:
    """Return what arguments ask for that are just targets and params, or a list; None where options have to be read.

    Args:
        arguments: without the program's name.
        environment: may hold options as well.
    """
    if any(name.startswith('PARPROC_') and name not in NO_OPTIONS for name in environment):
        return None
    before, extra = split_arguments(arguments)
    listed = before in (['-l'], ['--list'])
    if not listed and any(word.startswith('-') for word in before):
        return None
    targets, params = split_words(() if listed else before)
    return CommandLine(targets, params, extra, list_procs=listed)


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return what stands before the first ``--``, with what a bare ``--graph`` or ``--history`` means, and what stands after it."""
    before = list(arguments)
    extra: tuple[str, ...] = ()
    if '--' in before:
        place = before.index('--')
        before, extra = before[:place], tuple(before[place + 1 :])
    for place, argument in enumerate(before):
        if argument == '--history' and before[place + 1 : place + 2] in [
            [],
            *([word] for word in before if word[:1] == '-'),
        ]:
            before[place] = '--history='
        if argument == '--graph' and before[place + 1 : place + 2] not in [[kind] for kind in GRAPHS]:
            before[place] = f'--graph={GRAPHS[0]}'
    return before, extra


def split_words(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return targets and params: a word with an identifier before its first ``=`` is a param."""
    params: dict[str, str] = {}
    targets: list[str] = []
    for word in words:
        found = PARAMETER.fullmatch(word)
        if found is None:
            targets.append(word)
        else:
            params[found[1]] = found[2]
    return tuple(targets), params
