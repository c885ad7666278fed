"""Every event as one line of JSON, as the schema describes it."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from parproc import report, run_events
from parproc.core import events, view
from parproc.core.events import RunStopping, TaskFinished, TaskResumed, TaskRetrying, TaskStarted, TaskWaiting
from parproc.core.model import SUCCESS, ErrorKind, Location, Outcome, ProcState, Usage, failure
from parproc.core.view import RunBegan, RunEnded, RunView, RunWarned, TaskLogged, TaskProgressed
from parproc.report.fanout import Reporters
from parproc.report.run_events.event_stream import STATES, EventStream
from parproc.report.run_events.json_lines import JsonReporter
from parproc.report.streams.sink import Sink
from parproc.run_events import RunEvent
from tests.report.teller import available

SCHEMA = json.loads(Path(report.__file__).with_name('events.schema.json').read_text())
TYPES: dict[str, tuple[type, ...]] = {
    'string': (str,),
    'integer': (int,),
    'number': (int, float),
    'null': (type(None),),
    'array': (list,),
    'object': (dict,),
}
NAMES = {str: 'string', int: 'integer', float: 'number'}
STORY: list[events.Announcement | view.Message] = [
    RunBegan('id', ('ship',), 'LOGS', 4, 2, 100.0),
    events.TaskWanted('build::prod', 2.0, (), 100.0),
    events.TaskWanted('ship', 1.0, ('build::prod',), 100.0),
    TaskStarted('build::prod', 1, 100.25),
    TaskLogged('build::prod', 'h\u00e9 \x1b[2J\ntwo', 100.5),
    TaskProgressed('build::prod', None, '', 100.5),
    RunWarned('odd \udc80'),
    TaskRetrying('build::prod', 1, Outcome(ProcState.FAILED, ErrorKind.EXIT, 'exit 2', leaked=('x',)), 103.0, 101.0),
    TaskStarted('build::prod', 2, 103.0),
    TaskWaiting('build::prod', ('a', 'b'), 103.5),
    TaskResumed('build::prod', 104.0),
    RunStopping('SIGINT', 1, 105.0),
    TaskFinished(
        'build::prod',
        Outcome(ProcState.FAILED, ErrorKind.EXCEPTION, 'bad', Location('tasks.py', 3), Usage(0.5, 4096)),
        2,
        103.0,
        106.0,
    ),
    TaskFinished('ship', failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: build::prod'), 0, None, 106.0),
    TaskFinished('docs', SUCCESS, 1, None, 106.0),
    events.TaskReopened('docs', SUCCESS, 1, 106.25),
    events.TaskWanted('docs', 1.0, (), 106.25),
    TaskFinished('docs', SUCCESS, 1, None, 106.5),
    RunEnded(1, 106.5),
]


def problems(value: Any, schema: dict[str, Any], where: str = '') -> Iterator[str]:
    """Yield in what ``value`` is not as ``schema`` says; knows only the words that our schema uses."""
    known = {'$schema', 'title', 'description', 'oneOf', 'type', 'const', 'enum', 'minimum', 'items'}
    assert schema.keys() <= known | {'properties', 'required', 'additionalProperties'}
    if 'oneOf' in schema:
        fitting = [one for one in schema['oneOf'] if not list(problems(value, one, where))]
        if len(fitting) != 1:
            yield f'{where}: {len(fitting)} kinds fit {value!r}'
    types = schema.get('type', [])
    types = [types] if isinstance(types, str) else types
    if types and (isinstance(value, bool) or not any(isinstance(value, TYPES[name]) for name in types)):
        yield f'{where}: {value!r} is no {types}'
    if 'const' in schema and value != schema['const']:
        yield f'{where}: {value!r} is not {schema["const"]!r}'
    if 'enum' in schema and value not in schema['enum']:
        yield f'{where}: {value!r} is none of {schema["enum"]}'
    if 'minimum' in schema and isinstance(value, int) and value < schema['minimum']:
        yield f'{where}: {value} is too small'
    if isinstance(value, list) and 'items' in schema:
        for inner in value:
            yield from problems(inner, schema['items'], where)
    if isinstance(value, dict) and types:
        properties, others = schema.get('properties', {}), schema['additionalProperties']
        yield from (f'{where}: no {key}' for key in schema.get('required', []) if key not in value)
        for key, inner in value.items():
            if key in properties:
                yield from problems(inner, properties[key], f'{where}.{key}')
            elif others is False:
                yield f'{where}: unknown {key}'
            else:
                yield from problems(inner, others, f'{where}.{key}')


def told(out: int, story: list[Any], clock: Callable[[], float] = lambda: 1700000000.5) -> Reporters:
    reporters = Reporters([JsonReporter(Sink(out), lambda name: f'LOGS/{name}.log', version='9.8', clock=clock)])
    for message in story:
        reporters.handle(message)
    return reporters


def written(tmp_path: Path, story: list[Any]) -> list[dict[str, Any]]:
    with (tmp_path / 'out').open('wb') as file:
        told(file.fileno(), story)
    data = (tmp_path / 'out').read_bytes()
    assert data.isascii()
    assert data.endswith(b'\n')
    return [json.loads(line) for line in data.splitlines()]


def test_a_run_reads_as_this(tmp_path: Path) -> None:
    nothing: dict[str, object] = {'location': None, 'usage': None, 'leaked': []}
    lines = written(tmp_path, STORY)
    assert lines[:3] == [
        {
            'event': 'header',
            'version': 1,
            'parproc': '9.8',
            'run_id': 'id',
            'targets': ['ship'],
            'log_folder': 'LOGS',
            'parallel': 4,
            'total': 2,
            'started_at': '2023-11-14T22:13:20.500+00:00',
        },
        {'event': 'wanted', 'time': 0.0, 'name': 'build::prod', 'expected': 2.0, 'deps': [], 'locks': [], 'wave': 0},
        {
            'event': 'wanted',
            'time': 0.0,
            'name': 'ship',
            'expected': 1.0,
            'deps': ['build::prod'],
            'locks': [],
            'wave': 0,
        },
    ]
    assert lines[3:12] == [
        {'event': 'started', 'time': 0.25, 'name': 'build::prod', 'attempt': 1},
        {'event': 'logged', 'time': 0.5, 'name': 'build::prod', 'message': 'h\u00e9 \x1b[2J\ntwo'},
        {'event': 'progressed', 'time': 0.5, 'name': 'build::prod', 'fraction': None, 'message': ''},
        {'event': 'warned', 'time': 0.5, 'message': 'odd \\udc80'},
        {
            'event': 'retrying',
            'time': 1.0,
            'name': 'build::prod',
            'attempt': 1,
            'again_at': 3.0,
            'state': 'failed',
            'error': 'exit',
            'reason': 'exit 2',
            'log': 'LOGS/build::prod.log',
            **nothing,
            'leaked': ['x'],
        },
        {'event': 'started', 'time': 3.0, 'name': 'build::prod', 'attempt': 2},
        {'event': 'waiting', 'time': 3.5, 'name': 'build::prod', 'awaited': ['a', 'b']},
        {'event': 'resumed', 'time': 4.0, 'name': 'build::prod'},
        {'event': 'stopping', 'time': 5.0, 'reason': 'SIGINT', 'step': 1},
    ]
    failed = {'state': 'failed', 'error': 'exception', 'reason': 'bad', 'seconds': 5.75, 'attempts': 2}
    reason = 'dependency failed: build::prod'
    held = {'state': 'failed', 'error': 'dependency failed', 'reason': reason, 'seconds': None, 'attempts': 0}
    fine = {'state': 'succeeded', 'error': None, 'reason': '', 'seconds': None, 'attempts': 1}
    assert lines[12:] == [
        {
            'event': 'finished',
            'time': 6.0,
            'name': 'build::prod',
            **failed,
            'location': {'file': 'tasks.py', 'line': 3},
            'usage': {'cpu': 0.5, 'memory': 4096},
            'leaked': [],
            'log': 'LOGS/build::prod.log',
        },
        {'event': 'finished', 'time': 6.0, 'name': 'ship', **held, **nothing, 'log': None},
        {'event': 'finished', 'time': 6.0, 'name': 'docs', **fine, **nothing, 'log': None},
        {'event': 'reopened', 'time': 6.25, 'name': 'docs'},
        {'event': 'wanted', 'time': 6.25, 'name': 'docs', 'expected': 1.0, 'deps': [], 'locks': [], 'wave': 0},
        {'event': 'finished', 'time': 6.5, 'name': 'docs', **fine, **nothing, 'log': None},
        {
            'event': 'result',
            'exit_code': 1,
            'counts': {'succeeded': 1, 'failed': 2, 'skipped': 0, 'up to date': 0},
            'seconds': 6.5,
            'procs': {'build::prod': failed, 'ship': held, 'docs': fine},
        },
    ]


def test_every_line_is_as_the_schema_says(tmp_path: Path) -> None:
    lines = written(tmp_path, STORY)
    assert [problem for line in lines for problem in problems(line, SCHEMA)] == []
    assert {line['event'] for line in lines} == {one['properties']['event']['const'] for one in SCHEMA['oneOf']}
    for line in lines:
        assert list(problems(line | {'surprise': 1}, SCHEMA))
        for key in line:
            assert list(problems({other: value for other, value in line.items() if other != key}, SCHEMA))


def test_every_kind_of_message_is_an_event_of_a_kind_of_its_own() -> None:
    messages = {*typing.get_args(events.Announcement), *typing.get_args(view.Message)}
    assert {type(message) for message in STORY} == messages
    stream = EventStream(lambda name: None, version='9.8')
    told = {type(message): type(event) for message in STORY for event in stream.events(message, RunView())}
    assert set(told) == messages
    assert set(told.values()) == set(typing.get_args(RunEvent))


def shape(annotation: Any) -> dict[str, Any]:
    """What a schema says of a field with this annotation, but for its description and bounds."""
    if annotation in NAMES:
        return {'type': NAMES[annotation]}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {'enum': {member.value for member in (STATES if annotation is ProcState else annotation)}}
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        inner = {field.name: shape(hints[field.name]) for field in dataclasses.fields(annotation)}
        return {'type': 'object', 'properties': inner}
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is tuple:
        return {'type': 'array', 'items': shape(arguments[0])}
    if arguments == (ProcState, int):
        return {'type': 'object', 'properties': {state.value: {'type': 'integer'} for state in STATES}}
    if origin is Mapping:
        return {'type': 'object', 'others': shape(arguments[1])}
    one = shape(next(argument for argument in arguments if argument is not type(None)))
    assert type(None) in arguments
    return {'enum': {*one['enum'], None}} if 'enum' in one else {**one, 'type': {one['type'], 'null'}}


def outline(schema: dict[str, Any]) -> dict[str, Any]:
    """The same of what a schema says."""
    said: dict[str, Any] = {}
    if 'type' in schema:
        said['type'] = schema['type'] if isinstance(schema['type'], str) else set(schema['type'])
    if 'enum' in schema:
        said['enum'] = set(schema['enum'])
    if 'items' in schema:
        said['items'] = outline(schema['items'])
    if 'properties' in schema:
        said['properties'] = {key: outline(inner) for key, inner in schema['properties'].items() if key != 'event'}
        assert set(schema['required']) == set(schema['properties'])
    elif 'additionalProperties' in schema:
        said['others'] = outline(schema['additionalProperties'])
    return said


@pytest.mark.parametrize('kind', typing.get_args(RunEvent), ids=lambda kind: kind.event)
def test_the_schema_says_what_the_class_says(kind: type[RunEvent]) -> None:
    schema = next(one for one in SCHEMA['oneOf'] if one['properties']['event']['const'] == kind.event)
    said = outline(schema)
    if kind.event == 'header':
        assert schema['properties']['version']['const'] == run_events.VERSION
        said['properties']['version'] = {'type': 'integer'}
    assert said == shape(kind)


@pytest.mark.parametrize('kind', [*typing.get_args(RunEvent), run_events.ProcResult], ids=lambda kind: kind.__name__)
def test_every_field_of_a_class_is_described_and_nothing_can_be_set(kind: type[Any]) -> None:
    described = re.findall(r'^        (\w+): ', (inspect.getdoc(kind) or '').replace('\n', '\n    '), re.MULTILINE)
    assert described == [field.name for field in dataclasses.fields(kind)]
    assert kind.__dataclass_params__.frozen


def test_the_schema_knows_every_state_and_reason_and_describes_every_field() -> None:
    finished = next(one for one in SCHEMA['oneOf'] if one['properties']['event']['const'] == 'finished')
    assert set(finished['properties']['error']['enum']) == {None, *(kind.value for kind in ErrorKind)}
    assert sorted(finished['properties']['state']['enum']) == [state.value for state in STATES]

    def described(schema: dict[str, Any]) -> None:
        assert schema['description'].endswith('.')
        for inner in schema.get('properties', {}).values():
            described(inner)

    for one in SCHEMA['oneOf']:
        described(one)


def test_the_header_comes_first_whatever_was_warned_of(tmp_path: Path) -> None:
    lines = written(tmp_path, [RunWarned('early'), *STORY[:2]])
    assert [line['event'] for line in lines] == ['header', 'warned', 'wanted']
    assert lines[1]['time'] == 0.0


def test_a_slow_reader_loses_nothing() -> None:
    read, write = os.pipe()
    story = [STORY[0], *(TaskLogged('a', 'x' * 1000, 100.0) for _ in range(500))]
    reporters = told(write, story)
    assert reporters.next_tick(101.0) == 101.0
    data = b''
    now = 101.0
    while reporters.next_tick(now) is not None:
        data += available(read)
        now += 1.0
        reporters.tick(now)
    data += available(read)
    os.close(write)
    os.close(read)
    assert len(data.splitlines()) == 501


def test_of_what_nobody_reads_only_logs_and_progress_are_left_out_and_that_is_said() -> None:
    read, write = os.pipe()
    ends = [TaskFinished(f'p{number}', SUCCESS, 1, 0.0, 100.0) for number in range(3)]
    reporters = told(write, [STORY[0], *(TaskLogged('a', 'x' * 1000, 100.0) for _ in range(3000)), *ends])
    data = b''
    now = 101.0
    while reporters.unread():
        data += available(read)
        now += 1.0
        reporters.tick(now)
    data += available(read)
    os.close(write)
    os.close(read)
    lines = [json.loads(line) for line in data.splitlines()]
    (warned,) = [line['message'] for line in lines if line['event'] == 'warned']
    logged = sum(line['event'] == 'logged' for line in lines)
    assert warned == f'{3000 - logged} events were left out: nobody read them' and 0 < logged < 3000
    assert [line['name'] for line in lines if line['event'] == 'finished'] == ['p0', 'p1', 'p2']


def test_an_output_that_nobody_reads_ends_the_run() -> None:
    read, write = os.pipe()
    os.close(read)
    with pytest.raises(BrokenPipeError):
        told(write, STORY[:2])
    os.close(write)
