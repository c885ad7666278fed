"""Lengths of time as people write them."""

from __future__ import annotations

import math
import re

from parproc.core.plain_data import shown
from parproc.errors import UserError

_UNITS = {'ms': 0.001, 's': 1.0, 'm': 60.0, 'h': 3600.0, 'd': 86400.0}
_PART = re.compile(r'(\d+(?:\.\d+)?)(ms|s|m|h|d)')
_HINT = "write seconds, or text such as '30s', '5m', '1h30m'"


def parse_duration(value: object, what: str) -> float:
    """Return seconds.

    Args:
        value: seconds as a number, or text: ``'30s'``, ``'5m'``, ``'1h30m'``, ``'90'``.
        what: names the value in the error.

    Raises:
        UserError: when it is neither, or negative.

    Example:
        >>> parse_duration('1h30m', 'timeout')
        5400.0
    """
    seconds = _seconds(value)
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        raise UserError(f'{what} is not a length of time: {shown(value)}', hint=_HINT)
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    parts = _PART.findall(text)
    if parts and ''.join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return float(text)
    except ValueError:
        return None


def format_duration(seconds: float) -> str:
    """Return a length of time as short text: ``0.3s``, ``12s``, ``3m04s``, ``1h02m``."""
    if seconds < 9.95:
        return f'{seconds:.1f}s'
    whole = round(seconds)
    if whole < 60:
        return f'{whole}s'
    if whole < 3600:
        return f'{whole // 60}m{whole % 60:02d}s'
    return f'{whole // 3600}h{whole % 3600 // 60:02d}m'
