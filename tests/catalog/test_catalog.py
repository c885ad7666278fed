"""The catalog: declaring, creating, looking up, and what scheduling means."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parproc as pp
from parproc.catalog.catalog import Catalog
from parproc.core.model import ProcState, TaskSpec
from parproc.core.targets import expand
from parproc.declare.declaration import make_declaration
from parproc.declare.dependency_kinds import NO_FAILURES, DepProcContext, WhenScheduled, WhenTargetScheduled
from parproc.declare.origin import Origin
from parproc.errors import UserError


class Env(enum.Enum):
    DEV = 'dev'
    PROD = 'prod'


class Built:
    """A catalog with short words for what the tests do with it."""

    def __init__(self) -> None:
        self.catalog = Catalog('::')
        self.states: dict[str, ProcState] = {}

    def proc(self, name: str, function: Callable[..., object] = lambda context: None, **fields: Any) -> None:
        self.catalog.declare(make_declaration(function, name, is_proto=False, **fields))

    def proto(self, name: str, function: Callable[..., object] = lambda context: None, **fields: Any) -> None:
        self.catalog.declare(make_declaration(function, name, is_proto=True, **fields))

    def create(self, name: str, proc_name: str | None = None, /, **args: object) -> list[str]:
        return self.catalog.create(name, proc_name, args, {})

    def args(self, name: str) -> Mapping[str, object]:
        return self.catalog.procs[name].args

    def call(self, name: str) -> Any:
        return self.catalog.call(name)('CONTEXT')

    def request(self, *names: str, only: bool = False, **params: object) -> Any:
        return self.catalog.resolve(names, params=params, state_of=self.states.get, only=only)

    def specs(self, *names: str, only: bool = False) -> dict[str, TaskSpec]:
        return {spec.name: spec for spec in self.request(*names, only=only).specs}

    def deps(self, *names: str, only: bool = False) -> dict[str, set[str]]:
        return {name: set(spec.deps) for name, spec in self.specs(*names, only=only).items()}


@pytest.fixture
def built() -> Built:
    return Built()


# --- declaring -------------------------------------------------------------------------------------------------------


def test_a_second_declaration_names_the_place_of_the_first(built: Built) -> None:
    built.proc('a')
    with pytest.raises(UserError, match=r'"a" is declared twice.*test_catalog.py:\d+'):
        built.proc('a')
    with pytest.raises(UserError, match='declared twice'):
        built.proto('a')


def test_a_name_that_was_created_already_cannot_be_declared(built: Built) -> None:
    built.proto('b::[env]')
    built.create('b::dev')
    with pytest.raises(UserError, match='Proto already'):
        built.proc('b::dev')


def test_missing_placeholders_come_from_the_signature(built: Built) -> None:
    built.proto('migrate', lambda context, env, region, dry=False: (env, region, dry))
    assert list(built.catalog.protos) == ['migrate::[env]::[region]']
    assert built.create('migrate::prod::eu') == ['migrate::prod::eu']
    assert built.call('migrate::prod::eu') == ('prod', 'eu', False)


def test_choices_of_an_unknown_argument_are_refused(built: Built) -> None:
    with pytest.raises(UserError, match=r'arg_choices.*"envs?"'):
        built.proto('b::[env]', arg_choices={'envs': ['dev']})


# --- creating --------------------------------------------------------------------------------------------------------


def test_an_exact_name_is_itself(built: Built) -> None:
    built.proc('a')
    assert built.create('a') == ['a']


def test_a_filled_out_name_makes_a_proc_once(built: Built) -> None:
    built.proto('b::[env]', lambda context, env: env)
    assert built.create('b::dev') == built.create('b::dev') == ['b::dev']
    assert built.call('b::dev') == 'dev'


@pytest.mark.parametrize('name', ['b', 'b::[n]'])
def test_a_proto_is_filled_from_arguments(built: Built, name: str) -> None:
    built.proto('b', lambda context, n: n)
    assert built.create(name, n=3) == ['b::3']
    assert built.args('b::3') == {'n': 3}


def test_a_created_proc_may_have_a_name_of_its_own(built: Built) -> None:
    built.proto('b::[env]', lambda context, env: env)
    assert built.create('b::[env]', 'mine', env='dev') == ['mine']
    assert built.create('b::dev', 'mine') == ['mine']
    assert built.call('mine') == 'dev'
    assert 'b::dev' not in built.catalog.procs
    with pytest.raises(UserError, match='with other arguments'):
        built.create('b::prod', 'mine')


def test_further_arguments_reach_the_function(built: Built) -> None:
    built.proto('b::[env]', lambda context, env, flavour='plain': (env, flavour))
    built.create('b::dev', 'spicy', flavour='hot')
    built.create('b::dev')
    assert (built.call('spicy'), built.call('b::dev')) == (('dev', 'hot'), ('dev', 'plain'))
    with pytest.raises(UserError, match='no argument "flavor"'):
        built.create('b::prod', flavor='hot')
    with pytest.raises(UserError):
        built.create('b::dev', flavour='hot')


def test_a_proto_without_its_arguments_says_which(built: Built) -> None:
    built.proto('b::[env]')
    with pytest.raises(UserError, match='needs a value for env'):
        built.create('b::[env]')


@pytest.mark.parametrize('value', ['', 'a::b', 'a\n'])
def test_an_argument_that_cannot_stand_in_a_name_is_refused(built: Built, value: str) -> None:
    built.proto('b::[env]')
    with pytest.raises(UserError):
        built.create('b::[env]', env=value)


def test_an_exact_declaration_wins_over_a_proto(built: Built) -> None:
    built.proto('b::[env]', lambda context, env: 'proto')
    built.proc('b::dev', lambda context: 'proc')
    built.create('b::dev')
    assert built.create('b::[env]', env='dev') == ['b::dev']
    assert built.call('b::dev') == 'proc'


def test_two_protos_that_match_are_both_named(built: Built) -> None:
    built.proto('b::[env]')
    built.proto('[kind]::dev')
    with pytest.raises(UserError, match=r'"b::dev" matches both "b::\[env\]" and "\[kind\]::dev"'):
        built.create('b::dev')


def test_an_unknown_name_is_refused_with_the_nearest(built: Built) -> None:
    built.proto('build::[env]', arg_choices={'env': ['dev', 'prod']})
    built.proto('deploy::[version]')
    for wrong, right in [('biuld::prod', 'build::prod'), ('depoly::1.2', 'deploy::1.2')]:
        with pytest.raises(UserError, match=f'unknown proc "{wrong}".*did you mean {right}'):
            built.create(wrong)
    with pytest.raises(UserError, match=r'write build::dev, or build::\* for all'):
        built.create('build')


# --- values ----------------------------------------------------------------------------------------------------------


def test_values_are_cast_by_annotations_that_are_text(built: Built) -> None:
    def function(context: object, n: int, fast: bool, env: Env, level: Literal[1, 2], tag: str | None) -> object:
        return context, n, fast, env, level, tag

    built.proto('f::[n]::[fast]::[env]::[level]::[tag]', function)
    built.create('f::3::yes::prod::2::x')
    assert built.call('f::3::yes::prod::2::x') == ('CONTEXT', 3, True, Env.PROD, 2, 'x')


def test_declared_arguments_are_cast_too(built: Built) -> None:
    def function(context: object, n: int) -> object:
        return context, n

    built.proc('f', function, args={'n': '3'})
    assert built.call('f') == ('CONTEXT', 3)


def test_a_value_that_does_not_cast_names_proc_argument_value_and_type(built: Built) -> None:
    def function(context: object, n: int) -> object:
        return context, n

    built.proto('f::[n]', function)
    with pytest.raises(UserError, match=r"\"f::x\": n='x' is not int"):
        built.create('f::x')
    assert built.catalog.procs == {}


def test_a_value_outside_of_the_choices_shows_what_is_allowed(built: Built) -> None:
    built.proto('b::[env]', arg_choices={'env': ['dev', 'prod']})
    with pytest.raises(UserError, match=r'"prdo" is not a choice for env.*did you mean prod\? allowed: dev, prod'):
        built.create('b::prdo')


def test_a_choice_keeps_its_type_where_there_is_no_annotation(built: Built) -> None:
    built.proto('s::[n]', lambda context, n: n, arg_choices={'n': range(3)})
    built.create('s::2')
    assert built.call('s::2') == 2


def test_members_of_an_enum_may_be_choices(built: Built) -> None:
    def function(context: object, env: Env) -> object:
        return context, env

    built.proto('b::[env]', function, arg_choices={'env': Env})
    assert built.create('b::*') == ['b::dev', 'b::prod']
    assert built.call('b::prod') == ('CONTEXT', Env.PROD)
    assert built.create('b::[env]', env=Env.DEV) == ['b::dev']


# --- choices that are callables --------------------------------------------------------------------------------------


def test_choices_may_depend_on_values_to_the_left_and_are_asked_once(built: Built) -> None:
    asked: list[tuple[str, str]] = []

    def regions(context: DepProcContext, env: str) -> list[str]:
        asked.append((context.proc_name, env))
        return ['eu', 'us'] if env == 'prod' else ['local']

    built.proto('d::[env]::[region]', arg_choices={'env': ['dev', 'prod'], 'region': regions})
    assert asked == []
    assert built.create('d::*::*') == ['d::dev::local', 'd::prod::eu', 'd::prod::us']
    with pytest.raises(UserError, match='allowed: local'):
        built.create('d::dev::eu')
    assert asked == [('d::[env]::[region]', 'dev'), ('d::[env]::[region]', 'prod')]


@pytest.mark.parametrize('whole', [lambda: {'env': ['x', 'y']}, lambda ctx: {'env': [*ctx.params['envs']]}])
def test_the_whole_of_the_choices_may_be_a_callable(built: Built, whole: Callable[..., object]) -> None:
    built.proto('b::[env]', arg_choices=whole)
    assert built.catalog.create('b::*', None, {}, {'envs': 'xy'}) == ['b::x', 'b::y']


def test_a_choices_callable_that_raises_is_named(built: Built) -> None:
    def broken() -> object:
        raise ZeroDivisionError('oh')

    built.proto('b::[env]', arg_choices={'env': broken})
    with pytest.raises(UserError, match=r'b::\[env\].*broken.*ZeroDivisionError: oh') as caught:
        built.create('b::*')
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize('answer', ['text', 3, ['a::b'], ['']])
def test_what_a_choices_callable_returns_is_checked(built: Built, answer: object) -> None:
    built.proto('b::[env]', arg_choices={'env': lambda: answer})
    with pytest.raises(UserError):
        built.create('b::*')


# --- globs -----------------------------------------------------------------------------------------------------------


def test_a_glob_covers_procs_and_choices_in_the_order_of_declaration(built: Built) -> None:
    built.proc('b::zero')
    built.proto('b::[env]', arg_choices={'env': ['two', 'one']})
    built.proc('b::last')
    built.proc('b::deeper::down')
    assert built.create('b::*') == ['b::zero', 'b::two', 'b::one', 'b::last']
    assert built.create('*::o?e') == ['b::one']


def test_a_glob_that_matches_nothing_shows_the_choices(built: Built) -> None:
    built.proto('b::[env]', arg_choices={'env': ['dev', 'prod']})
    with pytest.raises(UserError, match=r'"b::q\*" matches nothing.*env: dev, prod'):
        built.create('b::q*')


def test_a_glob_on_an_argument_without_choices_is_refused(built: Built) -> None:
    built.proto('b::[env]')
    built.proc('b::docs')
    with pytest.raises(UserError, match=r'"b::\*" is a glob, but "b::\[env\]" has no choices for env'):
        built.create('b::*')


def test_a_broad_glob_passes_by_protos_that_nobody_could_list(built: Built) -> None:
    built.proto('build::[env]', arg_choices={'env': ['dev', 'prod']})
    built.proto('release::[version]')
    assert built.create('*::prod') == ['build::prod']


def test_a_glob_sees_what_was_declared_after_it_was_asked_first(built: Built) -> None:
    built.proc('b::one')
    assert built.create('b::*') == ['b::one']
    built.proc('b::two')
    assert built.create('b::*') == ['b::one', 'b::two']


# --- dependencies ----------------------------------------------------------------------------------------------------


def test_scheduling_a_proc_means_everything_it_depends_on(built: Built) -> None:
    built.proc('a')
    built.proc('b', deps=['a'])
    built.proc('c', deps=['b', 'a'])
    built.proc('unrelated')
    assert built.deps('c') == {'a': set(), 'b': {'a'}, 'c': {'a', 'b'}}


def test_patterns_in_deps_are_filled_as_the_name_is_spelled(built: Built) -> None:
    def function(context: object, n: int, fast: bool) -> object:
        return context, n, fast

    built.proto('use::[n]::[fast]', function, deps=['make::[fast]::[n]'])
    built.proto('make::[fast]::[n]', function)
    assert built.deps('use::007::yes') == {'use::007::yes': {'make::yes::007'}, 'make::yes::007': set()}


def test_a_placeholder_in_deps_that_nothing_fills_is_an_error_when_the_proc_is_created(built: Built) -> None:
    with pytest.raises(UserError, match=r'"b::\[env\]" of "a".*\[env\]'):
        built.proc('a', deps=['b::[env]'])
    built.proto('c::[os]', deps=['b::[env]'])
    with pytest.raises(UserError, match=r'"b::\[env\]" of "c::linux".*\[env\]'):
        built.create('c::linux')
    assert list(built.catalog.procs) == []


def test_a_glob_in_deps_leaves_its_own_proc_out(built: Built) -> None:
    built.proto('b::[env]', arg_choices={'env': ['dev', 'prod']})
    built.proc('b::all', deps=['b::*'])
    assert built.deps('b::all')['b::all'] == {'b::dev', 'b::prod'}


@pytest.mark.parametrize(
    'dep',
    [
        lambda ctx, env: f'p::{env}-{ctx.proc_name}',
        lambda ctx: f'p::{ctx.args["env"]}-{ctx.proc_name}',
        lambda env: [f'p::{env}-d::dev'],
        lambda: ['p::[env]-d::dev'],
        lambda **args: (f'p::{args["env"]}-{name}' for name in ['d::dev']),
    ],
)
def test_callables_in_deps_are_called_with_what_they_name(built: Built, dep: Callable[..., object]) -> None:
    built.proto('d::[env]', deps=[dep])
    built.proc('p::dev-d::dev')
    assert built.deps('d::dev') == {'d::dev': {'p::dev-d::dev'}, 'p::dev-d::dev': set()}


def test_callables_are_asked_once_for_a_created_proc_when_it_is_created(built: Built) -> None:
    asked: list[str] = []

    def dep(context: DepProcContext) -> list[str]:
        asked.append(context.proc_name)
        return []

    built.proto('d::[env]', deps=[dep])
    built.proc('p', deps=[dep])
    built.create('d::dev')
    assert asked == ['d::dev']
    for _ in range(2):
        built.request('d::dev', 'p')
    assert asked == ['d::dev', 'p']


@pytest.mark.parametrize('answer', [None, 3, [3], {'a': 1}])
def test_a_callable_returns_names(built: Built, answer: object) -> None:
    built.proc('a', deps=[lambda: answer])
    with pytest.raises(UserError, match='returned'):
        built.request('a')


def test_a_created_proc_whose_callable_raises_does_not_exist(built: Built) -> None:
    built.proto('d::[env]', deps=[lambda ctx: 1 / 0])
    with pytest.raises(UserError, match='ZeroDivisionError'):
        built.create('d::dev')
    assert 'd::dev' not in built.catalog.procs


def test_no_failures_is_a_condition_not_a_name(built: Built) -> None:
    built.proc('a', deps=[NO_FAILURES])
    spec = built.specs('a')['a']
    assert (spec.deps, spec.no_failures) == ((), True)


def test_a_dependency_that_nothing_declares_is_missing_and_stays(built: Built) -> None:
    built.proc('a', deps=['x'])
    built.proc('b', deps=['x'])
    request = built.request('a', 'b')
    assert request.missing[0] == ('x', 'a')
    assert {spec.name: spec.deps for spec in request.specs} == {'a': ('x',), 'b': ('x',)}


def test_a_wrong_value_in_a_dependency_says_whose(built: Built) -> None:
    built.proto('b::[env]', arg_choices={'env': ['dev']})
    built.proc('a', deps=['b::qa'])
    with pytest.raises(UserError, match=r'dependency of "a": .*"qa" is not a choice'):
        built.request('a')


def test_what_is_scheduled_already_is_not_scheduled_again(built: Built) -> None:
    built.proc('a')
    built.proc('b', deps=['a'])
    built.states = {'a': ProcState.RUNNING}
    assert built.deps('b') == {'b': {'a'}}
    assert built.deps('a') == {}
    built.states = {'a': ProcState.IDLE}
    assert set(built.deps('b')) == {'a', 'b'}


def test_only_means_the_names_themselves_in_their_order(built: Built) -> None:
    built.proc('a')
    built.proc('b', deps=['a'])
    built.proc('c', deps=['b', 'missing'])
    built.proc('before', rdeps=['c'])
    assert built.deps('c', only=True) == {'c': set()}
    assert built.deps('b', 'c', only=True) == {'b': set(), 'c': {'b'}}
    assert built.request('c', only=True).missing == ()


def test_an_unknown_name_cannot_be_requested(built: Built) -> None:
    with pytest.raises(UserError, match='unknown proc "x"'):
        built.request('x')


def test_a_spec_has_all_that_was_declared(built: Built) -> None:
    built.proto('a::[env]', locks=['db', 'host-[env]'], wave=2, timeout='1m', retries=3, retry_delay=2)
    spec = built.specs('a::dev')['a::dev']
    assert spec.locks == ('db', 'host-dev')
    assert (spec.wave, spec.timeout, spec.retries, spec.retry_delay) == (2, 60.0, 3, 2.0)


def test_order_is_that_of_declaration_then_of_creation(built: Built) -> None:
    built.proto('b::[env]', arg_choices={'env': ['y', 'x']})
    built.proc('a')
    specs = built.specs('a', *built.create('b::*'))
    assert sorted(specs, key=lambda name: specs[name].order) == ['b::y', 'b::x', 'a']


# --- reverse dependencies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', [str, WhenTargetScheduled])
def test_a_reverse_dependency_is_injected_before_its_target(built: Built, kind: Callable[[str], Any]) -> None:
    built.proc('setup', rdeps=[kind('deploy::[env]')])
    built.proto('deploy::[env]')
    built.proc('release', deps=['deploy::prod'])
    assert built.deps('release') == {'release': {'deploy::prod'}, 'deploy::prod': {'setup'}, 'setup': set()}
    assert built.deps('setup') == {'setup': set()}


def test_a_proto_is_injected_with_the_arguments_of_the_match(built: Built) -> None:
    built.proto('seed::[db]', rdeps=['deploy::[db]', 'test::*'])
    built.proto('deploy::[env]')
    built.proto('test::[db]')
    assert built.deps('deploy::prod', 'test::ci') == {
        'deploy::prod': {'seed::prod'},
        'seed::prod': set(),
        'test::ci': {'seed::ci'},
        'seed::ci': set(),
    }


def test_a_reverse_dependency_of_what_is_done_already_stays_a_dependency(built: Built) -> None:
    built.proc('setup', rdeps=['deploy'])
    built.proc('deploy')
    built.states = {'setup': ProcState.SUCCEEDED}
    assert built.deps('deploy') == {'deploy': {'setup'}}


def test_when_scheduled_does_nothing_until_its_declarer_is_scheduled(built: Built) -> None:
    built.proto('migrate', lambda context, env: env, rdeps=[WhenScheduled('deploy::[env]')])
    built.proto('deploy::[env]')
    both = {'migrate::prod': set(), 'deploy::prod': {'migrate::prod'}}
    assert built.deps('deploy::prod') == {'deploy::prod': set()}
    assert built.deps('migrate::prod') == both
    assert built.deps('deploy::prod', 'migrate::prod') == both
    built.proc('release', deps=['migrate::prod'])
    assert built.deps('release') == {**both, 'release': {'migrate::prod'}}


def test_what_when_scheduled_leaves_open_means_every_choice(built: Built) -> None:
    built.proc('notify', rdeps=[WhenScheduled('deploy::[env]')])
    built.proto('deploy::[env]', arg_choices={'env': ['dev', 'prod']})
    assert built.deps('notify') == {'notify': set(), 'deploy::dev': {'notify'}, 'deploy::prod': {'notify'}}


def test_a_target_that_waits_already_gets_the_edge_injected(built: Built) -> None:
    built.proc('migrate', rdeps=[WhenScheduled('deploy')])
    built.proc('deploy')
    built.states = {'deploy': ProcState.WANTED}
    request = built.request('migrate')
    assert request.injected == (('deploy', 'migrate'),)
    assert [spec.name for spec in request.specs] == ['migrate']


@pytest.mark.parametrize('state', [ProcState.RUNNING, ProcState.SUCCEEDED, ProcState.FAILED])
def test_a_target_that_began_already_is_an_error(built: Built, state: ProcState) -> None:
    built.proc('migrate', rdeps=[WhenScheduled('deploy')])
    built.proc('deploy')
    built.states = {'deploy': state}
    with pytest.raises(UserError, match=r'"migrate".*before "deploy"'):
        built.request('migrate')


@pytest.mark.parametrize('pattern', ['deploy', 'dep*'])
def test_what_is_declared_after_its_target_was_scheduled_still_goes_before_it(built: Built, pattern: str) -> None:
    built.proc('deploy')
    built.request('deploy')
    built.states = {'deploy': ProcState.WANTED}
    built.proc('late', rdeps=[pattern])
    assert built.request('late').injected == (('deploy', 'late'),)
    built.states = {'deploy': ProcState.RUNNING}
    with pytest.raises(UserError, match='is running already'):
        built.request('late')


def test_a_target_that_nothing_declares_is_missing(built: Built) -> None:
    built.proc('init', rdeps=['app::[x]', WhenScheduled('cleanup')])
    assert built.request('init').missing == (('cleanup', 'init'),)


# --- as a whole ------------------------------------------------------------------------------------------------------


def edges_by_applying_all_rules(
    deps: Mapping[str, set[str]], rules: Mapping[str, set[str]], pushes: Mapping[str, set[str]], wanted: set[str]
) -> dict[str, set[str]]:
    """Apply every rule to every proc until nothing changes."""
    found: dict[str, set[str]] = {name: set() for name in wanted}
    while True:
        before = {name: set(edges) for name, edges in found.items()}
        for name in before:
            found[name] |= deps[name] | {declarer for declarer, targets in rules.items() if name in targets}
            for target in pushes[name] - {name}:
                found.setdefault(target, set()).add(name)
        for edges in list(found.values()):
            for name in edges:
                found.setdefault(name, set())
        if found == before:
            return found


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_a_request_is_what_applying_all_rules_over_and_over_gives(seed: int) -> None:
    chance = random.Random(seed)
    names = [f'{chance.choice("xy")}::{number}' for number in range(8)]

    def some() -> set[str]:
        return set(chance.sample(names, chance.choice([0, 0, 1, 2])))

    deps, rules, pushes = ({name: some() for name in names} for _ in range(3))
    built = Built()
    for name in names:
        rdeps = [*sorted(rules[name]), *(WhenScheduled(target) for target in sorted(pushes[name] - {name}))]
        built.proc(name, deps=sorted(deps[name]), rdeps=rdeps)
    wanted = set(chance.sample(names, 2))
    assert built.deps(*sorted(wanted)) == edges_by_applying_all_rules(deps, rules, pushes, wanted)


def test_the_function_of_a_proc_among_deps_means_that_proc() -> None:
    session = pp.Session()

    @session.Proc('first')
    def named_otherwise(context: pp.ProcContext) -> int:
        return 1

    @session.Proc(deps=[named_otherwise])
    def second(context: pp.ProcContext) -> object:
        return context.results['first'] + 1

    session.run('second')
    assert session.wait_for_all() and session.results() == {'first': 1, 'second': 2}
    session.clear()


# --- now=True --------------------------------------------------------------------------------------------------------


def test_procs_of_a_proto_are_due_now_each_when_it_is_created(built: Built) -> None:
    built.proto('f::[x]::[y]', now=True, arg_choices={'x': ['a', 'b'], 'y': [1, 2]})
    assert built.catalog.take_now() == []
    built.create('f::a::1')
    assert built.catalog.take_now() == ['f::a::1']
    built.create('f::a::*')
    assert built.catalog.take_now() == ['f::a::2']
    built.create('f::[x]::[y]', 'mine', x='b', y=1)
    assert built.catalog.take_now() == ['mine']
    assert built.catalog.take_now() == []


def test_a_proto_without_placeholders_is_due_now_as_a_proc_is(built: Built) -> None:
    built.proc('a', now=True)
    built.proto('b', now=True)
    built.proto('c', lambda context, env: env, now=True)
    assert built.catalog.take_now() == ['a', 'b']
    built.create('b')
    assert built.catalog.take_now() == []


def test_what_could_not_be_created_is_not_due_and_leaves_nothing(built: Built) -> None:
    built.proto(
        'b::[env]', lambda context, env, port: env, args={'port': 'x'}, now=True, arg_choices={'env': ['a', 'b']}
    )
    built.proc('b::b', now=True)
    built.catalog.take_now()
    with pytest.raises(UserError, match='without port=3'):
        built.create('b::*', port=3)
    assert built.catalog.take_now() == [] and list(built.catalog.procs) == ['b::b']


# --- reverse dependencies that leave an argument open ----------------------------------------------------------------


def test_an_open_reverse_dependency_puts_the_procs_that_exist_before(built: Built) -> None:
    built.proto('init::[env]', rdeps=['deploy'])
    built.proc('deploy')
    assert built.deps('deploy') == {'deploy': set()}
    built.create('init::a')
    built.create('init::[env]', 'mine', env='b')
    assert built.deps('deploy')['deploy'] == {'init::a', 'mine'}


def test_of_those_only_the_ones_that_agree_with_the_match(built: Built) -> None:
    built.proto('init::[env]::[region]', rdeps=[WhenTargetScheduled('deploy::[env]')])
    built.proto('deploy::[env]')
    for name in ('init::prod::eu', 'init::prod::us', 'init::dev::eu'):
        built.create(name)
    assert built.deps('deploy::prod')['deploy::prod'] == {'init::prod::eu', 'init::prod::us'}
    assert built.deps('deploy::test')['deploy::test'] == set()


# --- functions as names ----------------------------------------------------------------------------------------------


def test_a_declared_function_stands_for_its_proc(built: Built) -> None:
    def build(context: pp.ProcContext, env: str) -> None: ...
    def lint(context: pp.ProcContext) -> None: ...
    def test(context: pp.ProcContext, env: str) -> None: ...

    built.proto('build::[env]', build)
    built.proc('style', lint)
    built.proto('test::[env]', test, deps=[lint, build])
    assert built.catalog.create(build, None, {'env': 'dev'}) == ['build::dev']
    assert built.catalog.create(lint) == ['style']
    assert (built.catalog.name_of(lint), built.catalog.name_of(build)) == ('style', 'build::[env]')
    assert built.deps('test::dev') == {'test::dev': {'style', 'build::dev'}, 'style': set(), 'build::dev': set()}


def test_a_function_declared_after_it_was_named_stands_for_its_proc_too(built: Built) -> None:
    def late(context: pp.ProcContext) -> None: ...

    built.proc('a', deps=[late])
    built.proc('later', late)
    assert built.deps('a')['a'] == {'later'}


def test_a_declared_function_may_be_what_a_proc_goes_before(built: Built) -> None:
    def deploy(context: pp.ProcContext, env: str) -> None: ...
    def clean(context: pp.ProcContext) -> None: ...

    built.proto('deploy::[env]', deploy)
    built.proc('clean', clean)
    built.proc('setup', rdeps=[deploy, WhenTargetScheduled(clean)])
    built.proc('wipe', rdeps=[WhenScheduled(clean)])
    assert built.deps('deploy::dev')['deploy::dev'] == {'setup'}
    assert built.deps('clean')['clean'] == {'setup'}
    assert built.deps('wipe')['clean'] == {'setup', 'wipe'}
    with pytest.raises(UserError, match='is no proc'):
        built.proc('other', rdeps=[lambda context: None])
    assert 'other' not in built.catalog.procs


def test_a_method_stands_for_its_proc_however_often_it_is_looked_up(built: Built) -> None:
    class Tool:
        def run(self, context: pp.ProcContext) -> None: ...

    tool = Tool()
    built.proc('tool', tool.run)
    assert built.catalog.name_of(tool.run) == 'tool'
    with pytest.raises(UserError, match='is no proc'):
        built.catalog.name_of(Tool().run)


def test_a_function_of_two_procs_stands_for_neither(built: Built) -> None:
    def shared(context: pp.ProcContext) -> None: ...

    built.proc('a', shared)
    built.proc('b', shared)
    for use in (lambda: built.catalog.create(shared), lambda: built.proc('c', deps=[shared])):
        with pytest.raises(UserError, match='declared as "a" and "b"'):
            use()


@pytest.mark.parametrize('name', [len, 3, None, ['a']])
def test_what_is_neither_a_name_nor_a_declared_function_is_refused(built: Built, name: Any) -> None:
    with pytest.raises(UserError, match=r'is no proc|must be text or a declared function'):
        built.catalog.create(name)


# --- declaring again -------------------------------------------------------------------------------------------------


def test_the_error_for_a_second_declaration_names_the_way_to_replace(built: Built) -> None:
    built.proc('a')
    with pytest.raises(UserError, match='replace=True'):
        built.proc('a')


def test_a_replaced_proc_leaves_nothing_behind(built: Built) -> None:
    def old(context: pp.ProcContext) -> str:
        return 'old'

    built.proc('a', old, deps=['x'], rdeps=['target'], now=True)
    built.proc('target')
    built.proc('x')
    user = make_declaration(lambda context: None, 'user', is_proto=False, deps=[old])
    built.catalog.declare(user)
    assert built.deps('target')['target'] == {'a'}
    new = make_declaration(lambda context: 'new', 'a', is_proto=False)
    assert built.catalog.declare(new, replace=True) == ['a']
    assert built.call('a') == 'new'
    assert built.deps('target') == {'target': set()}
    assert built.deps('user') == {'user': {'a'}, 'a': set()}
    assert built.catalog.take_now() == []
    assert built.create('?') == ['x', 'a']  # the new declaration is the later one
    with pytest.raises(UserError, match='is no proc'):
        built.catalog.name_of(old)


def test_a_replaced_proto_takes_its_procs_with_it(built: Built) -> None:
    built.proto('b::[env]', arg_choices={'env': ['dev', 'prod']}, rdeps=['t'], now=True)
    built.create('b::dev')
    built.create('b::[env]', 'mine', env='prod')
    built.proc('t')
    new = make_declaration(lambda context, env: env, 'b::[env]', is_proto=True, arg_choices={'env': ['test']})
    assert built.catalog.declare(new, replace=True) == ['b::dev', 'mine']
    assert list(built.catalog.procs) == ['t'] and built.catalog.take_now() == []
    assert built.create('b::*') == ['b::test']
    assert built.deps('t') == {'t': set()}
    for name in ('mine', 'b::dev', 'm*'):
        with pytest.raises(UserError):
            built.create(name)


@pytest.mark.parametrize('first', ['build', 'build::[env]', 'proc'])
@pytest.mark.parametrize('second', ['build', 'build::[env]', 'proc'])
def test_whatever_has_the_name_is_replaced(built: Built, first: str, second: str) -> None:
    def declared(name: str) -> Any:
        if name == 'proc':
            return make_declaration(lambda context: 'proc', 'build', is_proto=False)
        return make_declaration(lambda context, env: env, name, is_proto=True)

    built.catalog.declare(declared(first))
    built.catalog.declare(declared(second), replace=True)
    if second == 'proc':
        assert built.create('build') == ['build'] and built.call('build') == 'proc'
    else:
        assert built.create('build::dev') == ['build::dev']
        assert list(built.catalog.protos) == ['build::[env]']


def test_an_exact_declaration_may_replace_a_proc_that_was_created(built: Built) -> None:
    built.proto('b::[env]', lambda context, env: 'proto')
    built.create('b::dev')
    new = make_declaration(lambda context: 'proc', 'b::dev', is_proto=False)
    assert built.catalog.declare(new, replace=True) == ['b::dev']
    assert built.call('b::dev') == 'proc' and built.create('b::prod') == ['b::prod']


def test_a_declaration_that_is_wrong_replaces_nothing(built: Built) -> None:
    built.proto('b::[env]', lambda context, env: env, arg_choices={'env': ['dev']})
    built.create('b::dev')
    with pytest.raises(UserError):
        built.catalog.declare(
            make_declaration(lambda context, env: env, 'b::[env]', is_proto=True, arg_choices={'o': [1]}), replace=True
        )
    with pytest.raises(UserError):
        built.catalog.declare(
            make_declaration(lambda context: 1, 'b::dev', is_proto=False, deps=['x::[y]']), replace=True
        )
    assert built.call('b::dev') == 'dev' and built.create('b::*') == ['b::dev']


def test_what_an_included_file_declares_can_be_replaced(built: Built) -> None:
    inner = Origin(('web',))
    for _ in range(2):
        built.catalog.declare(
            make_declaration(lambda context: 1, 'build', is_proto=False, origin=inner, rdeps=['test']), replace=True
        )
        built.catalog.declare(make_declaration(lambda context: 1, 'test', is_proto=False, origin=inner), replace=True)
        assert built.deps('web::test')['web::test'] == {'web::build'}
    built.catalog.declare(make_declaration(lambda context: 1, 'build', is_proto=False, origin=inner), replace=True)
    assert built.deps('web::test') == {'web::test': set()}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_after_any_replacements_a_catalog_is_as_if_only_the_last_had_been_declared(seed: int) -> None:
    chance = random.Random(seed)
    names = ['a', 'b', 'c::[x]', 'd::[x]']
    history = []
    for _ in range(8):
        name = chance.choice(names)
        fields: dict[str, Any] = {'rdeps': chance.sample(['a', 'b', 'c::[x]', 'd::*'], chance.randint(0, 2))}
        fields['rdeps'] = [rdep for rdep in fields['rdeps'] if rdep[0] > name[0]]
        history.append((name, fields, chance.choice([None, 'c::1', 'd::1', 'd::2'])))
    replaced, fresh = Built(), Built()
    for name, fields, wanted in history:
        replaced.catalog.declare(
            make_declaration(lambda context, x='': x, name, is_proto='[' in name, **fields), replace=True
        )
        if wanted is not None and f'{wanted[0]}::[x]' in replaced.catalog.protos:
            replaced.create(wanted)
    last = {name: fields for name, fields, _ in history}
    for name, fields in sorted(
        last.items(), key=lambda item: max(i for i, entry in enumerate(history) if entry[0] == item[0])
    ):
        fresh.catalog.declare(make_declaration(lambda context, x='': x, name, is_proto='[' in name, **fields))
    for name in list(replaced.catalog.procs):
        fresh.create(name)
    assert set(fresh.catalog.procs) == set(replaced.catalog.procs)
    for name in list(fresh.catalog.procs):
        assert replaced.deps(name) == fresh.deps(name)


# --- separators ------------------------------------------------------------------------------------------------------


def test_what_is_declared_keeps_its_separator(built: Built) -> None:
    built.proto('b::[env]', lambda context, env: env, arg_choices={'env': ['dev', 'prod']}, deps=['s/[env]'])
    built.proc('x::y', rdeps=['b::[env]'])
    built.catalog.set_separator('/')
    built.proto('s/[env]', lambda context, env: env, arg_choices={'env': ['dev', 'a::b']})
    built.proto('t', lambda context, n: n)
    built.proc('x/y', rdeps=['s/*'])
    assert built.create('b::*') == ['b::dev', 'b::prod']
    assert built.create('s/*') == ['s/dev', 's/a::b']
    assert built.create('t/1') == ['t/1'] and built.create('t', n=2) == ['t/2']
    assert built.create('x::?') == ['x::y'] and built.create('x/?') == ['x/y']
    assert built.deps('b::dev') == {'b::dev': {'x::y', 's/dev'}, 'x::y': set(), 's/dev': {'x/y'}, 'x/y': set()}
    assert built.catalog.separators == ('/', '::')
    assert expand(['x::', 's/'], built.catalog, exclude=['x::y', 's/a*']) == ['s/dev']


def test_a_name_that_two_separators_explain_is_an_error(built: Built) -> None:
    built.proto('a::[x]', lambda context, x: x)
    built.catalog.set_separator('/')
    built.proto('[y]/b', lambda context, y: y)
    with pytest.raises(UserError, match=r'matches both "a::\[x\]" and "\[y\]/b"'):
        built.create('a::1/b')


# --- arguments that have no text -------------------------------------------------------------------------------------


class Version:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Table:
    """Stands for a data frame: long, and not to be compared."""

    def __eq__(self, other: object) -> Any:
        raise ValueError('the truth value of a table is ambiguous')

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise ValueError('the truth value of a table is ambiguous')

    def __len__(self) -> int:
        raise AssertionError('looked at')

    def __str__(self) -> str:
        raise AssertionError('turned into text')

    __repr__ = __str__


@pytest.mark.parametrize('name', ['load', 'load::[frame]'])
def test_a_table_may_be_an_argument_of_a_proc_with_a_name_of_its_own(built: Built, name: str) -> None:
    built.proto('load', lambda context, frame, limit=3: (frame, limit))
    table, other = Table(), Table()
    assert built.create(name, 'load-a', frame=table) == built.create(name, 'load-a', frame=table) == ['load-a']
    assert built.create('load-a', frame=table) == ['load-a']
    assert built.call('load-a')[0] is table
    with pytest.raises(UserError, match='exists already'):
        built.create(name, 'load-a', frame=other)
    with pytest.raises(UserError, match='exists already'):
        built.create('load-a', frame=other)
    assert built.deps('load-a') == {'load-a': set()}


def test_a_table_may_be_a_further_argument(built: Built) -> None:
    built.proto('b::[env]', lambda context, env, data=None: data)
    table = Table()
    for _ in range(2):
        assert built.create('b::dev', data=table) == ['b::dev']
    assert built.create('b::dev') == ['b::dev']
    assert built.call('b::dev') is table
    with pytest.raises(UserError, match='exists already, without data=a Table'):
        built.create('b::dev', data=Table())


def test_a_table_cannot_stand_in_a_name(built: Built) -> None:
    built.proto('load', lambda context, frame: frame)
    with pytest.raises(UserError, match=r"a Table for frame has no text.*create\('load::\[frame\]', 'a-name', frame="):
        built.create('load', frame=Table())
    built.proto('use', lambda context, frame: frame, deps=['load::[frame]'])
    with pytest.raises(UserError, match=r'nothing fills \[frame\]'):
        built.create('use', 'use-a', frame=Table())
    assert not built.catalog.procs


def test_a_text_that_cannot_be_made_is_an_error(built: Built) -> None:
    class Broken:
        def __str__(self) -> str:
            raise OSError('no text')

    built.proto('b::[x]', lambda context, x: x)
    with pytest.raises(UserError, match='a Broken for x cannot be turned into text: OSError'):
        built.create('b::[x]', x=Broken())


def test_tables_may_be_choices_of_an_argument_that_stands_in_no_name(built: Built) -> None:
    tables = [Table(), Table()]
    built.proto('b::[env]', lambda context, env, data=None: data, arg_choices={'data': tables})
    built.create('b::dev', data=tables[1])
    assert built.call('b::dev') is tables[1]
    with pytest.raises(UserError, match='"a Table" is not a choice for data'):
        built.create('b::prod', data=Table())


def test_a_callable_choice_is_given_the_table_itself(built: Built) -> None:
    table = Table()
    seen: list[object] = []

    def numbers(context: object, frame: object) -> list[str]:
        seen.append(frame)
        return ['1', '2']

    built.proto(
        'b::[frame]::[n]',
        lambda context, frame, n: n,
        arg_choices={'n': numbers},
    )
    built.create('b::[frame]::[n]', 'mine', frame=table, n='2')
    assert seen and seen[0] is table
    with pytest.raises(UserError, match='"3" is not a choice'):
        built.create('b::[frame]::[n]', 'other', frame=table, n='3')


def test_values_of_the_users_own_types_stand_in_names_by_their_text(built: Built) -> None:
    def build(context: pp.ProcContext, v: Version) -> str:
        return v.text

    built.proto('b::[v]', build, arg_choices={'v': [Version('1.2')]})
    assert built.create('b::[v]', v=Version('1.2')) == built.create('b::1.2', v='1.2') == ['b::1.2']
    assert built.create('b::[v]', 'mine', v='1.2') == built.create('b::[v]', 'mine', v='1.2') == ['mine']
    assert built.call('mine') == '1.2'


def test_no_glob_is_suggested_where_there_are_no_choices(built: Built) -> None:
    built.proto('num', lambda context, n: n)
    built.proto('env', lambda context, e: e, arg_choices={'e': ['a', 'b']})
    with pytest.raises(UserError, match='needs a value for n') as error:
        built.create('num')
    assert '*' not in str(error.value)
    with pytest.raises(UserError, match=r'"env::\*" stands for all'):
        built.create('env')
    for name in ('num', 'nun', 'num::', 'nun::3'):
        with pytest.raises(UserError) as error:
            built.create(name)
        assert 'num::*' not in str(error.value)
