"""What the command line asks for, as a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

PARAMETER = re.compile(r'([^\W\d]\w*)=(.*)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command line, read.

    Args:
        words: targets as given.
        params: KEY=VALUE arguments.
        extra_args: what followed ``--``.
    """

    words: tuple[str, ...]
    params: dict[str, str]
    extra_args: tuple[str, ...]
    files: tuple[str, ...] = ()
    directory: str | None = None
    jobs: str | None = None
    mode: str | None = None
    timeout: str | None = None
    fail_fast: bool | None = None
    exclude: tuple[str, ...] = ()
    output: str = 'auto'
    colour: str = 'auto'
    only: bool = False
    list_procs: bool = False
    dry_run: bool = False
    quiet: bool = False
    verbose: bool = False


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return what stands before the first ``--``, and what after it."""
    before = list(arguments)
    if '--' in before:
        place = before.index('--')
        return before[:place], tuple(before[place + 1 :])
    return before, ()


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
