"""Running one proc's function in the test's own process, and telling what a command would run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parproc.api import default_session
from parproc.catalog.bound_proc import BoundProc
from parproc.context import Name
from parproc.core.model import ProcState
from parproc.engine.workspace import Workspace
from parproc.errors import UserError
from parproc.exec.child.outcomes import enter_directory, judge
from parproc.exec.process_globals import ProcessGlobals
from parproc.session import Session, workspace_of
from parproc.testing.fake_context import FakeContext
from parproc.testing.loading import LoadedSession
from parproc.values.decoding import decode
from parproc.values.encoding import encode

RUN_ID = 'test'
"""What ``PARPROC_RUN_ID`` is for a proc that a test runs."""


@dataclass(frozen=True, slots=True)
class ProcRun:
    """How a proc's function ended in a test.

    Args:
        name: the proc's full name.
        state: ``SUCCEEDED``, ``SKIPPED`` or ``FAILED``.
        result: what it returned, as those that depend on it are given it; None when it returned nothing.
        reason: one line on how it ended, as a run would show it: ``ValueError: …``; empty where nothing is to be said.
        exception: what it raised, None when it returned.
        context: what it was given, with all that it said and asked.
    """

    name: str
    state: ProcState
    result: Any
    reason: str
    exception: BaseException | None
    context: FakeContext


def run_proc(
    name: Name,
    *,
    session: Session | None = None,
    args: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    results: Mapping[str, object] | None = None,
    extra_args: Sequence[str] = (),
    answers: Iterable[str] = (),
    cwd: str | os.PathLike[str] | None = None,
    check: bool = True,
) -> ProcRun:
    """Run one proc's function here and now, and return how it ended; nothing that it depends on is run.

    It finds the arguments of its name, cast and checked, and its declared environment. Timeout, retries, locks and
    isolation are a run's business and do not count here.

    Args:
        name: a proc's name, a filled-out proto name, or a declared function with ``args``.
        session: what :func:`load` returned, or any other; None for the default session, which an imported task file
            has declared its procs in.
        args: values for the placeholders of a proto, and for further parameters of its function.
        params: parameters of the run, on top of those that the session has.
        results: name -> value of what it depends on or waits for; an exception stands for a proc that failed with it.
        extra_args: what followed ``--`` on the command line.
        answers: what is typed at each ``context.get_input``, in order.
        cwd: the folder it runs in; None for the declared one, which starts from the folder of the task file.
        check: raise what a function raises that fails the proc; False: return it as ``exception``.

    Raises:
        UserError: for an unknown name, a value that is not allowed, or a proc that is a command.
        Exception: whatever the function raises, as long as ``check`` is on, but for ``ProcSkippedError`` and
            ``ProcNoChangeError``, which are no failures. A result that does not pickle is an error as well.

    Example:
        >>> import parproc as pp
        >>> with pp.Session() as session:
        ...     session.Proto('deploy::[env]', lambda context, env: f'{context.results["build"]} to {env}')
        ...     run_proc('deploy::prod', session=session, results={'build': 'app.zip'}).result
        'app.zip to prod'
    """
    session = session or default_session()
    proc, params = _find(workspace_of(session), name, args, params)
    _check_function(proc)
    context = FakeContext(
        proc.name,
        params=params,
        args=proc.args,
        results=results,
        extra_args=extra_args,
        answers=answers,
        session=session,
    )
    folder = session.folder if isinstance(session, LoadedSession) else os.getcwd()
    folder = os.path.join(folder, proc.declaration.cwd or '') if cwd is None else os.fspath(cwd)
    return _run(session, proc, context, folder, check=check)


def commands(
    name: Name,
    *,
    session: Session | None = None,
    args: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    extra_args: Sequence[str] = (),
) -> list[list[str]]:
    """Return the commands that a proc would run, one after the other, with every ``{value}`` filled in; none is run.

    Args:
        name: as for :func:`run_proc`.
        session: as for :func:`run_proc`.
        args: as for :func:`run_proc`.
        params: parameters of the run, on top of those that the session has.
        extra_args: what followed ``--`` on the command line.

    Returns:
        For each command the program and its arguments; empty for a proc that has none.

    Raises:
        UserError: for an unknown name, and for a value that is missing or that its place cannot take.

    Example:
        >>> tasks = load('parproc.toml')  # [proc.test] run = ["pytest", "-q", "{extra_args}"]
        >>> commands('test', session=tasks, extra_args=['-x'])
        [['pytest', '-q', '-x']]
    """
    workspace = workspace_of(session or default_session())
    proc, params = _find(workspace, name, args, params)
    return [list(command) for command in workspace.catalog.commands(proc.name, params, tuple(extra_args))]


def _find(
    workspace: Workspace, name: Name, args: Mapping[str, object] | None, params: Mapping[str, object] | None
) -> tuple[BoundProc, Mapping[str, object]]:
    """Return the one proc that is meant, and the parameters of a run in which a test's own win."""
    merged = {**workspace.params, **(params or {})}
    with workspace.lock:
        names = workspace.catalog.create(name, None, args or {}, merged)
    if len(names) != 1:
        raise UserError(f'"{name}" stands for {len(names)} procs', hint='name one of them')
    return workspace.catalog.procs[names[0]], merged


def _check_function(proc: BoundProc) -> None:
    if proc.declaration.function is None:
        hint = (
            'commands() returns what it runs' if proc.declaration.commands else 'it only stands for what it depends on'
        )
        raise UserError(f'"{proc.name}" has no function to call', hint=hint)


def _run(session: Session, proc: BoundProc, context: FakeContext, folder: str, *, check: bool) -> ProcRun:
    """Call a proc's function in its folder, and say how it ended; raises what :func:`run_proc` does."""
    try:
        value = _call(session, proc, context, folder)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        outcome = judge(error, lambda _: None)
        if check and outcome.error is not None:
            raise
        return ProcRun(proc.name, outcome.state, None, outcome.reason, error, context)
    return ProcRun(proc.name, ProcState.SUCCEEDED, value, '', None, context)


def _travelled(value: object) -> object:
    """Return what a proc returned as those that depend on it get it; raises ResultError."""
    with tempfile.TemporaryDirectory() as folder:
        return decode(encode(value, (os.path.join(folder, 'result'),)))


def _call(session: Session, proc: BoundProc, context: FakeContext, folder: str) -> object:
    """Return what a proc's function returns, called with its surroundings around it."""
    variables = session.variables if isinstance(session, LoadedSession) else {}
    unset = {key: value for key, value in variables.items() if key not in os.environ}
    own = {'PARPROC_NAME': proc.name, 'PARPROC_RUN_ID': RUN_ID, 'PARPROC_ATTEMPT': '1', **proc.declaration.env}
    process_globals = ProcessGlobals({**unset, **own})
    call = workspace_of(session).catalog.call(proc.name)
    process_globals.enter()
    try:
        enter_directory(folder)
        return _travelled(call(context))
    finally:
        process_globals.leave()
