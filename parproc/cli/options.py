"""The options of the command line, by click."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from parproc import __version__
from parproc.cli.command_line import GRAPHS, CommandLine, split_arguments, split_words
from parproc.cli.output import WriteError
from parproc.declare.options import MODES, OUTPUTS
from parproc.errors import UserError


def read_options(arguments: Sequence[str]) -> CommandLine | None:
    """Return what the arguments ask for, with what the environment says; None when click has answered already.

    Raises:
        UserError: for an option or value that there is not.
    """
    before, extra = split_arguments(arguments)
    holder: list[CommandLine] = []
    try:
        with command.make_context('parproc', before, obj=(holder, extra)) as context:
            command.invoke(context)
    except click.ClickException as error:
        raise UserError(error.format_message(), hint=_usage_hint(error)) from None
    except click.exceptions.Exit:
        return None
    except BrokenPipeError:
        raise
    except OSError as error:  # click has written its answer to standard output
        raise WriteError(error.strerror or str(error)) from None
    return holder[0]


def _truthy(name: str) -> bool:
    return os.environ.get(name, '').lower() in {'1', 'true', 'yes', 'on'}


@click.command(
    name='parproc',
    options_metavar='[OPTIONS]',
    context_settings={'help_option_names': ['-h', '--help'], 'auto_envvar_prefix': 'PARPROC', 'terminal_width': 100},
    epilog='Every option has an environment variable as its default: PARPROC_JOBS=4 is --jobs 4.',
)
@click.argument('words', nargs=-1, metavar='[TARGET | KEY=VALUE]... [-- EXTRA...]')
@click.option(
    *('-f', '--file', 'files'),
    multiple=True,
    metavar='PATH',
    type=click.Path(),
    envvar='PARPROC_FILE',
    help='Task file; may be given more than once.',
)
@click.option('-C', '--directory', metavar='DIR', help='Search for the task file from DIR.')
@click.option('-l', '--list', 'list_procs', is_flag=True, envvar='PARPROC_LIST', help='List procs and protos.')
@click.option('--all', 'list_all', is_flag=True, envvar='PARPROC_ALL', help='With --list: every proc of a proto.')
@click.option('--json', 'as_json', is_flag=True, envvar='PARPROC_JSON', help='With --list: as JSON.')
@click.option('--show', metavar='NAME', help='Show one proc: arguments, choices, dependencies, place.')
@click.option('-n', '--dry-run', is_flag=True, help='Show what would run, in order; run nothing.')
@click.option('--graph', type=click.Choice(GRAPHS), metavar='[mermaid|dot|json]', help='Print the dependency graph.')
@click.option('-j', '--jobs', metavar='N|auto', help='How many procs run at once; auto: one for each usable CPU.')
@click.option('--mode', type=click.Choice(MODES), help='Run procs in child processes, or all in this one.')
@click.option('--timeout', metavar='TIME', help='Stop the whole run after TIME (30s, 5m, 1h); exit 124.')
@click.option(
    '-k', '--keep-going', 'after_failure', flag_value='go on', envvar=[], help='After a failure: go on (default).'
)
@click.option(
    '-x', '--fail-fast', 'after_failure', flag_value='stop', envvar=[], help='After a failure: start nothing new.'
)
@click.option(
    *('--lf', '--last-failed', 'last_failed'),
    is_flag=True,
    envvar='PARPROC_LAST_FAILED',
    help='What failed or never ran in the last run.',
)
@click.option('--only', is_flag=True, help='Run the targets without their dependencies.')
@click.option('-X', '--exclude', multiple=True, metavar='GLOB', help='Leave GLOB out of the targets.')
@click.option('-o', '--output', type=click.Choice(OUTPUTS), help='How to show the run.')
@click.option(
    '--print', 'print_name', metavar='NAME', envvar='PARPROC_PRINT', help="After the run, that proc's result as JSON."
)
@click.option('--junit', metavar='FILE', help='Write a JUnit XML report of the run.')
@click.option('--trace', metavar='FILE', help='Write a trace of the run for Perfetto or chrome://tracing.')
@click.option('--html', metavar='FILE', help='Write a page about the run.')
@click.option('--history', metavar='[NAME]', help='Show the last runs, or how a proc fared in them.')
@click.option('--completion', metavar='SHELL', help='Print the completion script for bash, zsh, fish or powershell.')
@click.option('--init', is_flag=True, help='Write a small tasks.py to start from.')
@click.option('-q', '--quiet', is_flag=True, help='Show failures only.')
@click.option('-v', '--verbose', is_flag=True, help='Show more, such as tracebacks of errors.')
@click.option('--color', 'color', type=click.Choice(['auto', 'always', 'never']), default='auto', help='Use colour.')
@click.version_option(__version__, prog_name='parproc', message='%(prog)s %(version)s')
@click.pass_obj
def command(
    obj: tuple[list[CommandLine], tuple[str, ...]],
    /,
    words: tuple[str, ...],
    after_failure: str | None,
    color: str,
    **given: object,
) -> None:
    """Run procs, with all they depend on, as many at once as may.

    A TARGET is a proc, a filled-out proto (build::prod) or a glob over both ('build::*'); build:: is short for
    'build::*'. KEY=VALUE sets a parameter. What follows -- is handed to the procs.
    """
    holder, extra = obj
    targets, params = split_words(words)
    if after_failure is None and (_truthy('PARPROC_FAIL_FAST') or _truthy('PARPROC_KEEP_GOING')):
        after_failure = 'stop' if _truthy('PARPROC_FAIL_FAST') else 'go on'
    fail_fast = None if after_failure is None else after_failure == 'stop'
    holder.append(CommandLine(targets, params, extra, fail_fast=fail_fast, colour=color, **given))  # type: ignore[arg-type]


def _usage_hint(error: click.ClickException) -> str:
    """Say where a bad value came from when it was not the command line."""
    if isinstance(error, click.BadParameter) and error.ctx is not None and error.param is not None and error.param.name:
        source = error.ctx.get_parameter_source(error.param.name)
        if source is click.core.ParameterSource.ENVIRONMENT:
            return f'the environment variable PARPROC_{error.param.name.upper()} says so'
    return 'parproc --help lists the options'
