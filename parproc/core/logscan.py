"""The part of a failed task's log that matters.

Tracebacks and errors of compilers and test tools are shown whole; without any, lines that speak of an error with two
lines around them; without any, the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parproc.core.screen import clean_line

MOST_LINES = 60
LAST_LINES = 16
AROUND = 2
LONGEST_LINE = 240
GAP = '…'

_TRACEBACK = re.compile(r'^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):')
_CHAINED = re.compile(r'^(?:During handling of the above exception|The above exception was the direct cause)')
_FATAL = re.compile(r'^(?:Fatal Python error:|thread .* panicked at|panic:|goroutine \d+ \[)')
_DIAGNOSTIC = re.compile(
    r'^(?:[^\s:][^:]*:\d+(?::\d+)?:? (?:fatal )?error\b'  # gcc, clang, mypy, go vet
    r'|[^\s(][^(]*\(\d+(?:,\d+)?\): error\b'  # tsc, msvc
    r'|error(?:\[E\d+\])?: '  # rustc, cargo
    r'|ld: |.*undefined reference to '
    r'|--- FAIL: |FAIL\t|FAILED .*::|E   )'
)
_CONTINUED = re.compile(r'^(?:\s+\S|\s*\d*\s*\||\s*-->|\^)')
_WORD = re.compile(r'\b(?:error|errors|warning|exception)\b', re.IGNORECASE)


def relevant_part(text: str, *, colour: bool = False) -> list[str]:
    """Return the lines of a log that say why a task failed, cleaned for a screen.

    Args:
        text: the log, or its head and tail.
        colour: keep colour sequences.
    """
    raw = text.split('\n')
    while raw and not raw[-1].strip():
        raw.pop()
    plain = [clean_line(line, colour=False) for line in raw]
    chosen = _blocks(plain) or _around_words(plain)
    if not chosen:
        chosen = set(range(max(0, len(plain) - LAST_LINES), len(plain)))
    shown = sorted(chosen)[-MOST_LINES:]
    lines: list[str] = []
    previous = shown[0] - 1 if shown else 0
    for index in shown:
        if index != previous + 1:
            lines.append(GAP)
        source = raw[index] if len(raw[index]) <= LONGEST_LINE else plain[index]
        lines.append(_bounded(clean_line(source, colour=colour)))
        previous = index
    return lines


def _blocks(lines: Sequence[str]) -> set[int]:
    chosen: set[int] = set()
    index = 0
    while index < len(lines):
        line = lines[index]
        if _TRACEBACK.match(line) or _FATAL.match(line):
            end = _end_of_traceback(lines, index)
        elif _DIAGNOSTIC.match(line):
            end = _end_of_diagnostic(lines, index)
        else:
            index += 1
            continue
        chosen.update(range(index, end))
        index = end
    return chosen


def _end_of_traceback(lines: Sequence[str], start: int) -> int:
    """Return the index after a traceback: its indented frames, and the message, with the lines a message may have."""
    index = start + 1
    indent = len(lines[start]) - len(lines[start].lstrip())
    while index < len(lines) and (not lines[index].strip() or lines[index][indent : indent + 1] in {' ', '|', '+'}):
        index += 1
    index += 1
    while index < len(lines) and lines[index].strip() and not _TRACEBACK.match(lines[index]):
        index += 1
    following = index + 1
    if following < len(lines) and _CHAINED.match(lines[following]):
        return following + 1
    return min(index, len(lines))


def _end_of_diagnostic(lines: Sequence[str], start: int) -> int:
    index = start + 1
    while index < len(lines) and _CONTINUED.match(lines[index]):
        index += 1
    return index


def _around_words(lines: Sequence[str]) -> set[int]:
    chosen: set[int] = set()
    for index, line in enumerate(lines):
        if _WORD.search(line):
            chosen.update(range(max(0, index - AROUND), min(len(lines), index + AROUND + 1)))
    return chosen


def _bounded(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + GAP
