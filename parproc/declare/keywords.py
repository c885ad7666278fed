"""The keywords of ``Proc``, ``Proto`` and ``set_options``, as type checkers and editors see them.

What is accepted is decided by :mod:`parproc.declare.declaration` and :mod:`parproc.declare.options`; a test holds the two together.
``None`` for any of them says the same as leaving it out, but where it is a value that an option can have.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

from parproc.declare.dependency_kinds import NoFailures, WhenScheduled, WhenTargetScheduled
from parproc.declare.log_filters import IgnoreLogAlways, IgnoreLogIfSucceeded

Item_co = TypeVar('Item_co', covariant=True)


class Items(Protocol[Item_co]):
    """A list, a tuple or another sequence, but for text, which would be a sequence of letters."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[Item_co]:
        """Yield each in order."""

    def __reversed__(self) -> Iterator[Item_co]:
        """Yield each, the last one first."""

    def __contains__(self, item: object, /) -> bool:
        """Return whether it is one of them; text answers for text only."""


AnyFunction: TypeAlias = Callable[..., object]
Path: TypeAlias = 'str | os.PathLike[str]'
ArgumentValues: TypeAlias = 'Items[object] | AnyFunction | type[enum.Enum]'
LogIgnore: TypeAlias = 'str | re.Pattern[str] | IgnoreLogAlways | IgnoreLogIfSucceeded'


class ProcKeywords(TypedDict, total=False):
    """What a Proc can be declared with.

    A value of a wrong type, and a keyword that is none of these, is a :class:`~parproc.UserError` where it is written.

    Example:
        >>> import parproc as pp
        >>> @pp.Proc(deps=['build'], locks=['database'], timeout='5m', retries=2, retry_delay='30s', env={'TZ': 'UTC'})
        ... def test(context):
        ...     return context.results['build']
    """

    deps: Items[str | NoFailures | AnyFunction] | None
    """What has to end well first: names, patterns filled from the arguments, globs, functions of other procs,
    callables that return a name or a list of names, :data:`~parproc.NO_FAILURES`. None by default.

    A placeholder that nothing fills is a UserError; so are a cycle and a dependency in a higher wave, when the proc is
    scheduled. Example: ``deps=['build::[env]', 'lint::*', clean, lambda env: f'config::{env}']``."""

    rdeps: Items[str | WhenScheduled | WhenTargetScheduled | AnyFunction] | None
    """What it goes before, whenever that is scheduled: names, patterns, functions of other procs,
    :class:`~parproc.WhenScheduled`, :class:`~parproc.WhenTargetScheduled`. None by default.

    A target that is running or done already is a UserError. Example: ``rdeps=['deploy::[env]']``."""

    locks: Items[str] | None
    """Names of locks that it holds while it runs, one holder each; ``[placeholder]`` is filled from the arguments. None
    by default. Example: ``locks=['database', 'port-[env]']``."""

    now: bool | None
    """Schedule it as soon as it is declared; what a Proto with placeholders makes, as soon as it is created. While the
    command line loads a task file nothing starts: there, these procs are what runs where no target is named. False by
    default."""

    args: Mapping[str, Any] | None
    """Values for parameters of the function; text is cast by their annotations, and what does not cast is a UserError.
    None by default. Example: ``args={'level': 3}``."""

    timeout: float | str | None
    """How long one attempt may take: seconds, or text such as ``'90s'``, ``'5m'`` or ``'1h30m'``; more than 0. Then it
    gets SIGTERM, and SIGKILL after the option ``grace``. No limit by default."""

    wave: int | None
    """It starts only when no proc of a lower wave is wanted or running; a whole number, which may be negative. 0 by
    default. Example: ``wave=1`` for what comes after all builds."""

    retries: int | None
    """How many more attempts follow a failed one; a whole number from 0. 0 by default."""

    retry_delay: float | str | None
    """The time before the second attempt, doubled for each further one: seconds from 0, or text such as ``'30s'``. 0 by
    default."""

    inputs: Items[Path | AnyFunction] | None
    """Files it reads: paths, globs, folders for all that is below them, and callables that return paths;
    :func:`parproc.watch` runs it again when they change. ``{name}`` is an argument or a param. Paths start from the
    folder it runs in. ``env:NAME`` names an environment variable, which is no file. None by default. Example:
    ``inputs=['src/**/*.c', '{env}.toml']``."""

    inputs_ignore: Items[str] | None
    """Globs of files that are no inputs, such as those that it makes; written as ``inputs``. None by default."""

    log_ignore: Items[LogIgnore] | None
    """Lines of its log that are not shown, beside those of the option of that name: regular expressions,
    :class:`~parproc.IgnoreLogAlways`, :class:`~parproc.IgnoreLogIfSucceeded`; the log keeps them. What is no regular
    expression is a UserError. None by default."""

    interactive: bool | None
    """It talks to the terminal, which it has in the foreground; only one such proc runs at a time, and it has no log.
    False by default."""

    isolated: bool | Literal['fresh'] | None
    """It runs in a process of its own in every mode; ``'fresh'``: in a new interpreter, which loads its module or task
    file anew and has nothing else that its program has in memory. False by default."""

    env: Mapping[str, str] | None
    """Environment variables that it has on top of the surrounding ones, text to text. None by default. Example:
    ``env={'CI': '1'}``."""

    cwd: Path | None
    """The folder it runs in, from the run's own where it is relative; that one by default. A folder that is not there
    fails the proc."""

    doc: str | None
    """What it does, in a sentence; the first paragraph of the function's docstring by default."""

    replace: bool | None
    """Take the place of what was declared under this name before, and of all that was created from it, which else is a
    UserError but where somebody types the program. False by default."""


