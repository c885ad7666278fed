"""Whether a person types the program, piece by piece."""

from __future__ import annotations

import sys


def is_interactive() -> bool:
    """Return whether somebody types at Python, line by line or cell by cell, and goes on after what went wrong."""
    if hasattr(sys, 'ps1'):
        return True
    shell = sys.modules.get('IPython')
    return shell is not None and shell.get_ipython() is not None
