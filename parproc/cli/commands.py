"""Which of the things that parproc can do a command line asks for: a closed union, decided here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from parproc.cli.command_line import CommandLine


@dataclass(frozen=True, slots=True)
class WriteFirstFile:
    """``--init``: write a task file to start from.

    Args:
        folder: where; None for the current one.
    """

    folder: str | None


@dataclass(frozen=True, slots=True)
class PrintScript:
    """``--completion``: print the script that completes in a shell.

    Args:
        shell: its name, as given.
    """

    shell: str


@dataclass(frozen=True, slots=True)
class ListAll:
    """``--list``: print what is declared.

    Args:
        expand: each proc that the choices of a proto make.
        as_json: for programs.
    """

    expand: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class ShowOne:
    """``--show``: print all that is known of a proc or proto.

    Args:
        name: which one.
    """

    name: str


@dataclass(frozen=True, slots=True)
class ShowHistory:
    """``--history``: print the last runs.

    Args:
        name: print those of one proc instead; None for whole runs.
    """

    name: str | None


@dataclass(frozen=True, slots=True)
class PrintGraph:
    """``--graph``: print what depends on what.

    Args:
        form: one of :data:`parproc.cli.option_table.GRAPHS`, or ``auto``.
    """

    form: str


@dataclass(frozen=True, slots=True)
class PrintPlan:
    """``--dry-run``: print what would run."""


@dataclass(frozen=True, slots=True)
class RunTargets:
    """What is asked for where no option asks for something else: run the targets."""


AboutProject: TypeAlias = ListAll | ShowOne | ShowHistory
"""What needs the task files, and no targets."""
WithTargets: TypeAlias = PrintGraph | PrintPlan | RunTargets
Command: TypeAlias = WriteFirstFile | PrintScript | AboutProject | WithTargets


def command_of(asked: CommandLine) -> Command:
    """Return what is to be done; where several things are asked for, the first in this order."""
    if asked.init:
        return WriteFirstFile(asked.directory)
    if asked.completion is not None:
        return PrintScript(asked.completion)
    if asked.show is not None:
        return ShowOne(asked.show)
    if asked.list_procs:
        return ListAll(expand=asked.list_all, as_json=asked.as_json)
    if asked.history is not None:
        return ShowHistory(asked.history or None)
    if asked.graph is not None:
        return PrintGraph(asked.graph)
    if asked.dry_run:
        return PrintPlan()
    return RunTargets()
