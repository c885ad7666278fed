"""Projects in a folder, run as their users run them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

DEADLINE = 60
ROOT = Path(__file__).parent.parent


@dataclass
class Result:
    code: int
    out: str
    err: str


@dataclass
class Project:
    """A folder with a task file."""

    folder: Path

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if (key == 'PARPROC_TEST_PORTABLE' or not key.startswith('PARPROC'))
            and key not in ('NO_COLOR', 'FORCE_COLOR', 'CI', 'GITHUB_ACTIONS')
        }
        cache = str(self.folder) + '-cache'
        return {'XDG_CACHE_HOME': cache, **kept, 'PYTHONPATH': str(ROOT), **more}

    def run(
        self, *arguments: str, cwd: str | Path | None = None, stdin: str | None = None, **environment: str
    ) -> Result:
        done = subprocess.run(
            [sys.executable, '-m', 'parproc', *arguments],
            cwd=cwd or self.folder,
            env=self.environment(**environment),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, '-m', 'parproc', *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def script(self, text: str) -> Result:
        path = self.write('script.py', text)
        done = subprocess.run(
            [sys.executable, str(path)],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
