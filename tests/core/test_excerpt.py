"""Which lines of a log are shown under a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parproc.core.excerpt import relevant_part

NOISE = [f'step {number} of the work' for number in range(40)]

TRACEBACK = """\
Traceback (most recent call last):
  File "tasks.py", line 3, in build
    compile(source)

    ~~~^^^
ValueError: first line
second line of the message"""

CHAINED = """\
Traceback (most recent call last):
  File "tasks.py", line 3, in build
    {}['x']
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "tasks.py", line 5, in build
    raise RuntimeError
RuntimeError"""

GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "tasks.py", line 3, in build
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------"""

SYNTAX = """\
  File "broken.py", line 1
    def f(:
          ^
SyntaxError: invalid syntax"""

GCC = """\
In file included from main.c:1:
main.c: In function 'main':
main.c:3:5: error: 'x' undeclared (first use in this function)
    3 |     x = 1;
      |     ^
main.c:3:5: note: each undeclared identifier is reported only once"""

RUSTC = """\
error[E0425]: cannot find value `x` in this scope
 --> src/main.rs:2:5
  |
2 |     x;
  |     ^ not found in this scope"""

TSC = "src/a.ts(3,5): error TS2304: Cannot find name 'x'."
TSC_PRETTY = "src/a.ts:3:5 - error TS2304: Cannot find name 'x'."
LINKER = 'main.o: undefined reference to `missing`'
GO_BUILD = './main.go:4:2: undefined: x'

PYTEST = """\
=================================== FAILURES ===================================
____________________________________ test_a ____________________________________

    def test_a():
>       assert 1 == 2
E       assert 1 == 2

test_a.py:2: AssertionError
=========================== short test summary info ============================
FAILED test_a.py::test_a - assert 1 == 2
========================= 1 failed, 3 passed in 0.02s =========================="""

UNITTEST = """\
FAIL: test_a (test_a.Tests.test_a)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_a.py", line 5, in test_a
    self.assertEqual(1, 2)
AssertionError: 1 != 2"""

GO_TEST = """\
--- FAIL: TestAdd (0.00s)
    add_test.go:8: got 3, want 4"""

NODE = """\
TypeError: Cannot read properties of undefined (reading 'x')
    at build (/site/build.js:3:9)
    at main (/site/build.js:9:1)"""

JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: closed
\tat app.Main.run(Main.java:7)
Caused by: java.io.IOException: gone
\t... 3 more"""


@pytest.mark.parametrize(
    'block',
    [
        *(TRACEBACK, CHAINED, GROUP, SYNTAX, GCC, RUSTC, TSC, TSC_PRETTY, LINKER, GO_BUILD),
        *(PYTEST, UNITTEST, GO_TEST, NODE, JAVA),
    ],
)
def test_the_whole_error_of_a_tool_is_shown_and_nothing_else(block: str) -> None:
    text = '\n'.join([*NOISE, 'warning: something else', '', block, '', *NOISE])
    assert [line for line in relevant_part(text) if line] == [line for line in block.split('\n') if line]


def test_errors_far_apart_are_set_off_by_a_gap() -> None:
    text = '\n'.join([TSC, *NOISE, LINKER])
    assert relevant_part(text) == [TSC, '...', LINKER]


def test_a_word_is_shown_with_two_lines_around() -> None:
    text = '\n'.join([*NOISE[:10], 'Some ERROR here', *NOISE[10:20], 'an Exception', *NOISE[20:]])
    assert relevant_part(text) == [
        *NOISE[8:10],
        'Some ERROR here',
        *NOISE[10:12],
        '...',
        *NOISE[18:20],
        'an Exception',
        *NOISE[20:22],
    ]


def test_only_whole_words_count() -> None:
    text = '\n'.join(['terrorist, errors_seen, warnings', *NOISE])
    assert relevant_part(text) == NOISE[-16:]


def test_else_the_end_is_shown() -> None:
    assert relevant_part('\n'.join(NOISE) + '\n\n') == NOISE[-16:]


def test_an_empty_log_has_no_such_part() -> None:
    assert relevant_part('') == relevant_part('\n \n') == []


def test_the_last_attempt_counts() -> None:
    text = f'{TRACEBACK}\n--- attempt 2 of 2 ---\nsecond try\n'
    assert relevant_part(text) == ['second try']
    assert relevant_part('quiet\n--- attempt 2 of 2 ---\nagain\n') == ['again']


def test_colours_do_not_hide_an_error_and_are_kept_when_wanted() -> None:
    line = '\x1b[1mmain.c:3:5:\x1b[0m \x1b[31merror:\x1b[0m bad\x1b[2K'
    text = '\n'.join([*NOISE, line, *NOISE])
    assert relevant_part(text) == ['main.c:3:5: error: bad']
    assert relevant_part(text, colour=True) == [line.removesuffix('\x1b[2K') + '\x1b[0m']


def test_a_progress_bar_shows_its_last_state() -> None:
    assert relevant_part('1%\r50%\r99%\nstopped\n') == ['99%', 'stopped']


@given(st.text() | st.lists(st.sampled_from([TRACEBACK, GCC, PYTEST, 'error', 'x' * 5000, '', 'E   a'])).map('\n'.join))
def test_what_is_shown_is_bounded_and_clean(text: str) -> None:
    lines = relevant_part(text * 3)
    assert len(lines) <= 130
    assert all(len(line) <= 210 and '\n' not in line and '\x1b' not in line for line in lines)
