"""What the command line asks for, as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parproc.cli.option_table import ENVIRONMENT, OPTION_OF, OptionTable

PARAMETER = re.compile(r'([^\W\d]\w*)=(.*)', re.DOTALL)


@dataclass(frozen=True)
class CommandLine(OptionTable):
    """The command line, read. It has an attribute for each option, which its row in the table gives name and type.

    Args:
        words: targets as given.
        params: KEY=VALUE arguments.
        extra_args: what followed ``--``.
        given: attribute -> value, of the options that were given.

    Example:
        >>> CommandLine(('build',), {}, (), {'jobs': '4'}).jobs
        '4'
    """

    words: tuple[str, ...]
    params: dict[str, str]
    extra_args: tuple[str, ...]
    given: dict[str, str | bool | tuple[str, ...]] = field(default_factory=dict)


def read_plain(arguments: Sequence[str], environment: Mapping[str, str]) -> CommandLine | None:
    """Return what arguments ask for that are just targets and params, or a list; None where options have to be read.

    Args:
        arguments: without the program's name.
        environment: may hold options as well.
    """
    if not ENVIRONMENT.isdisjoint(environment):
        return None
    before, extra = split_arguments(arguments)
    listed = before in (['-l'], ['--list'])
    if not listed and any(word.startswith('-') for word in before):
        return None
    targets, params = split_words(() if listed else before)
    return CommandLine(targets, params, extra, {'list_procs': True} if listed else {})


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return what stands before the first ``--`` and what stands after it.

    An option that may do without a value, and is followed by none, is given the one that it then has.
    """
    before = list(arguments)
    extra: tuple[str, ...] = ()
    if '--' in before:
        place = before.index('--')
        before, extra = before[:place], tuple(before[place + 1 :])
    for place, argument in enumerate(before):
        row = OPTION_OF.get(argument)
        if row is None or row.bare is None:
            continue
        following = before[place + 1 : place + 2]
        if not following or following[0][:1] == '-' or (row.choices and following[0] not in row.choices):
            before[place] = f'{argument}={row.bare}'
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
