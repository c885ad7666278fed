"""Every way to show a run, through the whole program: what stands on standard output, what on standard error."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import junitparser
import pytest

from tests.conftest import Project

PROJECT = """
    [proc.good]
    run = "echo one; echo two"
    [proc.bad]
    run = "echo before; echo 'main.c:3:5: error: no such thing'; exit 2"
    deps = ["good"]
    [proc.after]
    run = "echo never"
    deps = ["bad"]
    [proc.quiet]
    run = "true"
    deps = ["good"]
"""


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write('parproc.toml', PROJECT)
    return project


def plain(text: str, project: Project) -> str:
    """Without times, and what is only said where they are long, and with the place of the logs cut short."""
    text = re.sub(r'^(longest path|slowest): .*\n', '', text, flags=re.MULTILINE)
    text = re.sub(r'\S*/\.parproc/runs/\S*/logs', 'LOGS', text).replace(str(project.folder), 'FOLDER')
    return re.sub(r'\d+\.\ds', 'N s', text)


def test_plain_lines(tasks: Project) -> None:
    ran = tasks.run('-j1', 'after', 'good')
    assert (ran.code, ran.out) == (1, '')
    assert plain(ran.err, tasks) == (
        '▶ good\n'
        '✓ good   N s\n'
        '▶ bad\n'
        '✗ bad    FAILED  exit 2  N s\n'
        '    │ main.c:3:5: error: no such thing\n'
        '- after  not run  dependency failed: bad\n'
        '\n'
        '✗ bad    FAILED  exit 2  N s\n'
        '    log:   LOGS/bad.log\n'
        '    rerun: parproc bad\n'
        '\n'
        '1 succeeded, 1 failed, 1 not run because a dependency failed\n'
        'N s for N s of work\n'
        'logs: LOGS\n'
    )


def test_quiet_shows_failures_only(tasks: Project) -> None:
    assert tasks.run('-q', 'good', 'quiet').err == ''
    ran = tasks.run('-q', 'bad', PARPROC_OUTPUT='stream')
    assert ran.out == ''
    assert plain(ran.err, tasks) == (
        '✗ bad  FAILED  exit 2  N s\n    │ main.c:3:5: error: no such thing\n    log: LOGS/bad.log\n'
    )


def test_stream_has_every_line_under_its_name(tasks: Project) -> None:
    ran = tasks.run('-o', 'stream', 'bad')
    assert sorted(ran.out.splitlines()) == [
        'bad  | before',
        'bad  | main.c:3:5: error: no such thing',
        'good | one',
        'good | two',
    ]
    assert 'FAILED  exit 2' in ran.err


def test_group_has_each_output_whole_and_is_the_default_where_ci_is_set(tasks: Project) -> None:
    ran = tasks.run('-j1', 'bad', 'quiet', CI='true')
    assert plain(ran.out, tasks) == (
        '✓ good   N s\n'
        '    one\n'
        '    two\n'
        '✗ bad    FAILED  exit 2  N s\n'
        '    before\n'
        '    main.c:3:5: error: no such thing\n'
        '✓ quiet  N s\n'
    )
    assert tasks.run('-o', 'group', 'good', 'quiet').out.count('one') == 1


def test_json_is_events_from_a_header_to_the_result(tasks: Project) -> None:
    ran = tasks.run('-o', 'json', 'after')
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [events[0]['event'], events[0]['version'], events[0]['targets']] == ['header', 1, ['after']]
    assert (events[-1]['event'], events[-1]['exit_code']) == ('result', 1)
    finished = {event['name']: (event['state'], event['error']) for event in events if event['event'] == 'finished'}
    assert finished == {
        'good': ('succeeded', None),
        'bad': ('failed', 'exit'),
        'after': ('failed', 'dependency failed'),
    }
    assert ran.err == ''


def test_raw_adds_nothing_but_why_it_failed(tasks: Project) -> None:
    ran = tasks.run('bad', '--only')
    assert (ran.code, ran.out) == (1, 'before\nmain.c:3:5: error: no such thing\n')
    assert ran.err == 'parproc: bad failed: exit 2\n'


def test_inside_another_run_lines_are_plain(tasks: Project) -> None:
    ran = tasks.run('good', PARPROC_RUN_ID='outer', CI='true')
    assert '▶ good' in ran.err and ran.out == ''


def test_reports_are_written_where_the_user_is_also_of_a_failed_run(tasks: Project) -> None:
    (tasks.folder / 'deep').mkdir()
    ran = tasks.run(
        'after', 'quiet', '--junit', 'out.xml', '--trace', 'out.json', '--html', 'out.html', cwd=tasks.folder / 'deep'
    )
    assert ran.code == 1
    (suite,) = junitparser.JUnitXml.fromfile(str(tasks.folder / 'deep' / 'out.xml'))
    assert (suite.tests, suite.failures, suite.skipped) == (4, 1, 1)
    assert {case.name: case.is_passed for case in suite}['good']
    page = (tasks.folder / 'deep' / 'out.html').read_text()
    assert page.count('<tr class="') == 4 and '<pre>main.c:3:5: error: no such thing</pre>' in page
    trace = json.loads((tasks.folder / 'deep' / 'out.json').read_text())
    events = trace['traceEvents'] if isinstance(trace, dict) else trace
    assert {'good', 'bad', 'quiet'} <= {event['name'] for event in events if event['ph'] == 'X'}


def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(tasks: Project) -> None:
    for option in ('--junit', '--trace', '--html'):
        ran = tasks.run('good', option, 'parproc.toml/out')
        assert (ran.code, ran.out) == (2, '')
        assert 'parproc.toml/out' in ran.err and 'Traceback' not in ran.err


@pytest.mark.parametrize('output', ['raw', 'stream', 'group', 'json', 'plain'])
def test_nobody_reading_stops_the_run_quietly(project: Project, output: str) -> None:
    project.write(
        'parproc.toml',
        """
        [proc.talk]
        run = "while :; do echo line; done"
        timeout = 30
        [proc.short]
        run = "for n in 1 2 3 4 5 6 7 8 9; do echo $n; done"
        """,
    )
    stream = '2>&1' if output == 'plain' else '2>/dev/null'
    command = f'{sys.executable} -m parproc -o {output} short short talk {stream} | head -1; echo "${{PIPESTATUS[0]}}"'
    if output == 'raw':
        command = command.replace('short short ', '')
    done = subprocess.run(
        ['bash', '-c', command],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == '141', done.stdout
    assert 'Traceback' not in done.stdout + done.stderr


def test_nothing_that_a_task_says_acts_on_the_screen(project: Project) -> None:
    project.write(
        'tasks.py',
        r"""
        import parproc as pp
        EVIL = '\x1b]52;c;aGk=\x07\x1b]0;title\x07\x1b[2J\x9b2J\x1bP+q\x1b\\\u202egnp.exe [/foo] [red]x[/red] error'
        @pp.Proto('p::[n]', arg_choices={'n': ['a', 'b']})
        def p(context, n):
            print(EVIL)
            context.log(EVIL)
            raise ValueError(EVIL)
        """,
    )
    for output in ('plain', 'quiet', 'stream', 'group', 'json'):
        ran = project.run('-o', output, '--color', 'always', 'p::*')
        shown = re.sub(r'\x1b\[[0-9;]*m', '', ran.out + ran.err)
        assert not re.search(r'[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]', shown), (output, shown)
        assert '[/foo] [red]x[/red]' in shown


def test_lines_that_are_to_be_ignored_are_not_shown(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        pp.set_options(log_ignore=['^noise', pp.IgnoreLogIfSucceeded('chatter')])
        @pp.Proto('p::[n]', arg_choices={'n': ['good', 'bad']})
        def p(context, n):
            print('noise error'); print('chatter error'); print('word error')
            if n == 'bad':
                raise pp.ProcFailedError('done')
        """,
    )
    group = project.run('-o', 'group', '-j1', 'p::*')
    assert re.findall(r'^    (\w+) error', group.out, re.MULTILINE) == ['word', 'chatter', 'word']
    ran = project.run('p::*')
    assert 'noise' not in ran.err and ran.err.count('chatter error') == 1
    assert 'noise' not in project.run('-o', 'stream', 'p::*').out
    (log,) = sorted(project.folder.glob('.parproc/runs/*/logs/p.bad.log'))[-1:]
    assert log.read_text().startswith('noise error\n')
    project.write('tasks.py', "import parproc as pp\npp.set_options(log_ignore=['('])\n")
    ran = project.run('-l')
    assert ran.code == 2 and 'no regular expression' in ran.err