class ProtoKeywords(ProcKeywords, total=False):
    """What a Proto can be declared with: all that a Proc can, and its choices.

    Example:
        >>> import parproc as pp
        >>> @pp.Proto('build::[env]', arg_choices={'env': ['dev', 'prod']}, timeout='5m')
        ... def build(context, env: str):
        ...     return f'built {env}'
        >>> pp.create('build::*')
        ['build::dev', 'build::prod']
    """

    arg_choices: Mapping[str, ArgumentValues] | AnyFunction | None
    """Argument -> the values it may have: a list, an Enum, or a callable ``(context, **args)`` that returns a list; or
    one callable for the whole mapping. They let globs stand for procs; any other value is a UserError. Any value by
    default. Example: ``arg_choices={'env': ['dev', 'prod'], 'region': lambda env: REGIONS[env]}``."""


class OptionKeywords(TypedDict, total=False):
    """What can be set for a session, by :func:`parproc.set_options` or as an argument of :class:`parproc.Session`.

    ``None`` leaves an option as it is, but for ``dynamic``, ``state_dir`` and ``task_db_path``, whose default it is.
    An unknown option or a bad value is a :class:`~parproc.UserError`, and nothing is changed.

    Example:
        >>> import parproc as pp
        >>> pp.set_options(parallel=8, fail_fast=True, grace='2s', log_ignore=['DeprecationWarning'])
    """

    parallel: int | None
    """How many procs may run at once; a whole number from 1. 100 by default, on the command line the number of
    processors that this process may use."""

    mode: Literal['mp', 'single'] | None
    """``'mp'`` runs each proc in a child process; ``'single'`` runs functions in this one, one after the other, so that
    a debugger works. ``'mp'`` by default. A change once procs have been started is a UserError."""

    dynamic: bool | None
    """The board: True on any terminal, False never; None, the default, decides by the terminal."""

    output: Literal['auto', 'raw', 'live', 'plain', 'stream', 'group', 'quiet', 'json', 'github'] | None
    """How a run is shown, as ``--output`` of the command line. ``'auto'``, the default, decides by ``dynamic`` and the
    terminal."""

    name_param_separator: str | None
    """What stands between the segments of names declared from now on: text without brackets and globs. ``'::'`` by
    default. A change while procs are scheduled is a UserError."""

    allow_missing_deps: bool | None
    """Wait for a dependency that is not declared yet, as long as something that runs could declare it; False: that is a
    UserError at once. True by default, False on the command line."""

    fail_fast: bool | None
    """Start nothing new after a failure. False by default."""

    task_db_path: Path | None
    """The file with the history of runs; None, the default, for ``parproc.db`` in ``state_dir``, where that is set."""

    grace: float | str | None
    """The time between SIGTERM and SIGKILL for a proc that took too long: seconds from 0, or text such as ``'2s'``. 5
    seconds by default."""

    stop_grace: float | str | None
    """The time between the signal that stops a run and SIGKILL: seconds from 0, or text such as ``'1m'``. 10 seconds by
    default."""

    state_dir: Path | None
    """The folder for logs and large results; None, the default, for a temporary one. On the command line, ``.parproc``
    beside the task file."""

    full_log_on_failure: bool | None
    """Show a failed proc's whole log, not only the part that matters. False by default."""

    log_ignore: Items[LogIgnore] | None
    """Lines of logs that are not shown: regular expressions, :class:`~parproc.IgnoreLogAlways`,
    :class:`~parproc.IgnoreLogIfSucceeded`; the logs keep them. What is no regular expression is a UserError. None by
    default."""
