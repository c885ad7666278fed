"""What the command line can do: list, show, draw, run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parproc.cli.command_line import CommandLine
from parproc.cli.load import Project, current_directory, load_project
from parproc.cli.output import emit, note
from parproc.core.targets import expand
from parproc.engine.workspace import Workspace
from parproc.errors import UserError


def act(asked: CommandLine) -> int:
    """Do what is asked; return the exit code, or the negative number of the signal to die by."""
    if asked.init:
        from parproc.cli.init import write_first_file

        path = write_first_file(asked.directory or current_directory())
        note(f'{path} is written; parproc --list shows what it declares')
        return 0
    if asked.completion is not None:
        return _print_script(asked.completion)
    from parproc.api import default_session
    from parproc.session import workspace_of

    workspace = workspace_of(default_session())
    project = load_project(workspace, asked)
    _remember(workspace, project)
    if asked.list_procs or asked.show is not None:
        _tell(workspace, asked)
        return 0
    if asked.history is not None:
        from parproc.cli.history import print_history

        print_history(workspace, asked.history or None)
        return 0
    if asked.last_failed:
        failed = _last_failed(workspace)
        if not failed:
            note('nothing failed in the last run')
            return 0
        asked = replace(asked, words=tuple(failed))
    targets = _targets(workspace, project, asked)
    if asked.graph is not None or asked.dry_run:
        from parproc.cli.graph import print_graph, print_plan

        plan = workspace.plan(targets or list(workspace.catalog.procs), only=asked.only)
        if asked.graph is not None:
            print_graph(plan, asked.graph)
        elif targets:
            print_plan(plan)
        else:
            raise _nothing_named(workspace)
        return 0
    if not targets:
        raise _nothing_named(workspace)
    from parproc.cli.run import run

    return run(workspace, targets, asked, project.home)


def _print_script(shell: str) -> int:
    from parproc.cli.completion_scripts import completion_script
    from parproc.cli.option_table import SHELLS
    from parproc.core.names import nearest

    script = completion_script(shell)
    if script is None:
        raise UserError(f'no completion for "{shell}"', hint=nearest(shell, SHELLS) or f'there is {", ".join(SHELLS)}')
    emit(script)
    return 0


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


def _tell(workspace: Workspace, asked: CommandLine) -> None:
    from parproc.cli.lists import print_json, print_list, print_one

    if asked.show is not None:
        print_one(workspace, asked.show)
    elif asked.as_json:
        print_json(workspace, expand=asked.list_all)
    else:
        print_list(workspace, expand=asked.list_all)


def _targets(workspace: Workspace, project: Project, asked: CommandLine) -> list[str]:
    """Return the full names of what was named, of the file's default, or of the procs that start by themselves."""
    words: Sequence[str] = asked.words
    if not words and asked.print_name is not None:
        words = [asked.print_name]
    return expand(
        words or project.default or list(workspace.now),
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


def _nothing_named(workspace: Workspace) -> UserError:
    from parproc.cli.lists import print_list

    print_list(workspace)
    return UserError('no target was named', hint='name one, such as: parproc NAME')
