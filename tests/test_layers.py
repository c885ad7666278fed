"""What may know what: the surface is what it says, the core is pure, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import parproc

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / 'parproc' / 'core').glob('*.py'))
PURE = {
    '__future__', 'bisect', 'collections', 'dataclasses', 'difflib', 'enum', 'functools', 'hashlib', 'heapq',
    'itertools', 'math', 'operator', 're', 'shlex', 'string', 'typing', 'unicodedata',
}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    """Modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path.name} imports relatively'
            assert node.module is not None
            yield node.module


@pytest.mark.parametrize('path', CORE, ids=lambda path: path.name)
def test_the_core_imports_nothing_that_acts(path: Path) -> None:
    foreign = {
        name
        for name in imported(path)
        if not name.startswith(('parproc.core', 'parproc.errors')) and name.split('.')[0] not in PURE
    }
    assert not foreign


def test_every_public_name_can_be_had_and_is_listed() -> None:
    assert [name for name in parproc.__all__ if not hasattr(parproc, name)] == []
    assert sorted(parproc.__all__) == sorted(parproc._HOMES)
    assert dir(parproc) == sorted(parproc.__all__)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match='nonsense'):
        _ = parproc.nonsense


@pytest.mark.parametrize(
    ('code', 'absent'),
    [
        ('import parproc', ['click', 'rich', 'sqlite3', 'asyncio', 'multiprocessing', 'parproc.session']),
        ('import parproc; parproc.Proc', ['click', 'rich', 'sqlite3', 'asyncio', 'multiprocessing', 'subprocess']),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str, absent: list[str]) -> None:
    report = f'{code}; import sys; print([name for name in {absent!r} if name in sys.modules])'
    done = subprocess.run([sys.executable, '-c', report], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
