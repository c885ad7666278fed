"""Asking what a run would run, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parproc.api import default_session
from parproc.core.targets import expand
from parproc.errors import UserError
from parproc.session import Session, workspace_of
from parproc.testing.loading import LoadedSession


@dataclass(frozen=True, slots=True)
class PlannedProc:
    """A proc that a run would run.

    Args:
        name: its full name.
        deps: what it depends on, injected dependencies among them.
        wave: its wave.
        locks: the names of the locks it holds.
    """

    name: str
    deps: tuple[str, ...]
    wave: int
    locks: tuple[str, ...]


def plan(
    *targets: str | Callable[..., object], session: Session | None = None, only: bool = False
) -> list[PlannedProc]:
    """Return what a run of ``targets`` would run, in the order in which one worker would; nothing is run.

    Args:
        targets: names and globs as on the command line, or declared functions; none for what a run that names none
            would run.
        session: what :func:`load` returned, or any other; None for the default session, which an imported task file
            has declared its procs in. What has run in it already is not planned again.
        only: without what the targets depend on.

    Raises:
        UserError: for an unknown name, a cycle, a dependency that nothing declares or that is in a higher wave.

    Example:
        >>> import parproc as pp
        >>> with pp.Session() as session:
        ...     session.Proc('lint', lambda context: None)
        ...     session.Proc('test', lambda context: None, deps=['lint'])
        ...     plan('test', session=session)
        [PlannedProc(name='lint', deps=(), wave=0, locks=()), PlannedProc(name='test', deps=('lint',), wave=0, locks=())]
    """
    workspace = workspace_of(session or default_session())
    catalog = workspace.catalog
    if not targets:
        targets = session.default if isinstance(session, LoadedSession) else workspace.definitions.due
    words = [target if isinstance(target, str) else catalog.name_of(target) for target in targets]
    if not words:
        raise UserError('nothing says what to plan', hint='name a target')
    planned = workspace.plan(expand(words, catalog, params=workspace.params), only=only)
    return [PlannedProc(spec.name, spec.deps, spec.wave, spec.locks) for spec in planned.order]
