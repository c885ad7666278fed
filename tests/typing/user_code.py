"""A program as people write them: mypy finds nothing to say about it, strict as it may be."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from pathlib import Path

import parproc as pp


class Env(enum.Enum):
    DEV = 'dev'
    PROD = 'prod'


pp.set_options(
    parallel=4, mode='mp', grace='2s', state_dir=Path('state'), dynamic=None, log_ignore=['^#', re.compile('x')]
)
pp.set_params(VERSION='1.4', depth=3)


@pp.Proc
def clean(context: pp.ProcContext) -> None:
    context.log(f'cleaning {context.params["VERSION"]}')


@pp.Proc('lint', deps=[clean], now=True, timeout='5m', retries=2, retry_delay=0.5, wave=-1, locks=('disk',))
def lint(context: pp.ProcContext) -> int:
    return 1


@pp.Proc(
    deps=['lint', lambda: 'clean', lambda ctx: ['clean'], pp.NO_FAILURES], env={'A': '1'}, cwd=Path('.'), doc='Test.'
)
def test(context: pp.ProcContext) -> dict[str, int]:
    return {'lint': context.results['lint'] + 1}


@pp.Proto('build::[env]', arg_choices={'env': Env}, deps=['lint'], args={'depth': 3}, inputs=['src/**/*.c', Path('a')])
def build(context: pp.ProcContext, env: Env, depth: int) -> str:
    return env.value * depth


@pp.Proto('deploy::[env]', arg_choices={'env': ('dev', 'prod')}, deps=['build::[env]', lambda ctx, env: f'x::{env}'])
def deploy(context: pp.ProcContext, env: str) -> None:
    names: list[str] = context.run(f'migrate::{env}')
    context.wait(*names, list(names))
    context.progress(0.5, 'half')
    if context.args['env'] == 'dev':
        raise pp.ProcSkippedError('nothing to do')


pp.Proto('migrate::[env]', lambda context, env: env, rdeps=[pp.WhenScheduled('deploy::[env]'), 'x', deploy])
pp.Proc('answer', lambda context: 42, deps=['test'])
pp.Proc(name='question', f=lambda context: 6 * 9, log_ignore=[pp.IgnoreLogIfSucceeded('noise')])
pp.Proto('choose::[a]::[b]', f=lambda context, a, b: a, arg_choices=lambda: {'a': [1], 'b': lambda ctx, a: [a]})


def targets(names: Sequence[str]) -> pp.DepProcContext | None:
    for name in names:
        pp.Proc(name, deps=list(names))(lambda context: None)
    return None


def area(context: pp.ProcContext, width: float, height: float = 1.0) -> float:
    return width * height


undecorated = pp.Proc('area', area, args={'width': 2.0})
surface: float = area(pp.ProcContext.__new__(pp.ProcContext), width=1.0) + undecorated(
    pp.ProcContext.__new__(pp.ProcContext), 2.0
)
lint_result: int = lint(pp.ProcContext.__new__(pp.ProcContext))


def main() -> int:
    created: list[str] = pp.create('build::*')
    pp.start(*created, ['lint', 'test'])
    pp.run('build::[env]', env=Env.DEV)
    pp.wait('test')
    if not pp.wait_for_all(exception_on_failure=False):
        failed = [info.name for info in pp.get_procs().values() if info.is_failed()]
        print(failed)
    results = pp.results()
    total: int = results['lint'] + results['test']['lint']
    info = pp.get_procs()['test']
    if info.error is pp.ErrorKind.TIMEOUT and info.end_time is not None:
        print(info.more_info, info.result['lint'], info.args['env'], info.process, info.locks)
    for pattern, proto in pp.get_protos().items():
        print(pattern, proto.placeholders, proto.choices)
    pp.start(lint, [clean], again=True)
    pp.create(build, env=Env.DEV)
    passed: int = pp.wait(test, timeout=10)['lint']
    pp.cancel('deploy::*')
    with pp.Session(parallel=2, on_event=print) as brief:
        brief.Proc('brief', lambda context: passed)
        brief.run('brief')
    session = pp.Session(parallel=2, mode='single', fail_fast=True, name_param_separator='/')

    @session.Proc('own', replace=True)
    def own(context: pp.ProcContext) -> bytes:
        return b'own'

    session.set_options(task_db_path='history.db', full_log_on_failure=True)
    session.watch('own', on_settled=lambda: False)
    session.wait_clear()
    pp.clear()
    return total
