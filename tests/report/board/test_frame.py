"""Frames of the board: goldens at fixed size and time, and what must hold at any."""

from __future__ import annotations

import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.model import SUCCESS, ErrorKind, failure
from parproc.core.view import Message, RunBegan, RunView, TaskProgressed
from parproc.report.board.frame import FrameInputs, draw, rows_shown
from parproc.report.style import Style

FAILURE = failure(ErrorKind.EXIT, 'exit 2')
NAMES = (
    'lint',
    'broken',
    'deploy',
    'build::dev',
    'build::prod',
    'docs 文档',
    'flaky',
    'a-name-that-is-longer',
    'later',
)
USUAL = {'build::prod': 100.0, 'build::dev': 10.0}
OUTPUTS = {
    'build::dev': 'gcc -c main.c -o main.o 编译 \U0001f469\u200d\U0001f4bb',
    'build::prod': '\x1b[31m50%\r\x1b[2J100% \x1b[1mdone\x1b[0m\r',
}


def style(*, colour: bool = False, encoding: str = 'utf-8') -> Style:
    return Style(io.TextIOWrapper(io.BytesIO(), encoding=encoding), colour=colour)


def scene(columns: int, lines: int = 24, left: float | None = 130.0) -> FrameInputs:
    return FrameInputs(columns, lines, OUTPUTS, USUAL.get, left)


def story() -> RunView:
    view = RunView()
    messages: list[Announcement | Message] = [
        RunBegan('id', NAMES, 'LOGS', 4, len(NAMES), 0.0),
        *(TaskWanted(name, 1.0, (), 0.0) for name in NAMES),
        TaskStarted('lint', 1, 0.0),
        TaskStarted('broken', 1, 0.0),
        TaskFinished('lint', SUCCESS, 1, 0.0, 1.0),
        TaskFinished('broken', FAILURE, 1, 0.0, 1.0),
        TaskStarted('deploy', 1, 1.0),
        TaskWaiting('deploy', ('build::prod', 'docs 文档', 'x', 'y', 'z'), 1.5),
        TaskStarted('build::dev', 1, 1.5),
        TaskStarted('build::prod', 1, 2.0),
        TaskStarted('docs 文档', 1, 2.0),
        TaskProgressed('docs 文档', 0.25, 'page 3', 3.0),
        TaskStarted('flaky', 1, 3.0),
        TaskRetrying('flaky', 1, FAILURE, 68.0, 4.0),
        TaskStarted('a-name-that-is-longer', 1, 60.0),
    ]
    for message in messages:
        view.take(message)
    return view


GOLDENS = {
    20: """\
2/9  1m05s
▶ build…  1m04s gcc…
▶ build…  1m03s 100…
▶ docs …  1m03s pag…
↻ flaky   1m02s att…
▶ a-nam…   5.0s
| deploy  1m04s wai…
""",
    40: """\
██░░░░░░░░  2/9  1 failed  1m05s
▶ build::dev    █████████░  1m04s gcc -…
▶ build::prod   ██████░░░░  1m03s 100% …
▶ docs 文档     ██░░░░░░░░  1m03s page 3
↻ flaky                     1m02s attem…
▶ a-name-that-…              5.0s
| deploy                    1m04s waits…
""",
    80: """\
████░░░░░░░░░░░░░░░░  2/9  1 failed  6 running  1 waiting  1m05s  ~2m10s left
▶ build::dev            █████████░  1m04s gcc -c main.c -o main.o 编译 👩💻
▶ build::prod           ██████░░░░  1m03s 100% done
▶ docs 文档             ██░░░░░░░░  1m03s page 3
↻ flaky                             1m02s attempt 1 failed, again in 3.0s
▶ a-name-that-is-longer              5.0s
| deploy                            1m04s waits for build::prod, docs 文档, x, …
""",
    120: """\
██████░░░░░░░░░░░░░░░░░░░░░░░░  2/9  1 failed  6 running  1 waiting  1m05s  ~2m10s left
▶ build::dev            █████████░  1m04s gcc -c main.c -o main.o 编译 👩💻
▶ build::prod           ██████░░░░  1m03s 100% done
▶ docs 文档             ██░░░░░░░░  1m03s page 3
↻ flaky                             1m02s attempt 1 failed, again in 3.0s
▶ a-name-that-is-longer              5.0s
| deploy                            1m04s waits for build::prod, docs 文档, x, 2 more
""",
    300: """\
████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  2/9  1 failed  6 running  1 waiting  1m05s  ~2m10s left
▶ build::dev            █████████░  1m04s gcc -c main.c -o main.o 编译 👩💻
▶ build::prod           ██████░░░░  1m03s 100% done
▶ docs 文档             ██░░░░░░░░  1m03s page 3
↻ flaky                             1m02s attempt 1 failed, again in 3.0s
▶ a-name-that-is-longer              5.0s
| deploy                            1m04s waits for build::prod, docs 文档, x, 2 more
""",
}


