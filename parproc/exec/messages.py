"""What a task says on its channel, taken apart in one place: typed, or no more than the fault of that task."""

from __future__ import annotations

from collections.abc import Mapping

from parproc.core.model import NEVER_RAN, ErrorKind, Location, Outcome, ProcState
from parproc.exec.protocol import (
    Asked,
    CreateAsked,
    InputAsked,
    Logged,
    Progressed,
    StartAsked,
    WaitAsked,
    Warned,
)

ENDS = {ProcState.SUCCEEDED, ProcState.FAILED, ProcState.SKIPPED}


class MalformedError(ValueError):
    """A task has said what is no message of parproc's."""


def question(name: str, verb: object, arguments: object) -> Asked:
    """Return what the task ``name`` asks; raises MalformedError."""
    given = _mapping(arguments)
    if verb == 'create':
        proc_name = given.get('proc_name')
        args = {key: _value(value) for key, value in _mapping(given.get('args')).items()}
        return CreateAsked(name, _text(given.get('name')), None if proc_name is None else _text(proc_name), args)
    if verb == 'start':
        return StartAsked(name, _texts(given.get('names')))
    if verb == 'wait':
        return WaitAsked(name, _texts(given.get('names')))
    if verb == 'input':
        return InputAsked(name, _text(given.get('message')), _truth(given.get('password')))
    raise MalformedError(f'asked {verb!r:.40}')


def remark(name: str, verb: object, arguments: object) -> Progressed | Logged | Warned:
    """Return what the task ``name`` remarks; raises MalformedError."""
    given = _mapping(arguments)
    message = _text(given.get('message'))
    if verb == 'progress':
        return Progressed(name, _fraction(given.get('fraction')), message)
    if verb == 'log':
        return Logged(name, message)
    if verb == 'warn':
        return Warned(message)
    raise MalformedError(f'said {verb!r:.40}')


def checked(outcome: Outcome) -> Outcome:
    """Return an outcome that a task has told of itself, if it is one that a task can have; raises MalformedError."""
    place = outcome.location
    sound = (
        outcome.state in ENDS
        and (outcome.state is ProcState.FAILED) is (outcome.error is not None)
        and outcome.error not in NEVER_RAN - {ErrorKind.NOT_STARTED}
        and isinstance(outcome.reason, str)
        and isinstance(outcome.retry, bool)
        and (place is None or _is_place(place))
    )
    if not sound:
        raise MalformedError('told an end that there is not')
    return outcome


def _is_place(place: Location) -> bool:
    return isinstance(place.file, str) and isinstance(place.line, int)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise MalformedError('no arguments')
    return value


def _text(value: object) -> str:
    """Return a text that can be written and be a file's name: what no encoding has is spelled out."""
    if not isinstance(value, str):
        raise MalformedError(f'a {type(value).__name__} for a text')
    try:
        value.encode('utf-8', 'surrogateescape')
    except UnicodeEncodeError:
        return value.encode('utf-8', 'backslashreplace').decode()
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise MalformedError(f'a {type(value).__name__} for a list')
    return tuple(map(_text, value))


def _value(value: object) -> str | float | bool:
    return value if isinstance(value, (int, float)) else _text(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise MalformedError(f'a {type(value).__name__} for a truth value')
    return value


def _fraction(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return value
    raise MalformedError('a fraction that is none')
