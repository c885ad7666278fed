"""How far a run is, on the terminal's tab or the taskbar: OSC 9;4, where it is known to mean that."""

from __future__ import annotations

import re
from collections.abc import Mapping

from parproc.core.view import RunView

SINCE = {'ghostty': (1, 2), 'WezTerm': (20250209,), 'iTerm.app': (3, 6, 6)}
"""Terminals by TERM_PROGRAM, and the version from which the sequence is progress and not a notification."""

CLEAR = '\x1b]9;4;0;\x1b\\'
GOING, FAILING = 1, 2


class Taskbar:
    """Says how far a run is, whenever that has changed.

    Args:
        environ: tells which terminal it is.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._known = _takes_progress(environ)
        self._shown = ''

    def update(self, view: RunView) -> str:
        """Return what to write, '' when nothing has changed or the terminal would not understand."""
        if not self._known or not view.total:
            return ''
        state = FAILING if view.failures else GOING
        text = f'\x1b]9;4;{state};{100 * view.done // view.total}\x1b\\'
        if text == self._shown:
            return ''
        self._shown = text
        return text

    def at_end(self) -> str:
        """Return what to write when it is not known whether anything was shown."""
        return CLEAR if self._known else ''

    def clear(self) -> str:
        """Return what to write when the run is over, or the board is taken away."""
        shown, self._shown = self._shown, ''
        return CLEAR if shown else ''


def _takes_progress(environ: Mapping[str, str]) -> bool:
    if environ.get('TMUX') or environ.get('STY'):
        return False
    if environ.get('WT_SESSION') or environ.get('ConEmuANSI') == 'ON':
        return True
    since = SINCE.get(environ.get('TERM_PROGRAM', ''))
    numbers = re.findall(r'\d+', environ.get('TERM_PROGRAM_VERSION', ''))
    return since is not None and tuple(map(int, numbers[:3])) >= since