def test_a_proc_may_have_lines_of_its_own_that_are_not_shown(project: Project) -> None:
    project.write(
        'tasks.py',
        """
        import parproc as pp
        pp.set_options(log_ignore=['^noise'])
        @pp.Proto('p::[n]', arg_choices={'n': ['good', 'bad']}, log_ignore=['^hum', pp.IgnoreLogIfSucceeded('chatter')])
        def p(context, n):
            print('noise error'); print('hum error'); print('chatter error'); print('word error')
            if n == 'bad':
                raise pp.ProcFailedError('done')
        @pp.Proc()
        def other(context):
            print('noise error'); print('hum error'); print('chatter error')
        """,
    )
    (project.folder / 'parproc.toml').write_text(
        '[proc.command]\nrun = "echo hum error; echo buzz error"\nlog_ignore = ["buzz"]\n'
    )
    names = ('p::*', 'other', 'command')
    group = project.run('-o', 'group', '-j1', *names)
    shown = re.findall(r'^    (\w+) error', group.out, re.MULTILINE)
    assert sorted(shown) == sorted(['word', 'chatter', 'word', 'hum', 'chatter', 'hum'])
    stream = project.run('-o', 'stream', *names).out
    assert re.findall(r'^other +\| (\w+) error', stream, re.MULTILINE) == ['hum', 'chatter']
    assert re.findall(r'^p::bad +\| (\w+) error', stream, re.MULTILINE) == ['chatter', 'word']
    plain = project.run(*names).err
    assert 'hum' not in plain and plain.count('chatter error') == 1
    reports = ('--junit', 'junit.xml', '--html', 'page.html')
    github = project.run('-o', 'github', *reports, *names, GITHUB_STEP_SUMMARY=str(project.folder / 'summary.md')).out
    assert github.count('hum error') == 2 and 'buzz' not in github
    for report in ('junit.xml', 'page.html', 'summary.md'):
        text = (project.folder / report).read_text()
        assert 'chatter error' in text and 'hum error' not in text and 'noise error' not in text, report


