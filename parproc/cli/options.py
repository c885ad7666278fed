"""The options of the command line, read by click as the table of options has them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import click

from parproc import __version__
from parproc.cli.command_line import CommandLine, split_arguments, split_words
from parproc.cli.help_text import help_text
from parproc.cli.option_kinds import Answer, Flag, Opposite, Option, Texts
from parproc.cli.option_table import OPTIONS, OptionTable
from parproc.cli.output import emit
from parproc.errors import UserError


def read_options(arguments: Sequence[str]) -> CommandLine | None:
    """Return what the arguments ask for, with what the environment says; None when it has been answered already.

    Raises:
        UserError: for an option or value that there is not.
    """
    before, extra = split_arguments(arguments)
    command = click.Command(
        'parproc', params=[click.Argument(['words'], nargs=-1), *map(_as_click_has_it, OPTIONS)], add_help_option=False
    )
    try:
        found = command.make_context('parproc', before).params
    except click.ClickException as error:
        raise UserError(error.format_message(), hint=_usage_hint(error)) from None
    except click.exceptions.Exit:
        return None
    targets, params = split_words(found.pop('words'))
    given = {field: value for field, value in found.items() if value not in (None, False, ())}
    if Opposite.shared not in given:
        given.update(_opposite_in_environment())
    return CommandLine(targets, params, extra, given)


def _as_click_has_it(row: Option) -> click.Option:
    """Return an option for click; its declarations end with the key under which click gives the value."""
    names = [*row.names, row.field]
    if isinstance(row, Answer):
        return click.Option(names, is_flag=True, is_eager=True, expose_value=False, callback=_answering(row))
    if isinstance(row, Opposite):  # click would not ask the variables of both, so that is done here
        return click.Option([*row.names, row.shared], flag_value=row.means, default=None)
    if isinstance(row, Flag):
        return click.Option(names, is_flag=True, envvar=row.environment)
    kind: click.Choice[str] | click.Path | None = None
    if row.choices:
        kind = click.Choice([*row.choices, *([row.bare] if row.bare else [])])
    elif isinstance(row, Texts) and row.completes == 'file':
        kind = click.Path()  # of which several are separated by colons in the environment
    return click.Option(names, type=kind, multiple=isinstance(row, Texts), envvar=row.environment)


def _answering(row: Answer) -> Callable[[click.Context, click.Parameter, bool], None]:
    def answer(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
        if asked:
            emit(f'parproc {__version__}\n' if row is OptionTable.show_version else help_text())
            context.exit()

    return answer


def _opposite_in_environment() -> dict[str, str]:
    """Return what the environment says about two opposites, of which the later in the table wins."""
    return {
        row.shared: row.means
        for row in OPTIONS
        if isinstance(row, Opposite) and os.environ.get(row.environment, '').lower() in {'1', 'true', 'yes', 'on'}
    }


def _usage_hint(error: click.ClickException) -> str:
    """Say where a bad value came from when it was not the command line."""
    if isinstance(error, click.BadParameter) and error.ctx is not None and error.param is not None and error.param.name:
        source = error.ctx.get_parameter_source(error.param.name)
        if source is click.core.ParameterSource.ENVIRONMENT:
            return f'the environment variable {error.param.envvar} says so'
    return 'parproc --help lists the options'
