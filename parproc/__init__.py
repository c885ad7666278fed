"""parproc: a task runner for people whose tasks are Python functions and commands.

>>> import parproc as pp
>>> @pp.Proc('greet')
... def greet(context):
...     return 'hello'
>>> pp.run('greet')
['greet']
>>> pp.wait_for_all()
True
>>> pp.results()
{'greet': 'hello'}

The names below are loaded when first used, so that importing parproc costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; typing itself is slow to import

__version__ = '0.1.0'

_HOMES = {
    'NO_FAILURES': 'declare.dependency_kinds',
    'DepProcContext': 'declare.dependency_kinds',
    'ErrorKind': 'core.model',
    'IgnoreLogAlways': 'declare.log_filters',
    'IgnoreLogIfSucceeded': 'declare.log_filters',
    'DeadlockError': 'errors',
    'ParprocError': 'errors',
    'Proc': 'api',
    'ProcContext': 'context',
    'ProcFailedError': 'errors',
    'ProcInfo': 'info',
    'ProcNoChangeError': 'errors',
    'ProcSkippedError': 'errors',
    'ProcState': 'core.model',
    'ProcessError': 'errors',
    'Proto': 'api',
    'ProtoInfo': 'info',
    'Session': 'session',
    'UserError': 'errors',
    'WhenScheduled': 'declare.dependency_kinds',
    'WhenTargetScheduled': 'declare.dependency_kinds',
    'cancel': 'api',
    'clear': 'api',
    'create': 'api',
    'default_session': 'api',
    'get_procs': 'api',
    'get_protos': 'api',
    'results': 'api',
    'run': 'api',
    'set_options': 'api',
    'set_params': 'api',
    'start': 'api',
    'wait': 'api',
    'wait_clear': 'api',
    'wait_for_all': 'api',
    'watch': 'api',
}

if TYPE_CHECKING:
    from parproc.api import (
        Proc,
        Proto,
        cancel,
        clear,
        create,
        default_session,
        get_procs,
        get_protos,
        results,
        run,
        set_options,
        set_params,
        start,
        wait,
        wait_clear,
        wait_for_all,
        watch,
    )
    from parproc.context import ProcContext
    from parproc.core.model import ErrorKind, ProcState
    from parproc.declare.dependency_kinds import NO_FAILURES, DepProcContext, WhenScheduled, WhenTargetScheduled
    from parproc.declare.log_filters import IgnoreLogAlways, IgnoreLogIfSucceeded
    from parproc.errors import (
        DeadlockError,
        ParprocError,
        ProcessError,
        ProcFailedError,
        ProcNoChangeError,
        ProcSkippedError,
        UserError,
    )
    from parproc.info import ProcInfo, ProtoInfo
    from parproc.session import Session

__all__ = [  # noqa: RUF022
    'Proc',
    'Proto',
    'ProcContext',
    'DepProcContext',
    'ProcInfo',
    'ProtoInfo',
    'ProcState',
    'ErrorKind',
    'NO_FAILURES',
    'WhenScheduled',
    'WhenTargetScheduled',
    'IgnoreLogAlways',
    'IgnoreLogIfSucceeded',
    'ParprocError',
    'UserError',
    'ProcessError',
    'DeadlockError',
    'ProcFailedError',
    'ProcSkippedError',
    'ProcNoChangeError',
    'Session',
    'default_session',
    'create',
    'start',
    'run',
    'wait',
    'wait_for_all',
    'wait_clear',
    'cancel',
    'watch',
    'results',
    'set_params',
    'set_options',
    'get_procs',
    'get_protos',
    'clear',
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    import importlib

    value: object = getattr(importlib.import_module(f'{__name__}.{home}'), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
