"""Procs in new interpreters: nothing of what their program has in memory but their module, loaded anew."""

from __future__ import annotations

from pathlib import Path

import pytest

import parproc as pp
from tests.conftest import Project
from tests.session.conftest import RunProgram

HELPER = """
import os, sys
COUNT = 0
def work(context, number: int = 1):
    print('working')
    return COUNT, number, context.results['before'], context.params['p'], 'marker' in sys.modules
"""


@pytest.mark.parametrize('mode', ['mp', 'single'])
def test_a_new_interpreter_has_the_module_and_what_the_run_gives_and_nothing_else(
    program: RunProgram, tmp_path: Path, mode: str
) -> None:
    (tmp_path / 'helper.py').write_text(HELPER)
    ran = program(
        """
        import types
        import helper

        pp.set_options(mode=sys.argv[1])

        class Thing:
            def __init__(self, value):
                self.value = value

        pp.Proc('before', lambda context: 5)
        pp.Proc('work', helper.work, isolated='fresh', deps=['before'])
        pp.Proto('part::[number]', helper.work, isolated='fresh', deps=['before'])
        pp.Proc('unnamed', lambda context: 'unnamed', isolated='fresh')

        @pp.Proc(isolated='fresh')
        def own(context):
            context.progress(0.5)
            return Thing(os.getpid()), context.wait('before'), helper.COUNT

        @pp.Proc(isolated='fresh')
        def bad(context):
            raise ValueError('as told')

        if __name__ == '__main__':
            helper.COUNT = 7
            sys.modules['marker'] = types.ModuleType('marker')
            pp.set_params(p='P')
            print(pp.wait('work'), pp.wait('part::3'), pp.wait('unnamed'))
            thing, waited, count = pp.wait(own)
            print(type(thing) is Thing, thing.value != os.getpid(), waited, count)
            pp.start(bad)
            pp.wait_for_all(exception_on_failure=False)
            print(pp.get_procs()['bad'].more_info)
        """,
        mode,
    )
    assert [line for line in ran.stdout.splitlines() if line != 'working'] == [
        "(0, 1, 5, 'P', False) (0, 3, 5, 'P', False) unnamed",
        'True True 5 0',
        'ValueError: as told',
    ], ran.stderr


def test_what_cannot_be_found_or_sent_again_fails_its_proc(program: RunProgram) -> None:
    ran = program("""
        def inner():
            return lambda context: 1

        if __name__ == '__main__':
            pp.Proc('hidden', inner(), isolated='fresh')
            pp.Proto('given', lambda context, what: 1, isolated='fresh')
            pp.create('given', 'given-1', what=lambda: 1)
            pp.start('hidden', 'given-1')
            pp.wait_for_all(exception_on_failure=False)
            for name in ('hidden', 'given-1'):
                print(pp.get_procs()[name].more_info)
    """)
    hidden, given = ran.stdout.splitlines()
    assert 'does not find the function of "hidden"' in hidden
    assert given.startswith('not picklable: its arguments')


def test_a_script_that_waits_while_it_is_loaded_is_told_to_guard_that(program: RunProgram) -> None:
    ran = program("""
        @pp.Proc(isolated='fresh')
        def own(context):
            return 1

        print(pp.wait_for_all(exception_on_failure=False), pp.run(own), pp.wait_for_all(exception_on_failure=False))
        print(pp.get_procs()['own'].more_info)
    """)
    assert "if __name__ == '__main__'" in ran.stdout or 'while the task file is loaded' in ran.stdout


def test_another_word_than_fresh_is_refused(session: pp.Session) -> None:
    with pytest.raises(pp.UserError, match="True, False or 'fresh'"):
        session.Proc('a', lambda context: 1, isolated='spawn')  # type: ignore[call-overload]


def test_a_task_file_is_loaded_anew(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import time
        import parproc as pp

        @pp.Proto('build::[env]', isolated='fresh', arg_choices={'env': ['dev', 'prod']})
        def build(context, env: str):
            return env

        @pp.Proc(deps=['build::*'])
        def show(context):
            print(sorted(context.results.values()))

        @pp.Proc(isolated='fresh', timeout=1)
        def slow(context):
            try:
                time.sleep(60)
            finally:
                print('cleaned')
        """,
    )
    ran = project.run('-o', 'stream', 'show', 'slow')
    assert ran.code == 1
    assert sorted(ran.out.splitlines()) == ["show        | ['dev', 'prod']", 'slow        | cleaned']
    assert 'timed out after 1 s' in ran.err
