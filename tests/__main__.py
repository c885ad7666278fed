"""All checks, then all tests: ``python -m tests [ARGUMENTS OF PYTEST]``. Ends with pytest's closing line.

Both are procs of this project, under ``[tool.parproc]`` in ``pyproject.toml``, and parproc itself runs them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Run the checks at once, then the tests; return 1 when something failed."""
    parproc = (sys.executable, '-m', 'parproc', '-C', str(ROOT), f'python={sys.executable}')
    results = [
        subprocess.run([*parproc, '-o', 'plain', 'checks'], check=False),
        subprocess.run([*parproc, '-o', 'raw', 'tests', '--', *sys.argv[1:]], check=False),
    ]
    return int(any(result.returncode for result in results))


if __name__ == '__main__':
    sys.exit(main())
