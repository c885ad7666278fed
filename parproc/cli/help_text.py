"""What ``--help`` prints, so that it need not be worked out: a test compares it with what click would print."""

HELP = """\
Usage: parproc [OPTIONS] [TARGET | KEY=VALUE]... [-- EXTRA...]

  Run procs, with all they depend on, as many at once as may.

  A TARGET is a proc, a filled-out proto (build::prod) or a glob over both ('build::*'); build:: is
  short for 'build::*'. KEY=VALUE sets a parameter. What follows -- is handed to the procs.

Options:
  -f, --file PATH                 Task file; may be given more than once.
  -C, --directory DIR             Search for the task file from DIR.
  -l, --list                      List procs and protos.
  --all                           With --list: every proc of a proto.
  --json                          With --list: as JSON.
  --show NAME                     Show one proc: arguments, choices, dependencies, place.
  -n, --dry-run                   Show what would run, in order; run nothing.
  --graph [mermaid|dot|json]      Print the dependency graph.
  -j, --jobs N|auto               How many procs run at once; auto: one for each usable CPU.
  --mode [mp|single]              Run procs in child processes, or all in this one.
  --timeout TIME                  Stop the whole run after TIME (30s, 5m, 1h); exit 124.
  -k, --keep-going                After a failure: go on (default).
  -x, --fail-fast                 After a failure: start nothing new.
  --lf, --last-failed             What failed or never ran in the last run.
  --only                          Run the targets without their dependencies.
  -X, --exclude GLOB              Leave GLOB out of the targets.
  -o, --output [auto|raw|live|plain|stream|group|quiet|json|github]
                                  How to show the run.
  --print NAME                    After the run, that proc's result as JSON.
  --junit FILE                    Write a JUnit XML report of the run.
  --trace FILE                    Write a trace of the run for Perfetto or chrome://tracing.
  --html FILE                     Write a page about the run.
  --history [NAME]                Show the last runs, or how a proc fared in them.
  --completion SHELL              Print the completion script for bash, zsh, fish or powershell.
  --init                          Write a small tasks.py to start from.
  -q, --quiet                     Show failures only.
  -v, --verbose                   Show more, such as tracebacks of errors.
  --color [auto|always|never]     Use colour.
  --version                       Show the version and exit.
  -h, --help                      Show this message and exit.

  Every option has an environment variable as its default: PARPROC_JOBS=4 is --jobs 4.
"""
