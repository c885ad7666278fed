"""The part of a failed task's log that matters.

Tracebacks and errors of compilers and test tools are shown whole; without any, lines that speak of an error with two
lines around them; without any, the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from parproc.core.terminal_text import clean_line, last_state

LAST_LINES = 16
AROUND_LINES = 2
FIRST_KEPT_LINES = 20
LAST_KEPT_LINES = 40
LONGEST_LINE_CHARACTERS = 200
LONGEST_READ_CHARACTERS = 10 * LONGEST_LINE_CHARACTERS
LONGEST_MESSAGE_LINES = 12
GAP = '...'

_ATTEMPT = re.compile(r'^--- attempt \d+ of \d+ ---$')
_HINT = re.compile(
    r'error|warning|exception|traceback|--- attempt|fail|panic|goroutine|undefined|file "|ld: |\.go:|not ok|^E   ',
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r'\b(?:error|warning|exception)\b', re.IGNORECASE)
_TRACEBACK = re.compile(
    r'^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):|^\s*File "[^"]+", line \d+'
)
_CHAINED = re.compile(r'^(?:During handling of the above exception|The above exception was the direct cause)')
_PANIC = re.compile(r'^(?:Fatal Python error: |thread .* panicked at|panic: |goroutine \d+ \[)')
_STACK = re.compile(r'^(?:Uncaught |Caused by: |Exception in thread ".*" )?[\w.$]*(?:Error|Exception)\b')
_FRAME = re.compile(r'^\s+at |^\s+\.\.\. \d+ more')
_TESTS = re.compile(r'^=+ (?:FAILURES|ERRORS) =+$')
_TESTS_OVER = re.compile(r'^=+ .*\bin \d[\d.]*s\b.* =+$')
_HEADLINE = re.compile(r'^(?:ERROR|FAIL): \w+')
_RULE = re.compile(r'^-{20,}$')
_DIAGNOSTIC = re.compile(
    r'^[^\s:][^:]*:\d+(?::\d+)?:? (?:- )?(?:fatal )?error\b'  # gcc, clang, mypy, tsc on a terminal
    r'|^[^\s(][^(]*\(\d+(?:,\d+)?\): error\b'  # tsc, msvc
    r'|^(?:\S+: )?(?:fatal )?error(?:\[E\d+\])?: '  # rustc, cargo, collect2
    r'|.*: undefined reference to |^(?:\S*/)?ld: '
    r'|^[^\s:]+\.go:\d+:\d+: '
    r'|^\s*--- FAIL: |^FAIL\t|^FAILED \S+::|^E   |^not ok \d'
)
_INTRODUCTION = re.compile(r'^(?:In file included from |\s+from )|: In (?:\w+ )*function |: At global scope:')
_CONTINUED = re.compile(r'^(?:\s+\S|\s*\d*\s*\||\s*-->|\^|[^\s:][^:]*:\d+(?::\d+)?: note: )')

End: TypeAlias = Callable[[Sequence[str], int], int]


def relevant_part(text: str, *, colour: bool = False, ignored: re.Pattern[str] | None = None) -> list[str]:
    """Return the lines of a log that say why a task failed, cleaned for a screen.

    Of a log with several attempts, the last one counts. At most some sixty lines come back.

    Args:
        text: the log, or its head and tail.
        colour: keep colour sequences.
        ignored: found in lines that are left out.
    """
    if ignored is not None:
        text = '\n'.join(line for line in text.split('\n') if not ignored.search(line))
    text = text.rstrip()
    if not text:
        return []
    raw = _last_attempt(text.split('\n')) if _HINT.search(text) else text.rsplit('\n', LAST_LINES)[-LAST_LINES:]
    plain = [clean_line(_readable(line), colour=False) for line in raw]
    chosen = _blocks(plain) or _around_words(plain) or range(max(0, len(plain) - LAST_LINES), len(plain))
    kept = sorted(chosen)
    if len(kept) > FIRST_KEPT_LINES + LAST_KEPT_LINES:
        kept = kept[:FIRST_KEPT_LINES] + kept[-LAST_KEPT_LINES:]
    lines: list[str] = []
    previous = kept[0] - 1 if kept else 0
    for index in kept:
        if index != previous + 1:
            lines.append(GAP)
        lines.append(_shown(raw[index], plain[index], colour=colour))
        previous = index
    return lines


def _last_attempt(lines: list[str]) -> list[str]:
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].startswith('--- attempt ') and _ATTEMPT.match(lines[index]):
            return lines[index + 1 :]
    return lines


def _readable(line: str) -> str:
    """Return what counts of a line, short enough to look at closely."""
    return last_state(line)[:LONGEST_READ_CHARACTERS]


def _shown(raw: str, plain: str, *, colour: bool) -> str:
    if len(plain) > LONGEST_LINE_CHARACTERS:
        return plain[:LONGEST_LINE_CHARACTERS] + GAP
    return clean_line(_readable(raw), colour=True) if colour else plain


def _blocks(lines: Sequence[str]) -> set[int]:
    """Return the indexes of all lines that belong to a traceback or to an error of a tool."""
    chosen: set[int] = set()
    index = 0
    while index < len(lines):
        end = next((end for start, end in _KINDS if start.match(lines[index])), None)
        if end is None:
            index += 1
            continue
        first, index = index, max(end(lines, index), index + 1)
        if end is _end_of_diagnostic:
            while first and _INTRODUCTION.search(lines[first - 1]):
                first -= 1
        chosen.update(range(first, min(index, len(lines))))
    return chosen


def _end_of_traceback(lines: Sequence[str], start: int) -> int:
    """Return the index after a traceback: its indented frames, and the message, with the lines a message may have."""
    index = start + 1
    if lines[start].lstrip().startswith('+'):
        while index < len(lines) and lines[index].lstrip().startswith(('|', '+')):
            index += 1
        return index
    indent = len(lines[start]) - len(lines[start].lstrip())
    while index < len(lines) and (not lines[index].strip() or lines[index][indent : indent + 1] == ' '):
        index += 1
    index = _end_of_paragraph(lines, index)
    following = index + 1
    if following < len(lines) and _CHAINED.match(lines[following]):
        return following + 2
    return index


def _end_of_paragraph(lines: Sequence[str], start: int) -> int:
    """Return the index after a message: up to a blank line, a new block, or more lines than a message has."""
    index = start + 1
    limit = min(len(lines), start + LONGEST_MESSAGE_LINES)
    while index < limit and lines[index].strip() and not any(begin.match(lines[index]) for begin, _ in _KINDS):
        index += 1
    return min(index, len(lines))


def _end_of_stack(lines: Sequence[str], start: int) -> int:
    """Return the index after the frames of a JavaScript or Java exception; ``start`` when it has none."""
    index = start + 1
    while index < len(lines) and _FRAME.match(lines[index]):
        index += 1
    return index


def _end_of_tests(lines: Sequence[str], start: int) -> int:
    for index in range(start + 1, len(lines)):
        if _TESTS_OVER.match(lines[index]):
            return index + 1
    return len(lines)


def _end_of_headline(lines: Sequence[str], start: int) -> int:
    """Return the index after a headline of unittest and its rule; its traceback follows by itself."""
    for index in range(start + 1, min(start + 4, len(lines))):
        if _RULE.match(lines[index]):
            return index + 1
    return start + 1


def _end_of_diagnostic(lines: Sequence[str], start: int) -> int:
    index = start + 1
    while index < len(lines) and _CONTINUED.match(lines[index]):
        index += 1
    return index


def _around_words(lines: Sequence[str]) -> set[int]:
    chosen: set[int] = set()
    for index, line in enumerate(lines):
        if _WORD.search(line):
            chosen.update(range(max(0, index - AROUND_LINES), min(len(lines), index + AROUND_LINES + 1)))
    return chosen


_KINDS: tuple[tuple[re.Pattern[str], End], ...] = (
    (_TESTS, _end_of_tests),
    (_TRACEBACK, _end_of_traceback),
    (_PANIC, _end_of_paragraph),
    (_HEADLINE, _end_of_headline),
    (_DIAGNOSTIC, _end_of_diagnostic),
    (_STACK, _end_of_stack),
)
