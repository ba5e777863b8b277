"""How many workers `auto` means: the processors that this process may really use.

A container on a big machine sees all its cores in os.cpu_count(); what counts is the affinity mask
and the control group's quota, also that of the groups around it.
"""

from __future__ import annotations

import math
import os

from canter.supervisor.cgroups import OURS, ROOT, group_path, read


def count_processors(proc: str = OURS, root: str = ROOT) -> int:
    """The number of processors to use, at least 1."""
    count = float(_affinity())
    for quota in (_quota_v2(proc, root), _quota_v1(proc, root)):
        if quota is not None:
            count = min(count, quota)
    # A quota of 1.5 keeps two workers busy, though not all the time.
    return max(1, math.ceil(count))


def parse_cpu_max(text: str) -> float | None:
    """Processors granted by a `cpu.max` ("QUOTA PERIOD", or "max PERIOD"); None = no limit."""
    quota, _, period = text.strip().partition(" ")
    if quota == "max":
        return None
    return _share(quota, period or "100000")


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota_v2(proc: str, root: str) -> float | None:
    """The smallest quota from our group up to the root."""
    path = group_path(proc, "")
    if path is None:
        return None
    quotas = []
    while True:
        text = read(os.path.join(root, path.strip("/"), "cpu.max"))
        quota = parse_cpu_max(text) if text else None
        if quota is not None:
            quotas.append(quota)
        if path in {"", "/"}:
            return min(quotas, default=None)
        path = os.path.dirname(path)


def _quota_v1(proc: str, root: str) -> float | None:
    path = group_path(proc, "cpu")
    if path is None:
        return None
    # Inside a container the group's own path is often not there, and the mount's root is it.
    for directory in (path.strip("/"), ""):
        base = os.path.join(root, "cpu", directory)
        quota = read(os.path.join(base, "cpu.cfs_quota_us"))
        if quota:
            return _share(quota, read(os.path.join(base, "cpu.cfs_period_us")))
    return None


def _share(quota: str, period: str) -> float | None:
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None
