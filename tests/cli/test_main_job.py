"""The main job as its users meet it: whole small projects, run from a shell."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Project

TASKS = """
    from __future__ import annotations
    import parproc as pp

    @pp.Proc('lint')
    def lint(context):
        "Check the style."
        print('lint ok')

    @pp.Proto('build::[env]', deps=['lint'], arg_choices={'env': ['dev', 'prod']})
    def build(context, env: str):
        return f'built {env}'

    @pp.Proto('deploy::[env]', deps=['build::[env]'])
    def deploy(context, env):
        "Bring it out."
        print(context.results[f'build::{env}'], context.params.get('VERSION'), *context.extra_args)

    @pp.Proc('bad')
    def bad(context):
        raise ValueError('oh no')

    @pp.Proc('after', deps=['bad'])
    def after(context):
        pass
"""


def shows(text: str, *words: str) -> bool:
    """Return whether some line has these words in this order."""
    return re.search('.*'.join(map(re.escape, words)), text) is not None


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write('tasks.py', TASKS)
    return project


def test_globs_dependencies_and_arguments(tasks: Project) -> None:
    ran = tasks.run('build::*', 'deploy::prod', 'VERSION=1.4', '--', '--extra', 'args')
    assert ran.code == 0, ran.err
    assert ran.out == ''
    for name in ('lint', 'build::dev', 'build::prod', 'deploy::prod'):
        assert shows(ran.err, '✓', name)
    (log,) = tasks.folder.glob('.parproc/runs/*/logs/deploy.prod.log')
    assert log.read_text() == 'built prod 1.4 --extra args\n'


def test_a_single_proc_feels_like_its_command(tasks: Project) -> None:
    ran = tasks.run('lint')
    assert (ran.code, ran.out, ran.err) == (0, 'lint ok\n', '')


def test_a_trailing_separator_is_a_glob(tasks: Project) -> None:
    assert shows(tasks.run('build::').err, '✓', 'build::dev')


def test_a_failure_shows_its_log_its_dependents_and_the_way_to_rerun(tasks: Project) -> None:
    ran = tasks.run('bad', 'after', 'lint')
    assert ran.code == 1
    assert shows(ran.err, '✗', 'bad', 'ValueError: oh no')
    assert "│     raise ValueError('oh no')" in ran.err
    assert shows(ran.err, 'after', 'dependency failed: bad')
    assert 'parproc bad' in ran.err
    assert '1 failed' in ran.err
    assert 'parproc/exec' not in ran.err


def test_a_failing_single_proc_says_why_last(tasks: Project) -> None:
    ran = tasks.run('bad')
    assert ran.code == 1
    assert ran.err == 'parproc: bad failed: ValueError: oh no\n'


@pytest.mark.parametrize(
    ('arguments', 'message', 'hint'),
    [
        (['biuld::dev'], 'unknown proc "biuld::dev"', 'did you mean build::dev?'),
        (['build::staging'], '"build::staging": "staging" is not a choice for env', 'allowed: dev, prod'),
        (['deploy::*'], 'env', ''),
        (['nothing*'], 'nothing*', ''),
        (['-j', 'many', 'lint'], 'many', ''),
        (['--timeout', 'soon', 'lint'], 'soon', '30s'),
        (['--bogus'], '--bogus', ''),
        (['-f', 'none.py', 'lint'], 'none.py', ''),
        (['-C', 'nowhere', 'lint'], 'nowhere', ''),
    ],
)
def test_a_wrong_request_is_one_line_a_hint_and_exit_2(
    tasks: Project, arguments: list[str], message: str, hint: str
) -> None:
    ran = tasks.run(*arguments)
    assert ran.code == 2
    first, *_ = ran.err.splitlines()
    assert first.startswith('parproc: error: ') and message in first
    assert hint in ran.err
    assert 'Traceback' not in ran.err
    assert not (tasks.folder / '.parproc').exists()


def test_no_target_runs_what_is_declared_now(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('default', now=True)
        def default(context):
            print('by default')
        """,
    )
    assert project.run().out == 'by default\n'


def test_no_target_and_no_default_lists_and_exits_2(tasks: Project) -> None:
    ran = tasks.run()
    assert ran.code == 2
    assert 'lint           Check the style.' in ran.out
    assert 'build::[env]   (env: dev, prod)' in ran.out


def test_list_and_dry_run_run_nothing(tasks: Project) -> None:
    assert 'deploy::[env]  Bring it out.' in tasks.run('-l').out
    assert tasks.run('-n', 'deploy::prod').out.splitlines() == [
        '  1. lint',
        '  2. build::prod  (after lint)',
        '  3. deploy::prod  (after build::prod)',
    ]
    assert not (tasks.folder / '.parproc').exists()


def test_only_leaves_dependencies_out(tasks: Project) -> None:
    assert tasks.run('-n', '--only', 'deploy::prod').out == '  1. deploy::prod\n'


def test_exclude(tasks: Project) -> None:
    assert tasks.run('-n', '--only', 'build::*', '-X', '*::dev').out == '  1. build::prod\n'


