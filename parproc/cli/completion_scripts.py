"""The completion scripts, which are files of their own: where they are, installed or checked out."""

from __future__ import annotations

import os

from parproc.cli.option_table import SHELLS

ENDINGS = {'powershell': 'ps1'}


def completion_script(shell: str) -> str | None:
    """Return the completion script for one of :data:`parproc.cli.option_table.SHELLS`; None for another shell."""
    if shell not in SHELLS:
        return None
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (package, os.path.dirname(package)):  # as installed, and as checked out
        path = os.path.join(folder, 'completions', f'parproc.{ENDINGS.get(shell, shell)}')
        if os.path.exists(path):
            break
    with open(path, encoding='utf-8') as file:
        return file.read()
