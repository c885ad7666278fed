"""Task files that are data, as their users meet them: transcripts over whole small projects."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import pytest

from tests.conftest import Project

PROJECT = """
    default = ["test"]
    dotenv = [".env"]

    [options]
    parallel = 3

    [params]
    VERSION = "dev"

    [proc.lint]
    doc = "Look for mistakes."
    run = ["echo", "lint", "{VERSION}", "{extra_args}"]

    [proto."build::[env]"]
    run = "echo ENV={env} VERSION={VERSION} SECRET=$SECRET; echo made > out-{env}"
    arg_choices.env = ["dev", "prod"]
    deps = ["lint"]
    timeout = "5m"

    [proc.test]
    deps = ["build::*"]
"""


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write('parproc.toml', PROJECT)
    project.write('.env', 'SECRET="a b"\n')
    return project


def log(project: Project, name: str) -> str:
    (path,) = sorted(project.folder.glob(f'.parproc/runs/*/logs/{name}.log'))[-1:]
    return path.read_text()


def test_the_default_runs_with_all_it_needs(tasks: Project) -> None:
    ran = tasks.run()
    assert ran.code == 0, ran.err
    assert re.findall(r'✓ (\S+)', ran.err)[0] == 'lint' and ran.err.count('✓') == 4
    assert log(tasks, 'build.prod') == 'ENV=prod VERSION=dev SECRET=a b\n'
    assert (tasks.folder / 'out-dev').exists()


def test_one_command_feels_as_it_does_alone(tasks: Project) -> None:
    ran = tasks.run('lint', 'VERSION=1 2', '--', 'a b', '*')
    assert (ran.code, ran.out, ran.err) == (0, 'lint 1 2 a b *\n', '')


def test_the_list_has_the_order_of_the_file(tasks: Project) -> None:
    ran = tasks.run('--list')
    assert ran.out.splitlines() == ['lint          Look for mistakes.', 'build::[env]  (env: dev, prod)', 'test']
    listed = json.loads(tasks.run('--list', '--json', '--all').out)
    assert listed['version'] == 1
    assert [proc['name'] for proc in listed['procs']] == ['lint', 'test']
    assert listed['protos'][0]['choices'] == {'env': ['dev', 'prod']}
    assert listed['protos'][0]['procs'] == ['build::dev', 'build::prod']
    assert 'build::prod' in tasks.run('--list', '--all').out


def test_show_tells_all_of_one(tasks: Project) -> None:
    ran = tasks.run('--show', 'build::dev')
    assert re.sub(r'\S*/parproc.toml', 'FILE', ran.out) == (
        'build::dev\n'
        '  proto           build::[env]\n'
        '  choices of env  dev, prod\n'
        '  arguments       env=dev\n'
        '  depends on      lint\n'
        '  timeout         300 s\n'
        '  runs            echo ENV=dev VERSION=dev SECRET=$SECRET; echo made > out-dev\n'
        '  defined at      FILE:15\n'
    )
    assert tasks.run('--show', 'biuld::dev').err.endswith('hint: did you mean build::dev?\n')


def test_the_graph_is_for_other_programs(tasks: Project) -> None:
    assert tasks.run('--graph', 'build::dev').out.splitlines() == [
        'flowchart LR',
        '    n0["lint"]',
        '    n1["build::dev"]',
        '    n0 --> n1',
    ]
    assert '    "lint" -> "build::dev";' in tasks.run('--graph', 'dot', 'build::dev').out
    graph = json.loads(tasks.run('--graph=json', 'build::dev').out)
    assert [(proc['name'], proc['deps']) for proc in graph['procs']] == [('lint', []), ('build::dev', ['lint'])]


def test_tasks_py_and_toml_work_together(tasks: Project) -> None:
    tasks.write(
        'tasks.py',
        """
        import parproc as pp
        pp.set_params(VERSION='python')
        pp.set_options(parallel=1, full_log_on_failure=True)
        @pp.Proc(deps=['lint'])
        def ship(context):
            return {'version': context.params['VERSION'], 'parallel': pp.session.workspace_of(pp.api.default_session()).options.parallel}
        """,
    )
    assert json.loads(tasks.run('--print', 'ship').out) == {'version': 'python', 'parallel': 3}
    assert json.loads(tasks.run('--print', 'ship', 'VERSION=shell', '-j2').out) == {'version': 'shell', 'parallel': 2}
    ran = tasks.run('--print', 'ship', PARPROC_JOBS='5')
    assert json.loads(ran.out)['parallel'] == 5


def test_pyproject_is_read_where_there_is_nothing_else(project: Project) -> None:
    project.write('pyproject.toml', '[tool.parproc.proc.hello]\nrun = "echo hello from $PWD"\n')
    deep = project.folder / 'a' / 'b'
    deep.mkdir(parents=True)
    assert project.run('hello', cwd=deep).out == f'hello from {project.folder}\n'
    project.write('a/pyproject.toml', '[tool.other]\nx = 1\n')
    assert project.run('hello', cwd=deep).code == 0


def test_includes_have_names_and_folders_of_their_own(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        include = ["ci/tasks.py", "web/parproc.toml", "more.toml"]
        [proc.lint]
        run = "pwd"
        [proc.all]
        deps = ["web::build", "ci::check", "extra"]
        """,
    )
    project.write('more.toml', '[proc.extra]\nrun = "pwd"\n')
    project.write(
        'web/parproc.toml',
        """
        include = ["deep/parproc.toml"]
        [proc.build]
        run = "pwd"
        deps = ["lint", "prepare", "page::*"]
        [proc.prepare]
        run = ["pwd"]
        rdeps = ["page::[x]"]
        [proto."page::[x]"]
        run = "echo {x}"
        arg_choices.x = ["a", "b"]
        """,
    )
    project.write('web/deep/parproc.toml', '[proc.lint]\nrun = "pwd"\ncwd = "sub"\ndeps = ["prepare"]\n')
    (project.folder / 'web/deep/sub').mkdir()
    project.write(
        'ci/tasks.py',
        """
        import os
        import parproc as pp
        @pp.Proc('check', deps=[lambda: 'lint'])
        def check(context):
            context.wait('other')
            return os.getcwd(), context.results['ci::other']
        @pp.Proc
        def other(context):
            return 5
        """,
    )
    plan = json.loads(project.run('--graph', 'json', 'all', 'web::deep::lint').out)
    deps = {proc['name']: set(proc['deps']) for proc in plan['procs']}
    assert deps['web::build'] == {'lint', 'web::prepare', 'web::page::a', 'web::page::b'}
    assert deps['web::page::a'] == {'web::prepare'}
    assert deps['web::deep::lint'] == {'web::prepare'}
    assert deps['ci::check'] == {'lint'}
    assert json.loads(project.run('--print', 'ci::check', 'all').out) == [f'{project.folder}/ci', 5]
    assert log(project, 'web.build') == f'{project.folder}/web\n'
    assert log(project, 'extra') == log(project, 'lint') == f'{project.folder}\n'
    assert project.run('web::deep::lint', '--only').out == f'{project.folder}/web/deep/sub\n'


