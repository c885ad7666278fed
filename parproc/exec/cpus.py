"""How many processors this process may use."""

from __future__ import annotations

import math
import os


def usable_cpus() -> int:
    """Return the processors that affinity and the cgroup's quota leave to this process; at least 1."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    return max(1, min(count, math.ceil(_quota())))


def _quota() -> float:
    quotas = [math.inf]
    try:
        with open('/sys/fs/cgroup/cpu.max') as file:
            quota, period = file.read().split()
            quotas.append(int(quota) / int(period) if quota != 'max' else math.inf)
    except (OSError, ValueError):
        pass
    try:
        with open('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') as file:
            quota_us = int(file.read())
        with open('/sys/fs/cgroup/cpu/cpu.cfs_period_us') as file:
            quotas.append(quota_us / int(file.read()) if quota_us > 0 else math.inf)
    except (OSError, ValueError):
        pass
    return min(quotas) if min(quotas) != math.inf else os.cpu_count() or 1
