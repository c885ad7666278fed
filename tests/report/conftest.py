"""Reporters that write into files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.teller import Both


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[..., Both]]:
    with contextlib.ExitStack() as stack:

        def make(*arguments: Any, **options: Any) -> Both:
            both = Both(tmp_path, *arguments, **options)
            stack.callback(both.close)
            return both

        yield make