@pytest.mark.parametrize(
    ('text', 'line', 'message'),
    [
        ('[proc.a]\nrun = "x"\ntimout = 5', 3, '"proc.a" has an unknown key "timout"\nhint: did you mean timeout?'),
        ('[proc.a]\nrun = "x"\ntimeout = "soon"', 3, 'timeout of Proc "a"'),
        ('[proc.a]\nrun = "x"\n\ndeps = "b"', 4, 'deps of Proc "a" must be a list'),
        ('[proc.a]\nrun = 5', 2, '"run" of "proc.a" must be text or a list'),
        ('[proc.a]\nrun = []', 2, '"run" of "proc.a" must be text or a list'),
        ('[proc.a]\ndoc = "nothing"', 1, '"proc.a" has neither "run" nor "deps"'),
        ('[proc.a]\nrun = ["echo", "{VERSON}"]\n[params]\nVERSION = "1"', 1, 'nothing supplies {VERSON}'),
        ('[proto."b::[env]"]\nrun = "x {evn}"', 1, 'nothing supplies {evn}'),
        ('[params]\nV = "1"\n[proc.a]\nrun = "eval {V}"', 4, '{V} cannot be put where it stands'),
        ('[params]\nV = "1"\n[proc.a]\nrun = """\ncat <<{V}\nEOF\n"""', 4, 'hint: hand it over in the environment'),
        ('[pro.a]\nrun = "x"', 1, 'unknown key "pro"\nhint: did you mean'),
        ('a = [1,\nb', 2, ''),
        ('[proc.a]\nrun = "x"\narg_choices.env = ["a"]', 3, 'cannot have arg_choices'),
        ('[options]\nparalel = 3', None, 'unknown option "paralel"\nhint: did you mean parallel?'),
        ('[proc.a]\nrun = "x"\n[proc.b]\ndeps = ["c"]', None, 'dependency "c" of "b" is not declared'),
        ('include = ["nowhere.toml"]', None, 'included file not found: nowhere.toml'),
    ],
)
def test_a_mistake_is_pointed_at(project: Project, text: str, line: int | None, message: str) -> None:
    project.write('parproc.toml', text)
    ran = project.run('b' if 'proc.b' in text else 'a')
    assert ran.code == 2 and not ran.out
    assert message in ran.err and 'Traceback' not in ran.err
    if line is not None:
        assert f'parproc.toml:{line}: ' in ran.err, ran.err


