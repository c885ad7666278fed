"""Functions that are coroutines are run to their end, in every mode."""

from __future__ import annotations

import pytest

from tests.conftest import Project

ASYNC = """
import asyncio, functools, os, sys
import parproc as pp
MODE = {mode!r}
async def plain(context):
    await asyncio.sleep(0)
    return context.proc_name
class Callable:
    async def __call__(self, context): return 'callable'
    async def method(self, context): return 'method'
async def fails(context):
    try:
        await asyncio.sleep(0)
        raise ValueError('inside')
    finally:
        print('cleaned up', file=sys.stderr)
async def leaves(context): sys.exit(3)
async def generates(context): yield 1
def wrapped(function):
    @functools.wraps(function)
    def inner(*arguments): return function(*arguments)
    return inner
pp.set_options(mode=MODE)
pp.Proc('plain', plain)
pp.Proc('partial', functools.partial(plain))
pp.Proc('lambda', lambda context: plain(context))
pp.Proc('wrapped', wrapped(plain))
pp.Proc('callable', Callable())
pp.Proc('method', Callable().method)
for function in (fails, leaves, generates):
    pp.Proc(function.__name__, function)
def main():
    pp.start('*')
    pp.wait_for_all(exception_on_failure=False)
    for name, info in pp.get_procs().items():
        print(name, pp.results().get(name), info.more_info)
async def in_loop():
    main()
if {in_loop}:
    asyncio.run(in_loop())
else:
    main()
"""


@pytest.mark.parametrize('in_loop', [False, True])
@pytest.mark.parametrize('mode', ['mp', 'single'])
def test_async_functions_are_run_to_their_end(project: Project, mode: str, in_loop: bool) -> None:
    ran = project.script(ASYNC.format(mode=mode, in_loop=in_loop))
    assert ran.out.splitlines() == [
        'plain plain ',
        'partial partial ',
        'lambda lambda ',
        'wrapped wrapped ',
        'callable callable ',
        'method method ',
        'fails None ValueError: inside',
        'leaves None exit 3',
        'generates None the function is an async generator, which returns nothing: use return, not yield',
    ], ran.err
