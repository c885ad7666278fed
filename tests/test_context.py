"""What a proc says to its run, and how answers come back to it."""

from __future__ import annotations

import copy
import enum
import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest

from parproc.context import Params, ProcContext
from parproc.errors import DeadlockError, ProcessError, UserError
from parproc.values.encoding import EncodedResult, encode
from parproc.values.results import Results

Answer: TypeAlias = 'tuple[Mapping[str, object], Mapping[str, EncodedResult]]'


class Line:
    """A channel that answers from a list and remembers what was said."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.said: list[tuple[str, Mapping[str, Any]]] = []

    def ask(self, verb: str, arguments: Mapping[str, object]) -> Answer:
        self.said.append((verb, arguments))
        return self.answers.pop(0)

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        self.said.append((verb, arguments))


DECLARED: dict[Callable[..., object], str] = {len: 'length'}


def context_on(line: Line, **results: object) -> ProcContext:
    encoded = {name: encode(value, ()) for name, value in results.items()}
    return ProcContext('me', {'P': 1}, {'a': 2}, Results(encoded), ('x',), line, DECLARED.__getitem__)


def test_it_knows_who_it_is() -> None:
    context = context_on(Line(), before=5)
    assert (context.proc_name, context.params, context.args, context.extra_args) == ('me', {'P': 1}, {'a': 2}, ['x'])
    assert context.results == {'before': 5}


def test_names_may_come_in_lists() -> None:
    line = Line(({'names': ['a', 'b', 'c']}, {}))
    assert context_on(line).start('a', ['b', ['c']]) == ['a', 'b', 'c']
    assert line.said == [('start', {'names': ['a', 'b', 'c']})]


class Level(enum.Enum):
    HIGH = 'high'


def test_run_creates_and_starts() -> None:
    line = Line(({'names': ['build::x']}, {}), ({'names': ['build::x']}, {}))
    assert context_on(line).run('build::[env]', env='x', level=Level.HIGH, number=3) == ['build::x']
    create, start = line.said
    given = {'env': 'x', 'level': 'high', 'number': 3}
    assert create == ('create', {'name': 'build::[env]', 'proc_name': None, 'args': given})
    assert start == ('start', {'names': ['build::x']})


def test_what_has_no_text_is_not_handed_to_the_run() -> None:
    class Table:
        def __len__(self) -> int:
            return 3

        def __str__(self) -> str:
            raise AssertionError('turned into text')

    line = Line()
    with pytest.raises(UserError, match='frame: a Table cannot be handed'):
        context_on(line).create('load', 'load-a', frame=Table())
    assert line.said == []


def test_waiting_adds_results() -> None:
    line = Line(({'names': ['a'], 'failed': {}}, {'a': encode([1], ())}))
    context = context_on(line, before=5)
    context.wait('a')
    assert context.results == {'before': 5, 'a': [1]}


def test_waiting_for_what_failed_raises_and_still_adds_the_rest() -> None:
    line = Line(({'names': ['a', 'b'], 'failed': {'b': 'exit 2'}}, {'a': encode(1, ())}))
    context = context_on(line)
    with pytest.raises(ProcessError) as caught:
        context.wait('a', 'b')
    assert caught.value.failures == {'b': 'exit 2'} and '"b" failed: exit 2' in str(caught.value)
    assert context.results == {'a': 1}


def test_a_refusal_is_raised() -> None:
    context = context_on(Line(({'error': 'unknown proc "x"', 'hint': 'did you mean y?'}, {})))
    with pytest.raises(UserError) as caught:
        context.start('x')
    assert (caught.value.message, caught.value.hint) == ('unknown proc "x"', 'did you mean y?')


def test_a_deadlock_is_raised() -> None:
    context = context_on(Line(({'error': 'a -> me -> a', 'deadlock': True}, {})))
    with pytest.raises(DeadlockError, match='a -> me -> a'):
        context.wait('a')


def test_input() -> None:
    line = Line(({'text': 'secret'}, {}))
    assert context_on(line).get_input('Password:', password=True) == 'secret'
    assert line.said == [('input', {'message': 'Password:', 'password': True})]


def test_remarks_are_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    line = Line()
    context = context_on(line)
    context.log('x' * 1_000_000)
    context.progress(float('nan'))
    context.progress(-1, 'start')
    context.progress(None, 'unknown')
    assert len(capsys.readouterr().out) == 1_000_001
    assert len(line.said[0][1]['message']) < 10_000
    assert [arguments['fraction'] for _, arguments in line.said[1:]] == [0.0, 0.0, None]


# --- params, and which of them are read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('read', 'names'),
    [
        (lambda params: None, set()),
        (lambda params: params['A'], {'A'}),
        (lambda params: (params.get('A'), params.get('C')), {'A', 'C'}),
        (lambda params: 'B' in params, {'B'}),
        (lambda params: params.pop('A', None), {'A'}),
        (lambda params: params.setdefault('C', 5), {'C'}),
        ('{A}'.format_map, {'A'}),
        (list, None),
        (len, None),
        (bool, None),
        (repr, None),
        (dict, None),
        (lambda params: {**params}, None),
        (lambda params: dict(**params), None),
        (lambda params: params.copy(), None),
        (lambda params: params == {}, None),
        (lambda params: params | {'C': 1}, None),
        (lambda params: {'C': 1} | params, None),
        (lambda params: list(params.items()), None),
        (lambda params: list(params.values()), None),
        (lambda params: sorted(params.keys()), None),
        (json.dumps, None),
        (pickle.dumps, None),
        (copy.copy, None),
        (copy.deepcopy, None),
    ],
)
def test_what_a_function_reads_of_the_params_is_known(read: Callable[[Params], object], names: set[str] | None) -> None:
    params = Params({'A': 1, 'B': 2}, 'me')
    read(params)
    assert params.read == names


def test_params_are_a_dict_to_whoever_uses_them() -> None:
    params = Params({'A': 1, 'B': [2]}, 'me')
    assert isinstance(params, dict) and params == {'A': 1, 'B': [2]} and len(params) == 2
    assert json.loads(json.dumps(params)) == {'A': 1, 'B': [2]}
    for made in (
        params.copy(),
        copy.copy(params),
        copy.deepcopy(params),
        pickle.loads(pickle.dumps(params)),
        dict(params),
    ):
        assert type(made) is dict and made == params
    assert repr(params) == "{'A': 1, 'B': [2]}" and list(reversed(params)) == ['B', 'A']
    params['C'] = 3
    assert params['C'] == 3 and params.pop('C') == 3 and params.pop('C', 4) == 4


def test_a_missing_param_says_how_to_supply_it() -> None:
    params = Params({}, 'deploy::prod')
    looks: list[Callable[[], object]] = [lambda: params['VERSION'], lambda: params.pop('VERSION')]
    for look in looks:
        with pytest.raises(KeyError) as caught:
            look()
        assert isinstance(caught.value, UserError)
        assert caught.value.message == 'no param VERSION: parproc deploy::prod VERSION=…'
        assert caught.value.hint == 'in a program: set_params(VERSION=…)'


def test_functions_stand_for_their_procs_inside_as_well() -> None:
    line = Line(
        ({'names': ['length']}, {}),
        ({'names': ['length'], 'failed': {}}, {'length': encode(7, ())}),
        ({'names': ['length', 'b'], 'failed': {}}, {'length': encode(7, ())}),
    )
    context = context_on(line)
    assert context.start(len) == ['length']
    assert context.wait(len) == 7
    assert context.wait([len], 'b') == {'length': 7, 'b': None}
    assert line.said[0] == ('start', {'names': ['length']})
    assert line.said[2] == ('wait', {'names': ['length', 'b']})
