"""Rules of reverse dependencies: who goes before what."""

from __future__ import annotations

from parproc.core.names import Pattern
from parproc.core.reverse_deps import InjectionRules, Rule, reach


def pattern(text: str) -> Pattern:
    return Pattern(text, '::')


MADE = {('seed::[env]',): ['seed::a', 'seed::b'], ('seed::[env]::[region]', 'prod'): ['seed::prod::eu']}
"""Pattern of a proto and what a match gives -> the procs that exist of it."""


def before(rules: InjectionRules, target: str, **args: object) -> list[str]:
    return rules.before(target, lambda _: args, lambda pattern, values: MADE.get((pattern, *values.values()), []))


def test_a_proc_goes_before_everything_its_pattern_matches() -> None:
    rules = InjectionRules()
    rules.add(pattern('deploy::[env]'), Rule('setup', 0))
    assert before(rules, 'deploy::prod') == ['setup']
    assert before(rules, 'deploy::prod::eu') == []


def test_a_proto_takes_its_arguments_from_the_match_then_from_the_target() -> None:
    rules = InjectionRules()
    rules.add(pattern('deploy::[env]'), Rule(pattern('seed::[env]::[region]'), 0))
    assert before(rules, 'deploy::prod', region='eu', env='other') == ['seed::prod::eu']


def test_where_an_argument_stays_open_the_procs_that_exist_go_before() -> None:
    rules = InjectionRules()
    rules.add(pattern('deploy::*'), Rule(pattern('seed::[env]'), 0))
    rules.add(pattern('load::[env]'), Rule(pattern('seed::[env]::[region]'), 0))
    assert before(rules, 'deploy::prod') == ['seed::a', 'seed::b']
    assert before(rules, 'load::prod') == ['seed::prod::eu']
    assert before(rules, 'load::dev') == []


def test_a_proc_that_exists_is_not_put_before_itself() -> None:
    rules = InjectionRules()
    rules.add(pattern('seed::a'), Rule(pattern('seed::[env]'), 0))
    assert before(rules, 'seed::a') == ['seed::b']


def test_several_go_in_the_order_of_their_declaration_and_once() -> None:
    rules = InjectionRules()
    rules.add(pattern('*::prod'), Rule('third', 3))
    rules.add(pattern('deploy::prod'), Rule('first', 1))
    rules.add(pattern('deploy::[env]'), Rule('second', 2))
    rules.add(pattern('[x]::[y]'), Rule('first', 1))
    assert before(rules, 'deploy::prod') == ['first', 'second', 'third']


def test_a_broad_rule_leaves_its_own_declarer_out() -> None:
    rules = InjectionRules()
    rules.add(pattern('*'), Rule('setup', 0))
    assert before(rules, 'setup') == []
    assert before(rules, 'other') == ['setup']


def test_a_rule_that_names_its_own_declarer_stays_for_the_cycle_check() -> None:
    rules = InjectionRules()
    rules.add(pattern('setup'), Rule('setup', 0))
    assert before(rules, 'setup') == ['setup']


def test_reach_globs_what_is_left_open() -> None:
    assert reach(pattern('deploy::[env]::[os]'), {'os': 'linux'}) == 'deploy::*::linux'
