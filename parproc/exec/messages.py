"""What a task says on its channel, decoded in one place: a value of a closed union, or that task's fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from parproc.core.model import NEVER_RAN, ErrorKind, Location, Outcome, ProcState
from parproc.exec.protocol import (
    Asked,
    CreateAsked,
    InputAsked,
    Logged,
    Progressed,
    Remark,
    StartAsked,
    WaitAsked,
    Warned,
)
from parproc.exec.wire import Kind, unpack_json, unpack_outcome, unpack_params_read, unpack_references
from parproc.values.encoding import PICKLED_NONE, EncodedResult, FileResult
from parproc.values.references import Reference

ENDS = {ProcState.SUCCEEDED, ProcState.FAILED, ProcState.SKIPPED}


class MalformedError(ValueError):
    """A task has said what is no message of parproc's."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The task's function returned; a file as its result is not known yet to be one of the task's own."""

    result: EncodedResult


@dataclass(frozen=True, slots=True)
class NotReturned:
    """The task ended otherwise than by returning, or what it returned cannot be handed on."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ParamsRead:
    """The params that the task's function looked for; None where it looked at all there are."""

    names: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ResultNeeds:
    """What a reader of the task's result must be able to import."""

    references: Sequence[Reference]


Message: TypeAlias = Returned | NotReturned | ParamsRead | ResultNeeds | Asked | Remark


def decode_message(name: str, kind: bytes, payload: bytes) -> Message:
    """Return what one frame from the child of the task ``name`` says.

    Raises:
        MalformedError: when it is no message of a child.
        ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError: when its payload is not even
            JSON of the right form.
    """
    if kind == Kind.INLINE_RESULT:
        return Returned(PICKLED_NONE if payload == PICKLED_NONE else payload)
    if kind == Kind.FILE_RESULT:
        return Returned(FileResult(payload.decode('utf-8', 'surrogateescape')))
    if kind == Kind.PARAMS_READ:
        return ParamsRead(unpack_params_read(payload))
    if kind == Kind.OUTCOME:
        return NotReturned(checked(unpack_outcome(payload)))
    if kind == Kind.REFERENCES:
        return ResultNeeds(unpack_references(payload))
    if kind in {Kind.TELL, Kind.ASK}:
        said = unpack_json(payload)
        if not isinstance(said, dict):
            raise MalformedError('sent what is no message')
        verb, arguments = said.get('verb'), said.get('arguments')
        return remark(name, verb, arguments) if kind == Kind.TELL else question(name, verb, arguments)
    raise MalformedError('sent an answer')


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


def remark(name: str, verb: object, arguments: object) -> Remark:
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
