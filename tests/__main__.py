"""All checks, then all tests: ``python -m tests [ARGUMENTS OF PYTEST]``. Ends with pytest's closing line.

Both are procs of this project, under ``[tool.parproc]`` in ``pyproject.toml``, and parproc itself runs them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Run the checks at once, then the tests; return 1 when something failed."""
    parproc = (sys.executable, '-m', 'parproc', '-C', str(ROOT), f'python={sys.executable}')
    # the tests start parproc thousands of times, which must not compile it each time
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}
    results = [
        subprocess.run([*parproc, '-o', 'plain', 'checks'], check=False, env=environment),
        subprocess.run([*parproc, '-o', 'raw', 'tests', '--', *sys.argv[1:]], check=False, env=environment),
    ]
    return int(any(result.returncode for result in results))


if __name__ == '__main__':
    sys.exit(main())
