"""The options, as completion and the fast start know them; a test holds this table to what click declares."""

from __future__ import annotations

# names; what a value is: '' for none, choices with | between, or one of name, glob, file, dir, any; what it does
FLAGS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (('-f', '--file'), 'file', 'task file'),
    (('-C', '--directory'), 'dir', 'where to search for the task file'),
    (('-l', '--list'), '', 'list procs and protos'),
    (('--all',), '', 'with --list: every proc of a proto'),
    (('--json',), '', 'with --list: as JSON'),
    (('--show',), 'name', 'show one proc'),
    (('-n', '--dry-run'), '', 'show what would run'),
    (('--graph',), 'mermaid|dot|json', 'print the dependency graph'),
    (('-j', '--jobs'), 'auto', 'how many procs run at once'),
    (('--mode',), 'mp|single', 'how procs are run'),
    (('--timeout',), 'any', 'stop the whole run after a time'),
    (('-k', '--keep-going'), '', 'after a failure: go on'),
    (('-x', '--fail-fast'), '', 'after a failure: start nothing new'),
    (('--lf', '--last-failed'), '', 'what failed or never ran in the last run'),
    (('--only',), '', 'the targets without their dependencies'),
    (('-X', '--exclude'), 'glob', 'leave out of the targets'),
    (('-o', '--output'), 'auto|raw|live|plain|stream|group|quiet|json|github', 'how to show the run'),
    (('--print',), 'name', "that proc's result as JSON"),
    (('--junit',), 'file', 'write a JUnit XML report'),
    (('--trace',), 'file', 'write a trace of the run'),
    (('--html',), 'file', 'write a page about the run'),
    (('--init',), '', 'write a small tasks.py'),
    (('--history',), 'name', 'show the last runs, or the trend of a proc'),
    (('--completion',), 'bash|zsh|fish|powershell', 'print the completion script'),
    (('-q', '--quiet'), '', 'show failures only'),
    (('-v', '--verbose'), '', 'show more'),
    (('--color',), 'auto|always|never', 'use colour'),
    (('--version',), '', 'show the version'),
    (('-h', '--help'), '', 'show the help'),
)

NO_OPTIONS = {
    'PARPROC_ATTEMPT',
    'PARPROC_CHECK',
    'PARPROC_INVOCATION_DIR',
    'PARPROC_NAME',
    'PARPROC_RUN_ID',
    'PARPROC_TRUST',
}
"""Environment variables that look like the default of an option and are none."""
