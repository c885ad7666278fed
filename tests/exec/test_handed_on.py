"""What a task hands on: results that others can read, what it read itself, and why it failed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.conftest import Project
from tests.exec.conftest import Bench


def test_a_debugger_with_nobody_to_talk_to_names_the_way_out(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc()
        def debugged(context):
            breakpoint()
        """,
    )
    ran = project.run('-o', 'plain', 'debugged')
    assert ran.code == 1
    assert "--mode single, in a program set_options(mode='single')" in ran.err


UNKNOWN = {
    'a class made in the task': """
        global Made
        class Made: pass
        Made.__qualname__ = 'Made'
        return [Made()]
    """,
    'a module made in the task': """
        module = types.ModuleType('made')
        exec('class Made: pass', vars(module))
        sys.modules['made'] = module
        return {'a': module.Made()}
    """,
    'a module found by the task alone': """
        os.mkdir('elsewhere')
        open('elsewhere/made.py', 'w').write('class Made: pass')
        sys.path.insert(0, 'elsewhere')
        import made
        return made.Made()
    """,
    'a submodule found by the task alone': """
        open('elsewhere.py', 'w').write('class Made: pass')
        import json
        json.__path__.append('.')
        from json import elsewhere
        return elsewhere.Made()
    """,
}


@pytest.mark.parametrize('kind', UNKNOWN)
def test_a_result_that_only_its_task_can_read_fails_that_task(project: Project, kind: str) -> None:
    body = textwrap.indent(textwrap.dedent(UNKNOWN[kind]), '    ')
    ran = project.script(
        f"""
import os, sys, types
import parproc as pp
def lost(context):
{body}
pp.Proc('lost', lost)
pp.Proc('good', lambda context: 5)
pp.start('*')
pp.wait_for_all(exception_on_failure=False)
print(pp.results())
print(pp.get_procs()['lost'].error, pp.get_procs()['lost'].more_info)
"""
    )
    assert "'good': 5" in ran.out, ran.err
    assert 'NOT_PICKLABLE not picklable: result needs ' in ran.out and 'Made' in ran.out


def test_a_result_of_what_the_parent_could_import_is_handed_on(project: Project) -> None:
    (project.folder / 'shapes').mkdir()
    project.write('shapes/__init__.py', '')
    project.write('shapes/round.py', 'class Circle:\n    def __init__(self): self.radius = 5\n')
    ran = project.script(
        """
        import dataclasses, enum
        import parproc as pp
        class Level(enum.Enum):
            HIGH = 1
        @dataclasses.dataclass
        class Point:
            x: int
            class Inner: pass
        def task(context):
            from shapes.round import Circle
            return [Circle(), Level.HIGH, Point(1), Point.Inner()]
        pp.Proc('task', task)
        pp.run('task')
        pp.wait_for_all()
        circle, level, point, inner = pp.results()['task']
        print(circle.radius, level, point, type(inner).__qualname__)
        """
    )
    assert ran.out == '5 Level.HIGH Point(x=1) Point.Inner\n', ran.err


def test_what_is_missing_is_named_at_the_users_line(project: Project) -> None:
    ran = project.script(
        """
        import parproc as pp
        pp.Proc('skips', lambda context: (_ for _ in ()).throw(pp.ProcSkippedError('not here')))
        pp.Proc('other', lambda context: 5)
        def looks(context, n: int):
            return context.results[['other', 'skips', 'nope'][n]]
        pp.Proto('looks::[n]', looks, deps=['skips'])
        def version(context):
            return context.params['VERSION']
        pp.Proc('version', version)
        for n in range(3):
            pp.run(f'looks::{n}')
        pp.run('version')
        pp.wait_for_all(exception_on_failure=False)
        for name, info in sorted(pp.get_procs().items()):
            if info.error:
                print(name, info.more_info)
        print(open(pp.get_procs()['version'].log_filename).read())
        """
    )
    assert ran.out.splitlines()[:4] == [
        'looks::0 MissingError: "looks::0" has no result "other": it does not depend on it',
        'looks::1 MissingError: "looks::1" has no result "skips": it was skipped',
        'looks::2 MissingError: "looks::2" has no result "nope": there is no such proc',
        'version MissingError: no param VERSION: parproc version VERSION=… (in a program: set_params(VERSION=…))',
    ], ran.err
    assert "return context.params['VERSION']" in ran.out and 'context.py' not in ran.out


@pytest.mark.parametrize(
    ('read', 'names'),
    [
        (lambda params: None, frozenset()),
        (lambda params: (params['A'], params.get('B')), frozenset({'A', 'B'})),
        (dict, None),
        (lambda params: params['A'] / 0, frozenset({'A'})),
    ],
)
def test_the_params_that_a_function_reads_are_told(
    bench: Bench, read: Callable[[Mapping[str, Any]], object], names: frozenset[str] | None
) -> None:
    bench.start('task', lambda context: read(context.params), params={'A': 1})
    assert bench.ended('task').params_read == names