def test_the_command_to_run_it_again_says_all_that_it_needs(tasks: Project) -> None:
    (tasks.folder / 'deep').mkdir()
    ran = tasks.run('-C', '..', 'bad', 'A=1 2', '--', 'x y', cwd=tasks.folder / 'deep')
    assert "    rerun: parproc -C .. 'A=1 2' bad -- 'x y'\n" in ran.err


def test_github_is_chosen_in_its_runner(tasks: Project) -> None:
    ran = tasks.run(
        'bad', 'quiet', GITHUB_ACTIONS='true', CI='true', GITHUB_STEP_SUMMARY=str(tasks.folder / 'summary.md')
    )
    assert ran.code == 1
    assert ran.out.count('::group::') == ran.out.count('::endgroup::') == 1
    assert '::error file=main.c,line=3,title=bad failed::exit 2\n' in ran.out
    assert '<code>bad</code>' in (tasks.folder / 'summary.md').read_text()


def test_a_task_files_options_choose_how_its_runs_are_shown(tasks: Project) -> None:
    tasks.write('parproc.toml', f'{PROJECT}\n    [options]\n    output = "json"\n')
    assert json.loads(tasks.run('good').out.splitlines()[0])['event'] == 'header'
    assert tasks.run('-o', 'raw', 'good').out == 'one\ntwo\n'
    assert tasks.run('-q', 'good').out == tasks.run('good', PARPROC_OUTPUT='quiet').out == ''


def test_a_way_of_showing_that_there_is_not_is_an_error(tasks: Project) -> None:
    tasks.write('parproc.toml', f'{PROJECT}\n    [options]\n    output = "plane"\n')
    ran = tasks.run('good')
    assert ran.code == 2
    assert 'option output must be one of auto, raw, live, plain' in ran.err and 'did you mean plain?' in ran.err
