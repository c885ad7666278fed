"""What a mode means is said for each value that the option ``mode`` may have."""

from __future__ import annotations

from parproc.declare.option_choices import MODES
from parproc.declare.run_mode import RUN_MODES


def test_each_mode_that_can_be_chosen_has_a_meaning() -> None:
    assert tuple(RUN_MODES) == MODES
