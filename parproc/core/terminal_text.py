"""What may reach a screen: of everything that came from a task, a name or an exception, only text and colour."""

from __future__ import annotations

import re

RESET = '\x1b[0m'
_CONTROLS = '\x00-\x08\x0b-\x1f\x7f-\x9f'
_REORDERING = '\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029'
_UNDECODABLE = '\ud800-\udfff'
_SUSPECT = re.compile(f'[\n{_CONTROLS}{_REORDERING}{_UNDECODABLE}]')
_COLOUR = re.compile(r'\x1b\[[0-9;:]*m')
_SEQUENCE = re.compile(
    r'\x1b\[[0-?]*[ -/]*[@-~]'  # CSI: colour is told apart below
    r'|\x9b[0-?]*[ -/]*[@-~]'  # the same, introduced by one C1 character
    r'|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?'  # OSC, DCS, SOS, PM, APC
    r'|\x1b[ -/]*[0-~]'  # other escapes
    f'|[{_CONTROLS}]'  # what is left of C0 and C1 but tab and newline
    f'|[{_REORDERING}]'
    f'|[{_UNDECODABLE}]'
)


def plain_text(text: str) -> str:
    """Return ``text`` as one line that shows what it says: control characters as escapes, nothing acting."""
    if not _SUSPECT.search(text):
        return text.replace('\t', ' ')
    return _SEQUENCE.sub(_spelled, text).replace('\n', '\\n').replace('\t', ' ')


def last_state(line: str) -> str:
    """Return what a line says in the end, when it was rewritten with carriage returns."""
    if '\r' not in line:
        return line
    return next((part for part in reversed(line.split('\r')) if part.strip()), '')


def clean_line(line: str, *, colour: bool) -> str:
    """Return a line of task output that can do nothing but be read.

    Args:
        line: without its newline. Of a line that was rewritten with carriage returns, the last state counts.
        colour: keep colour sequences, and end them with the line.
    """
    line = last_state(line)
    if not _SUSPECT.search(line):
        return line
    coloured = False

    def replace(found: re.Match[str]) -> str:
        nonlocal coloured
        if _COLOUR.fullmatch(found[0]):
            coloured = colour
            return found[0] if colour else ''
        return '' if len(found[0]) > 1 else _spelled(found)

    cleaned = _SEQUENCE.sub(replace, line.replace('\n', ' '))
    return cleaned + RESET if coloured else cleaned


def _spelled(found: re.Match[str]) -> str:
    return ''.join(
        f'\\x{ord(char) - 0xDC00:02x}' if '\udc80' <= char <= '\udcff' else ascii(char)[1:-1] for char in found[0]
    )
