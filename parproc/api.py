"""The module-level functions: a default session's methods under their own names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from parproc.session import Session, workspace_of


class DefaultSession(Session):
    """The session of the module's functions, which a proc uses through its context only."""

    @contextmanager
    def standing_for(self, session: Session) -> Iterator[None]:
        """Let the module's functions act on another session, as they do while a task file is loaded for a test."""
        own, self._workspace = self._workspace, workspace_of(session)
        try:
            yield
        finally:
            self._workspace = own

    def _works_inside(self) -> bool:
        return False


_session = DefaultSession()


def default_session() -> DefaultSession:
    """Return the session that ``parproc.Proc``, ``parproc.run`` and all the others act on."""
    return _session


Proc = _session.Proc
Proto = _session.Proto
create = _session.create
start = _session.start
run = _session.run
wait = _session.wait
wait_for_all = _session.wait_for_all
cancel = _session.cancel
watch = _session.watch
results = _session.results
set_params = _session.set_params
set_options = _session.set_options
get_procs = _session.get_procs
get_protos = _session.get_protos
clear = _session.clear
wait_clear = _session.wait_clear
