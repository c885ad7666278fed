"""All checks in turn: ``python -m tests``. Ends with pytest, whose closing line is the last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = (
    ('ruff', 'check', '.'),
    ('ruff', 'format', '--check', '.'),
    ('mypy',),
    ('importlinter.cli', 'lint'),
    ('pytest', '-q', *sys.argv[1:]),
)


def main() -> int:
    """Run every check; return 1 when one failed."""
    failed = []
    for name, *arguments in CHECKS:
        print(f'--- {name} {" ".join(arguments)}', flush=True)
        call = 'import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())'
        command = ['-c', call] if name == 'importlinter.cli' else ['-m', name, *arguments]
        if subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode:
            failed.append(name)
    if failed:
        print(f'failed: {", ".join(failed)}', file=sys.stderr)
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
