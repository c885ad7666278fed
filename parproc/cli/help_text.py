"""What ``--help`` prints, laid out from the table of options, so that it needs nothing but that."""

from __future__ import annotations

from parproc.cli.option_kinds import Option
from parproc.cli.option_table import OPTIONS

NAMES_COLUMNS = 30
USAGE = """\
Usage: parproc [OPTIONS] [TARGET | KEY=VALUE]... [-- EXTRA...]

  Run procs, with all they depend on, as many at once as may.

  A TARGET is a proc, a filled-out proto (build::prod) or a glob over both ('build::*'); build:: is
  short for 'build::*'. KEY=VALUE sets a parameter. What follows -- is handed to the procs.

Options:
"""
CLOSING = """
  Every option has an environment variable as its default: PARPROC_JOBS=4 is --jobs 4.
"""


def help_text() -> str:
    """Return the whole help."""
    return ''.join([USAGE, *[_line(row) for row in OPTIONS], CLOSING])


def spelled(row: Option) -> str:
    """Return an option as it is written, with what stands for its value: ``-f, --file PATH``."""
    names = ', '.join(row.names)
    return f'{names} {row.metavar}' if row.metavar else names


def _line(row: Option) -> str:
    names = spelled(row)
    if len(names) > NAMES_COLUMNS:
        return f'  {names}\n{"":{NAMES_COLUMNS + 4}}{row.help_text}\n'
    return f'  {names:{NAMES_COLUMNS}}  {row.help_text}\n'
