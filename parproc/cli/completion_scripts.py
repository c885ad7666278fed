"""The completion scripts, which are files of their own: where they are, installed or checked out."""

from __future__ import annotations

import os

SCRIPTS = {'bash': 'parproc.bash', 'zsh': 'parproc.zsh', 'fish': 'parproc.fish', 'powershell': 'parproc.ps1'}


def completion_script(shell: str) -> str:
    """Return the completion script for one of :data:`SCRIPTS`."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (package, os.path.dirname(package)):  # as installed, and as checked out
        path = os.path.join(folder, 'completions', SCRIPTS[shell])
        if os.path.exists(path):
            break
    with open(path, encoding='utf-8') as file:
        return file.read()