def test_the_task_file_is_found_upwards_and_runs_in_its_folder(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import os
        import parproc as pp
        @pp.Proc('where')
        def where(context):
            print(os.getcwd(), os.environ['PARPROC_INVOCATION_DIR'])
        """,
    )
    below = project.folder / 'a' / 'b'
    below.mkdir(parents=True)
    assert project.run('where', cwd=below).out == f'{project.folder} {below}\n'
    assert project.run('where', '-C', 'a/b').out == f'{project.folder} {project.folder}\n'


def test_no_task_file(project: Project) -> None:
    ran = project.run('build')
    assert (ran.code, ran.err.count('\n')) == (2, 2)
    assert 'no task file' in ran.err


def test_a_task_file_that_raises_shows_the_users_frames(project: Project) -> None:
    project.write('tasks.py', 'def helper():\n    return 1 / 0\n\nhelper()\n')
    ran = project.run('x')
    assert ran.code == 2
    assert 'tasks.py:2: ZeroDivisionError: division by zero' in ran.err
    assert 'line 4, in <module>' in ran.err
    assert 'parproc/project' not in ran.err


def test_a_syntax_error_is_pointed_at(project: Project) -> None:
    project.write('tasks.py', 'x = (\n')
    ran = project.run('x')
    assert ran.code == 2
    assert 'tasks.py:1' in ran.err and '^' in ran.err


@pytest.mark.parametrize(
    'call', ['wait_for_all()', 'wait("x")', 'wait_clear()', 'watch("x")', 'start("x")', 'run("x")']
)
def test_running_and_waiting_at_module_level_are_refused(project: Project, call: str) -> None:
    project.write('tasks.py', f'import parproc as pp\npp.Proc("x", lambda c: 1, inputs=["x"])\npp.{call}\n')
    ran = project.run('x')
    assert ran.code == 2
    assert "if __name__ == '__main__':" in ran.err


def test_a_missing_dependency_is_found_before_anything_runs(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('build')
        def build(context): pass
        @pp.Proc('test', deps=['biuld'])
        def test(context): pass
        """,
    )
    ran = project.run('test', 'build')
    assert ran.code == 2
    assert 'did you mean build?' in ran.err
    assert not (project.folder / '.parproc').exists()


def test_a_cycle_is_spelled(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('a', deps=['b'])
        def a(context): pass
        @pp.Proc('b', rdeps=['a'], deps=['a'])
        def b(context): pass
        """,
    )
    ran = project.run('a')
    assert ran.code == 2
    assert 'a -> b -> a' in ran.err


def test_a_deadlock_is_named_and_exits_3(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('child', locks=['disk'])
        def child(context): pass
        @pp.Proc('parent', locks=['disk'])
        def parent(context):
            context.wait('child')
        """,
    )
    ran = project.run('parent', '-o', 'plain')
    assert ran.code == 3
    assert 'needs lock "disk" held by "parent"' in ran.err


def test_fail_fast_starts_nothing_new(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('bad')
        def bad(context): raise pp.ProcFailedError('not today')
        @pp.Proc('next')
        def later(context): pass
        """,
    )
    ran = project.run('-x', '-j1', 'bad', 'next')
    assert ran.code == 1
    assert shows(ran.err, '✗', 'bad', 'not today')
    assert shows(ran.err, 'next', 'not run', 'an earlier proc failed')
    assert shows(project.run('-k', '-j1', 'bad', 'next').err, '✓', 'next')


def test_the_runs_timeout_exits_124(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import time
        import parproc as pp
        @pp.Proc('slow')
        def slow(context): time.sleep(60)
        """,
    )
    assert project.run('--timeout', '300ms', 'slow').code == 124


def test_single_mode_runs_the_same(tasks: Project) -> None:
    ran = tasks.run('--mode', 'single', 'build::*', 'deploy::prod')
    assert ran.code == 0, ran.err
    assert shows(ran.err, '✓', 'deploy::prod')


def test_environment_defaults(tasks: Project) -> None:
    assert 'lint' not in tasks.run('bad', 'lint', PARPROC_QUIET='1').err
    ran = tasks.run('lint', PARPROC_OUTPUT='loud')
    assert ran.code == 2
    assert 'PARPROC_OUTPUT' in ran.err


def test_version_and_help_run_no_project_code(project: Project) -> None:
    project.write('tasks.py', "open('mark', 'w').close()\n")
    assert project.run('--version').out.startswith('parproc ')
    assert 'TARGET' in project.run('--help').out
    assert not (project.folder / 'mark').exists()


def test_get_input_reads_the_users_answer(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        @pp.Proc('ask')
        def ask(context):
            print('hello', context.get_input('name?'))
        """,
    )
    ran = project.run('ask', stdin='Ada\n')
    assert (ran.code, ran.out) == (0, 'hello Ada\n')
    assert 'ask: name?' in ran.err
    assert project.run('ask').code == 1


def test_twenty_runs_are_kept(tasks: Project) -> None:
    for _ in range(22):
        assert tasks.run('lint').code == 0
    assert len(list((tasks.folder / '.parproc' / 'runs').iterdir())) == 20
    assert (tasks.folder / '.parproc' / '.gitignore').read_text() == '*\n'


def test_an_untrusted_task_file_is_refused(tasks: Project) -> None:
    path = tasks.folder / 'tasks.py'
    path.chmod(0o666)
    ran = tasks.run('lint')
    assert ran.code == 2
    assert 'chmod o-w' in ran.err
    assert tasks.run('lint', PARPROC_TRUST=str(tasks.folder)).code == 0


def test_inside_another_run_it_is_plain(tasks: Project) -> None:
    assert shows(tasks.run('lint', PARPROC_RUN_ID='outer').err, '✓', 'lint')


def test_procs_learn_of_colour(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import os
        import parproc as pp
        @pp.Proc('show')
        def show(context):
            print(os.environ.get('FORCE_COLOR'), os.environ.get('COLUMNS'), os.environ['PARPROC_NAME'])
        """,
    )
    assert project.run('--color', 'always', 'show', COLUMNS='100').out == '1 100 show\n'
    assert project.run('--color', 'never', 'show', COLUMNS='').out == 'None  show\n'
