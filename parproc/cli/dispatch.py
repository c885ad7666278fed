"""Doing what the command line asks for: each command is taken to the module that carries it out."""

from __future__ import annotations

from collections.abc import Sequence

from parproc.cli.command_line import CommandLine
from parproc.cli.commands import (
    AboutProject,
    ListAll,
    PrintGraph,
    PrintPlan,
    PrintScript,
    RunTargets,
    ShowHistory,
    ShowOne,
    WithTargets,
    WriteFirstFile,
    command_of,
)
from parproc.cli.load import Project, current_directory, load_project
from parproc.cli.output import emit, note
from parproc.core.closed import assert_never
from parproc.core.targets import expand
from parproc.engine.workspace import Workspace
from parproc.errors import UserError


def act(asked: CommandLine) -> int:
    """Do what is asked; return the exit code, or the negative number of the signal to die by.

    Raises:
        ParprocError: for what cannot be done.
    """
    command = command_of(asked)
    code = 0
    if isinstance(command, WriteFirstFile):
        _write_first_file(command.folder)
    elif isinstance(command, PrintScript):
        _print_script(command.shell)
    elif isinstance(command, ListAll | ShowOne | ShowHistory):
        _tell(*_loaded(asked), command, asked)
    elif isinstance(command, PrintGraph | PrintPlan | RunTargets):
        code = _act_on_targets(*_loaded(asked), command, asked)
    else:
        assert_never(command)
    return code


def _write_first_file(folder: str | None) -> None:
    from parproc.cli.init import write_first_file

    path = write_first_file(folder or current_directory())
    note(f'{path} is written; parproc --list shows what it declares')


def _print_script(shell: str) -> None:
    from parproc.cli.completion_scripts import completion_script
    from parproc.cli.option_table import SHELLS
    from parproc.core.names import nearest

    script = completion_script(shell)
    if script is None:
        raise UserError(f'no completion for "{shell}"', hint=nearest(shell, SHELLS) or f'there is {", ".join(SHELLS)}')
    emit(script)


def _loaded(asked: CommandLine) -> tuple[Workspace, Project]:
    """Load the task files, and write down for completion what they declare."""
    from parproc.api import default_session
    from parproc.session import workspace_of

    workspace = workspace_of(default_session())
    project = load_project(workspace, asked)
    _remember(workspace, project)
    return workspace, project


def _remember(workspace: Workspace, project: Project) -> None:
    """Write down what was declared, for completion, which runs nothing of the project."""
    from parproc.project.index import Index, write_index

    catalog = workspace.catalog
    index = Index()
    index.separator = catalog.separator
    index.params = [name for name in workspace.params if name.isidentifier()]
    index.procs = {task.name: task.declaration.doc for task in catalog.procs.values() if not task.declaration.is_proto}
    for pattern, declaration in catalog.protos.items():
        try:
            index.protos[pattern] = (declaration.doc, catalog.family(pattern).choices(workspace.params))
        except UserError:  # choices that cannot be worked out: told when they are needed
            index.protos[pattern] = (declaration.doc, {})
    if all(path.endswith('.toml') for path in project.sources()):
        from parproc.cli.lists import list_lines

        index.lines = list_lines(workspace)
    write_index(list(project.main), project.sources(), index)


def _tell(workspace: Workspace, project: Project, command: AboutProject, asked: CommandLine) -> None:
    if isinstance(command, ListAll):
        from parproc.cli.lists import print_json, print_list

        if command.as_json:
            print_json(workspace, expand=command.expand)
        else:
            print_list(workspace, project.default, expand=command.expand, colour=asked.colour)
    elif isinstance(command, ShowOne):
        from parproc.cli.show import print_one

        print_one(workspace, command.name, home=project.home, colour=asked.colour)
    elif isinstance(command, ShowHistory):
        from parproc.cli.history import print_history

        print_history(workspace, command.name, colour=asked.colour)
    else:
        assert_never(command)


def _act_on_targets(workspace: Workspace, project: Project, command: WithTargets, asked: CommandLine) -> int:
    words = asked.words
    if asked.last_failed:
        words = tuple(_last_failed(workspace))
        if not words:
            note('nothing failed in the last run')
            return 0
    targets = _targets(workspace, project, words, asked)
    code = 0
    if isinstance(command, PrintGraph):
        from parproc.cli.graph import print_graph

        plan = workspace.plan(targets or list(workspace.catalog.procs), only=asked.only)
        print_graph(plan, command.form, targets, colour=asked.colour)
    elif not targets:
        raise _nothing_named(workspace, project, asked)
    elif isinstance(command, PrintPlan):
        from parproc.cli.dry_run import print_plan

        print_plan(workspace.plan(targets, only=asked.only), colour=asked.colour)
    elif isinstance(command, RunTargets):
        from parproc.cli.run import run

        code = run(workspace, targets, asked, project.home)
    else:
        assert_never(command)
    return code


def _targets(workspace: Workspace, project: Project, words: Sequence[str], asked: CommandLine) -> list[str]:
    """Return the full names of what was named, of the file's default, or of the procs that start by themselves."""
    if not words and asked.print_name is not None:
        words = [asked.print_name]
    return expand(
        words or project.default or list(workspace.definitions.due),
        workspace.catalog,
        params=workspace.params,
        exclude=asked.exclude,
    )


def _last_failed(workspace: Workspace) -> list[str]:
    """Return what failed or never ran in the last run, as far as it is still declared."""
    history = workspace.history
    found = []
    for name in history.last_failed() if history is not None else ():
        try:
            if workspace.catalog.lookup(name, workspace.params) is not None:
                found.append(name)
        except UserError:  # a value that is no choice any more
            continue
    return found


def _nothing_named(workspace: Workspace, project: Project, asked: CommandLine) -> UserError:
    from parproc.cli.lists import print_list

    print_list(workspace, project.default, colour=asked.colour)
    return UserError('no target was named', hint='name one, such as: parproc NAME')
