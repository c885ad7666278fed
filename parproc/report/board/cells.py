"""Text measured in the columns of a terminal."""

from __future__ import annotations

import re

from rich.cells import cell_len

from parproc.report.style import SIMPLE

FLAGS = {0x1F1E6 + index: chr(ord('A') + index) for index in range(26)}
_JOINING = re.compile('[\u00ad\u200b-\u200d\u2060-\u2064\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef]')


def steady(text: str, *, unicode: bool) -> str:
    """Return ``text`` without what terminals draw at different widths: joiners, variants, skin tones, flags.

    Args:
        text: one cleaned line.
        unicode: False where only ASCII can be shown: signs are simpler then and the rest is escaped.
    """
    if text.isascii():
        return text
    if not unicode:
        return text.translate(SIMPLE).encode('ascii', 'backslashreplace').decode('ascii')
    return _JOINING.sub('', text).translate(FLAGS)


def fit(text: str, columns: int, more: str) -> str:
    """Return as much of ``text`` as ``columns`` hold; where it is cut, it ends in ``more``."""
    if cell_len(text) <= columns:
        return text
    used, kept = len(more), []
    for char in text:
        used += cell_len(char)
        if used > columns:
            break
        kept.append(char)
    return ''.join(kept) + more[:columns]
