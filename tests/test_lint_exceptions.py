"""The exceptions from ruff's rules in pyproject.toml: each of them is for something that is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent


def test_every_exception_of_a_file_is_needed() -> None:
    settings = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['ruff']['lint']
    exceptions = {path: rules for path, rules in settings['per-file-ignores'].items() if path.startswith('parproc/')}
    everything = ['--config', 'lint.per-file-ignores={}', '--no-cache', '--exit-zero', '--output-format', 'json']
    asked = subprocess.run(
        [sys.executable, '-m', 'ruff', 'check', 'parproc', *everything],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = {(str(Path(one['filename']).relative_to(ROOT)), one['code']) for one in json.loads(asked.stdout)}
    assert found
    assert [(path, rule) for path, rules in exceptions.items() for rule in rules if (path, rule) not in found] == []
