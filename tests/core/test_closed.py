"""Closed unions: what no branch handles is an error of ours, and says what it was."""

from __future__ import annotations

from typing import cast

import pytest

from parproc.core.closed import assert_never
from parproc.errors import InternalError


def test_a_value_that_no_branch_handles_is_named() -> None:
    with pytest.raises(InternalError, match="not handled: 'stray'"):
        assert_never(cast('object', 'stray'))  # type: ignore[arg-type]
