"""Output for GitHub's runner: whole transcripts at fixed times, and commands counted as the runner would."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from parproc.core.events import TaskFinished, TaskStarted, TaskWanted
from parproc.core.model import ErrorKind, Location, Outcome, ProcState, failure
from parproc.core.view import RunEnded, RunWarned
from parproc.report.files.step_summary import LARGEST_BYTES
from parproc.report.lines.github import GithubReporter
from tests.report.teller import FAILURE, Both, ran, wanted


def runner(text: str) -> list[tuple[str, str]]:
    """The commands that GitHub's runner would obey, and their data."""
    obeyed, stopped = [], ''
    for line in text.splitlines():
        found = re.match(r'\s*::([\w-]+)([^:]*)::(.*)', line)
        if stopped:
            if line.strip() == f'::{stopped}::':
                stopped = ''
        elif found is not None:
            obeyed.append((found[1], found[2].strip() + '|' + found[3]))
            if found[1] == 'stop-commands':
                stopped = found[3]
    assert not stopped
    return obeyed


@pytest.fixture
def make(told: Callable[..., Both], tmp_path: Path) -> Callable[[], Both]:
    return lambda: told(partial(GithubReporter, summary_path=f'{tmp_path}/summary.md', home=str(tmp_path)))


def test_a_run_reads_as_this(make: Callable[[], Both]) -> None:
    both = make()
    both.log('lint', 'one\ntwo\n')
    both.log('build', 'compiling\nsource/main.c:3:5: error: no such thing\n')
    text = both.tell(
        *wanted('lint', 'empty', 'build', 'ship'),
        *ran('lint'),
        *ran('empty'),
        RunWarned('odd'),
        *ran('build', FAILURE, end=2.0),
        TaskFinished('ship', failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: build'), 0, None, 2.0),
        RunEnded(1, 3.0),
    )
    assert re.sub(r'::[0-9a-f]{32}', '::TOKEN', text) == (
        '::group::✓ lint   1.0s\n'
        'one\n'
        'two\n'
        '::endgroup::\n'
        '✓ empty  1.0s\n'
        'warning: odd\n'
        '✗ build  FAILED  exit 2  2.0s\n'
        'compiling\n'
        'source/main.c:3:5: error: no such thing\n'
        '- ship   not run  dependency failed: build\n'
        '\n'
        '::stop-commands::TOKEN\n'
        '✗ build  FAILED  exit 2  2.0s\n'
        '    source/main.c:3:5: error: no such thing\n'
        '::TOKEN::\n'
        '::error title=build failed::exit 2\n'
        '\n'
        '2 succeeded, 1 failed, 1 not run because a dependency failed in 3.0s\n'
    )


def test_what_a_task_says_to_github_works_once_and_cannot_close_groups(make: Callable[[], Both]) -> None:
    both = make()
    said = '::error file=a.py::mine\n::add-mask::secret\n::group::x\n  ::endgroup::\n##[endgroup]\n::stop-commands::t\nx ##[endgroup]\n'
    both.log('good', said)
    both.log('bad', said + 'Error: it broke\n')
    text = both.tell(*wanted('good', 'bad'), *ran('good'), *ran('bad', FAILURE), RunEnded(1, 3.0))
    kinds = [kind for kind, _ in runner(text)]
    assert kinds == [
        *('group', 'error', 'add-mask', 'endgroup'),
        *('error', 'add-mask'),
        *('stop-commands', 'error'),
    ]
    assert '##[' not in text


def test_a_place_is_relative_to_the_repository_and_escaped(
    make: Callable[[], Both], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    both = make()
    both.log('gcc', 'in,side.c:7:1: error: what\n')
    inside = Location(f'{tmp_path}/src/tasks.py', 12)
    outside = Location('/usr/lib/python3/json.py', 5)
    outcomes = {
        'in': Outcome(ProcState.FAILED, ErrorKind.EXCEPTION, 'ValueError: 100%\nmore', location=inside),
        'out': Outcome(ProcState.FAILED, ErrorKind.EXCEPTION, 'ValueError: x', location=outside),
        'gcc': FAILURE,
    }
    text = both.tell(
        *wanted(*outcomes), *(message for name in outcomes for message in ran(name, outcomes[name])), RunEnded(1, 1.0)
    )
    assert [data for kind, data in runner(text) if kind == 'error'] == [
        'file=src/tasks.py,line=12,title=in failed|ValueError: 100%25\\nmore',
        'title=out failed|ValueError: x',
        'file=in%2Cside.c,line=7,title=gcc failed|exit 2',
    ]


@pytest.mark.parametrize(
    ('log', 'place'),
    [
        ('src/a.ts(4,2): error TS2304: no name\n', 'file=src/a.ts,line=4'),
        ('error[E0308]: mismatched\n --> src/main.rs:7:5\n', 'file=src/main.rs,line=7'),
        ('cmd/main.go:9:2: undefined: x\n', 'file=cmd/main.go,line=9'),
        (
            (
                'Traceback (most recent call last):\n  File "test.py", line 3, in <module>\n    f()\n'
                '  File "/usr/lib/json.py", line 5, in f\n    g()\nValueError: x\n'
            ),
            'file=test.py,line=3',
        ),
    ],
)
def test_the_place_is_read_as_compilers_and_tracebacks_write_it(
    make: Callable[[], Both], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    both = make()
    both.log('a', log)
    text = both.tell(*wanted('a'), *ran('a', FAILURE), RunEnded(1, 1.0))
    assert [data for kind, data in runner(text) if kind == 'error'] == [f'{place},title=a failed|exit 2']


def test_a_name_cannot_close_a_group(make: Callable[[], Both]) -> None:
    text = make().tell(*wanted('##[endgroup]'), *ran('##[endgroup]', FAILURE), RunEnded(1, 1.0))
    assert '##[' not in text


def test_of_many_failures_nine_are_marked_and_the_others_counted(make: Callable[[], Both]) -> None:
    both = make()
    names = [f'p{number}' for number in range(25)]
    text = both.tell(*wanted(*names), *(message for name in names for message in ran(name, FAILURE)), RunEnded(1, 1.0))
    errors = [data for kind, data in runner(text) if kind == 'error']
    assert len(errors) == 9 and '\nand 16 more failed\n' in text


def test_the_summary_has_a_table_failures_and_the_graph(make: Callable[[], Both], tmp_path: Path) -> None:
    (tmp_path / 'summary.md').write_text('# before\n')
    both = make()
    both.log('b|d', 'error: ```\n')
    both.tell(
        *wanted('a'),
        TaskWanted('b|d', 1.0, ('a',), 0.0),
        *ran('a'),
        TaskStarted('b|d', 1, 1.0),
        TaskFinished('b|d', failure(ErrorKind.EXIT, '<img> | [x](y)'), 1, 1.0, 2.0),
        RunEnded(1, 3.0),
    )
    text = (tmp_path / 'summary.md').read_text()
    assert text.startswith('# before\n### parproc: 1 succeeded, 1 failed in 3.0s\n')
    rows = [line for line in text.splitlines() if line.startswith('|')]
    assert rows[2].startswith('| <code>b&#124;d</code> | ❌ failed | 1.0s | &lt;img&gt; &#124; ')
    assert '````text\nerror: ```\n````' in text
    assert '    n0["a"]' in text and '    n1["b#124;d"]' in text and '    n0 --> n1' in text


def test_the_summary_stays_below_what_github_takes(make: Callable[[], Both], tmp_path: Path) -> None:
    both = make()
    names = [f'p{number}-{"x" * 150}' for number in range(3000)]
    for name in names[:40]:
        both.log(name, 'error: é' + 'é' * 100_000 + '\n')
    long = failure(ErrorKind.EXIT, 'y' * 400)
    both.tell(*wanted(*names), *(message for name in names for message in ran(name, long)), RunEnded(1, 1.0))
    assert 1000 < (tmp_path / 'summary.md').stat().st_size < LARGEST_BYTES
