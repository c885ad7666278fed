"""The bar that shows how far a run or a task is."""

from __future__ import annotations

from parproc.report.style import Style


def progress_bar(style: Style, fraction: float, columns: int) -> str:
    """Return a bar that is filled up to a fraction.

    Args:
        style: colours and signs.
        fraction: how far, from 0 to 1; what is below or above counts as that.
        columns: width.
    """
    full, empty = ('█', '░') if style.unicode else ('#', '-')
    filled = int(max(0.0, min(1.0, fraction)) * columns)
    done = style.paint(full * filled, 'green') if filled else ''
    rest = style.paint(empty * (columns - filled), 'dim') if filled < columns else ''
    return done + rest
