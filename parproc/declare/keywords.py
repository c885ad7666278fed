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
from parproc.declare.output import Output

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
Choices: TypeAlias = 'Items[object] | AnyFunction | type[enum.Enum]'
LogIgnore: TypeAlias = 'str | re.Pattern[str] | IgnoreLogAlways | IgnoreLogIfSucceeded'


class ProcKeywords(TypedDict, total=False):
    """What a Proc can be declared with.

    A value of a wrong type, and a keyword that is none of these, is a :class:`~parproc.UserError` where it is written.
    """

    deps: Items[str | NoFailures | AnyFunction] | None
    """What has to end well first: names, patterns filled from the arguments, globs, functions of other procs,
    callables that return a name or a list of names, :data:`~parproc.NO_FAILURES`. None by default."""

    rdeps: Items[str | WhenScheduled | WhenTargetScheduled | AnyFunction] | None
    """What it goes before: names, patterns, functions of other procs, :class:`~parproc.WhenScheduled`,
    :class:`~parproc.WhenTargetScheduled`. None by default."""

    locks: Items[str] | None
    """Names of locks that it holds while it runs, one holder each; ``[placeholder]`` is filled. None by default."""

    now: bool | None
    """Schedule it as soon as it is declared; what a Proto with placeholders makes, as soon as it is created. False by
    default."""

    args: Mapping[str, Any] | None
    """Values for parameters of the function; text is cast by their annotations. None by default."""

    timeout: float | str | None
    """Seconds that one attempt may take, or text such as ``'5m'`` or ``'1h30m'``; more than 0. No limit by default."""

    wave: int | None
    """It starts only when no proc of a lower wave is wanted or running. 0 by default; may be negative."""

    retries: int | None
    """How many more attempts follow a failed one. 0 by default."""

    retry_delay: float | str | None
    """Seconds, or text such as ``'30s'``, before the second attempt; doubled for each further one. 0 by default."""

    inputs: Items[Path | AnyFunction] | None
    """Files it reads: paths, globs, folders, ``env:NAME``, and callables that return these. :func:`parproc.watch` runs it
    again when they change. None by default."""

    inputs_ignore: Items[str] | None
    """Globs of files that are no inputs. None by default."""

    outputs: Items[Path | Output] | None
    """Files it makes: paths, or :class:`~parproc.Output`; they are no inputs of it. None by default."""

    no_skip: bool | None
    """It is never up to date. False by default."""

    log_ignore: Items[LogIgnore] | None
    """Lines of its log that are not shown, beside those of the option of that name: regular expressions,
    :class:`~parproc.IgnoreLogAlways`, :class:`~parproc.IgnoreLogIfSucceeded`. None by default."""

    interactive: bool | None
    """It talks to the terminal, which only one proc does at a time. False by default."""

    isolated: bool | Literal['fresh'] | None
    """It runs in a process of its own in every mode; ``'fresh'``: in a new interpreter, which loads its module or task
    file anew and has nothing else that its program has in memory. False by default."""

    env: Mapping[str, str] | None
    """Environment variables that it has on top of the surrounding ones. None by default."""

    cwd: Path | None
    """The folder it runs in; the run's own by default."""

    doc: str | None
    """What it does, in a sentence; the first paragraph of the function's docstring by default."""

    replace: bool | None
    """Take the place of what was declared under this name before, which else is an error. False by default."""


class ProtoKeywords(ProcKeywords, total=False):
    """What a Proto can be declared with: all that a Proc can, and its choices."""

    arg_choices: Mapping[str, Choices] | AnyFunction | None
    """Argument -> the values it may have, or a callable ``(context, **args)`` that returns them; or one callable for
    the whole mapping. Any value by default."""


class OptionKeywords(TypedDict, total=False):
    """What can be set for a session; each is described, with its unit, in :class:`parproc.declare.options.Options`.

    ``None`` leaves an option as it is, but for ``dynamic``, ``state_dir`` and ``task_db_path``, whose default it is.
    An unknown option or a bad value is a :class:`~parproc.UserError`, and nothing is changed.
    """

    parallel: int | None
    """How many procs may run at once, 1 or more. 100 by default."""

    mode: Literal['mp', 'single'] | None
    """``'mp'`` runs each proc in a child process, ``'single'`` all of them in this one. ``'mp'`` by default."""

    dynamic: bool | None
    """Live terminal output; None, the default, decides by the terminal."""

    output: Literal['auto', 'raw', 'live', 'plain', 'stream', 'group', 'quiet', 'json', 'github'] | None
    """How a run is shown. ``'auto'``, the default, decides by ``dynamic`` and the terminal."""

    name_param_separator: str | None
    """What stands between the segments of names declared from now on. ``'::'`` by default."""

    allow_missing_deps: bool | None
    """Wait for a dependency that is not declared yet, as long as something could declare it. True by default."""

    fail_fast: bool | None
    """Start nothing new after a failure. False by default."""

    task_db_path: Path | None
    """The file with the history; None, the default, for that of the state folder, where one is set."""

    grace: float | str | None
    """Seconds between SIGTERM and SIGKILL for a proc that took too long. 5 by default."""

    stop_grace: float | str | None
    """Seconds between the signal that stops a run and SIGKILL. 10 by default."""

    state_dir: Path | None
    """The folder for logs and large results; None, the default, for a temporary one."""

    full_log_on_failure: bool | None
    """Show a failed proc's whole log. False by default."""

    log_ignore: Items[LogIgnore] | None
    """Lines of logs that are not shown: regular expressions, :class:`~parproc.IgnoreLogAlways`,
    :class:`~parproc.IgnoreLogIfSucceeded`. None by default."""