def test_every_way_a_command_ends_is_told(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        [proc.two]
        run = "echo said; exit 2"
        [proc.killed]
        run = "kill -SEGV $$"
        [proc.gone]
        run = ["no-such-program", "x"]
        [proc.folder]
        run = ["/"]
        [proc.steps]
        run = [["echo", "one"], "echo two; false", ["echo", "never"]]
        [proc.nowhere]
        run = "pwd"
        cwd = "nowhere"
        [proc.late]
        run = ["sleep", "60"]
        timeout = 0.2
        [proc.good]
        run = "echo fine"
        """,
    )
    ran = project.run('*')
    assert ran.code == 1
    found = dict(re.findall(r'✗ (\w+) +FAILED  (.*?)  \d', ran.err))
    assert found == {
        'two': 'exit 2',
        'killed': 'killed by SIGSEGV',
        'gone': 'command not found: no-such-program',
        'folder': 'command may not be executed: /',
        'steps': 'exit 1',
        'nowhere': found['nowhere'],
        'late': 'timed out after 0.2 s',
    }
    assert 'nowhere' in found['nowhere']
    assert log(project, 'steps') == 'one\ntwo\n'
    assert project.run('--mode', 'single', 'steps', 'killed').code == 1
    assert project.run('two').out == 'said\n'


def test_commands_get_the_environment_and_no_input(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        [proc.show]
        run = "cat; echo $PARPROC_NAME $PARPROC_ATTEMPT $PYTHONUNBUFFERED $OWN; ls /proc/self/fd | wc -l"
        env = {OWN = "mine"}
        [proc.path]
        run = ["tool"]
        env = {PATH = "BIN:/usr/bin:/bin"}
        """.replace('BIN', str(project.folder / 'bin')),
    )
    tool = project.write('bin/tool', '#!/bin/sh\necho the tool\n')
    tool.chmod(0o755)
    assert project.run('show').out == 'show 1 1 mine\n4\n'
    assert project.run('path').out == 'the tool\n'


def test_a_retried_command_has_a_section_for_each_attempt(project: Project) -> None:
    project.write(
        'parproc.toml',
        """
        [proc.third]
        run = ["true", "echo again; test -e b || { test -e a && touch b; touch a; exit 1; }"]
        retries = 3
        retry_delay = 0.01
        """.replace('["true", ', '[["true"], '),
    )
    ran = project.run('third')
    assert ran.code == 0, ran.err
    assert log(project, 'third') == 'again\n--- attempt 2 of 4 ---\nagain\n--- attempt 3 of 4 ---\nagain\n'


def test_ctrl_c_stops_commands_too(project: Project) -> None:
    project.write('parproc.toml', '[proc.slow]\nrun = "echo $$ > pid; sleep 90"\n')
    process = project.start('slow')
    pid = project.folder / 'pid'
    while not (pid.exists() and pid.read_text()):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT


def test_print_and_init_refuse_what_they_cannot_do(project: Project) -> None:
    project.write('parproc.toml', '[proc.a]\nrun = "x"\n')
    assert project.run('--print', 'b', 'a').code == 2
    ran = project.run('--init')
    assert ran.code == 0 and 'tasks.py is written' in ran.err
    assert project.run('--init').code == 2
    (project.folder / 'parproc.toml').unlink()
    assert project.run('all').code == 0
    assert 'greet::[language]' in project.run('-l').out


def test_a_command_sees_no_descriptor_that_parproc_itself_was_given(project: Project) -> None:
    project.write('parproc.toml', '[proc.show]\nrun = "ls /proc/self/fd | wc -l"\n')
    done = subprocess.run(
        ['bash', '-c', f'exec 7</etc/passwd; exec {sys.executable} -m parproc show'],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == '4'
