"""What may reach a screen: of everything that came from a task, a name or an exception, only text and colour."""

from __future__ import annotations

import re

RESET = '\x1b[0m'
_COLOUR = re.compile(r'\x1b\[[0-9;:]*m')
_SEQUENCE = re.compile(
    r'\x1b\[[0-?]*[ -/]*[@-~]'  # CSI: colour is told apart below
    r'|\x9b[0-?]*[ -/]*[@-~]'  # the same, introduced by one C1 character
    r'|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?'  # OSC, DCS, SOS, PM, APC
    r'|\x1b[ -/]*[0-~]'  # other escapes
    r'|[\x00-\x08\x0b-\x1f\x7f-\x9f]'  # what is left of C0 and C1 but tab and newline
    r'|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]'  # what reorders or breaks lines
    r'|[\ud800-\udfff]'  # undecodable bytes
)


def plain_text(text: str) -> str:
    """Return one line of ``text`` that shows what it says: control characters as escapes, nothing acting."""
    return _SEQUENCE.sub(_spelled, text).replace('\n', '\\n').replace('\t', ' ')


def clean_line(line: str, *, colour: bool) -> str:
    """Return a line of task output that can do nothing but be read.

    Args:
        line: without its newline. Of a line that was rewritten with carriage returns, the last state counts.
        colour: keep colour sequences, and end them with the line.
    """
    if '\r' in line:
        line = next((part for part in reversed(line.split('\r')) if part.strip()), '')
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
    return ascii(found[0])[1:-1]