@pytest.mark.parametrize('columns', sorted(GOLDENS))
def test_a_frame_looks_like_this(columns: int) -> None:
    assert '\n'.join(draw(story(), 65.0, style(), scene(columns))) + '\n' == GOLDENS[columns]


def test_a_low_screen_counts_what_it_has_no_room_for() -> None:
    lines = draw(story(), 65.0, style(), scene(80, 10))
    assert [line[:13] for line in lines[1:]] == ['▶ build::dev ', '▶ build::prod', '  +4 more']


@pytest.mark.parametrize('height', range(1, 40))
def test_a_frame_and_an_empty_line_take_at_most_half_the_screen(height: int) -> None:
    assert len(draw(story(), 65.0, style(), scene(80, height))) <= max(1, height // 2 - 1)


def test_without_unicode_all_is_ascii_and_still_in_line() -> None:
    assert draw(story(), 65.0, style(encoding='ascii'), scene(60))[1:4] == [
        '> build::dev           #########-  1m04s gcc -c main.c -o ..',
        '> build::prod          ######----  1m03s 100% done',
        '> docs \\u6587\\u6863    ##--------  1m03s page 3',
    ]


def test_colour_adds_nothing_but_colour() -> None:
    coloured = draw(story(), 65.0, style(colour=True), scene(80))
    assert '\x1b[31m 1 failed\x1b[0m' in coloured[0]
    plain = [re.sub(r'\x1b\[[0-9;]*m', '', line).rstrip() for line in coloured]
    assert plain == draw(story(), 65.0, style(), scene(80))


def test_a_run_that_is_being_stopped_says_so() -> None:
    view = story()
    view.take(RunStopping('SIGINT', 1, 65.0))
    assert 'stopping: SIGINT' in draw(view, 65.0, style(), scene(120))[0]


def test_those_that_work_are_shown_before_those_that_wait() -> None:
    view = RunView()
    for number in range(50):
        view.take(TaskStarted(f'outer{number}', 1, 0.0))
        view.take(TaskWaiting(f'outer{number}', (f'inner{number}',), 0.0))
    view.take(TaskStarted('inner', 1, 1.0))
    assert next(name for name, _ in rows_shown(view, 12)) == 'inner'


def test_the_usual_time_never_fills_a_bar() -> None:
    view = RunView()
    view.take(TaskStarted('build::dev', 1, 0.0))
    assert '█████████░' in draw(view, 9_999.0, style(), scene(80))[1]


def test_five_hundred_at_once_are_drawn_in_under_ten_milliseconds() -> None:
    view = RunView()
    view.take(RunBegan('id', (), 'LOGS', 500, 100_000, 0.0))
    view.total = 100_000
    for number in range(500):
        view.take(TaskStarted(f'proc::{number}', 1, number / 100))
    spent = []
    for round_number in range(5):
        began = time.perf_counter()
        draw(view, 10.0 + round_number, style(colour=True), scene(200, 60))
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.010


ANYTHING = st.text(
    st.one_of(st.characters(), st.sampled_from('\x1b[]\r\n\t\x07\x9b\u202e\u200d\ufe0f文👍🏽🇩🇪é')), max_size=60
)
ALLOWED = re.compile(r'\x1b\[[0-9;:]*m')
ACTING = re.compile('[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


@given(
    st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING, st.sampled_from(['runs', 'waits', 'retries'])), max_size=8),
    st.integers(1, 300),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from(['utf-8', 'ascii']),
    st.floats(0, 1e9),
)
def test_no_line_is_wider_than_the_screen_or_does_more_than_colour(
    tasks: list[tuple[str, str, str, str]], columns: int, lines: int, colour: bool, encoding: str, now: float
) -> None:
    view = RunView()
    outputs = {}
    for name, output, message, what in tasks:
        view.take(TaskStarted(name, 1, 0.0))
        outputs[name] = output
        if what == 'waits':
            view.take(TaskWaiting(name, (message, output), 0.0))
        elif what == 'retries':
            view.take(TaskRetrying(name, 1, FAILURE, 2.0, 1.0))
        elif message:
            view.take(TaskProgressed(name, 0.5, message, 0.0))
    shown = FrameInputs(columns, lines, outputs, lambda name: len(name) * 10.0 or None, now)
    for line in draw(view, now, style(colour=colour, encoding=encoding), shown):
        text = ALLOWED.sub('', line)
        assert cell_len(text) <= columns
        assert colour or text == line
        assert not ACTING.search(text), ascii(text)
        assert encoding != 'ascii' or text.isascii()
