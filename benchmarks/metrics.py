"""What is measured: each quantity's key in the results, its heading with its unit, its good way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which of two readings is the better one."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured quantity; `heading` names the column, unit included, `title` the plot."""

    key: str
    heading: str
    title: str
    better: Better

    def ratio(self, reading: float, reference: float) -> float:
        """How many times better `reference` is: above 1 means that `reading` is the worse one."""
        if reading <= 0 or reference <= 0:
            return float("nan")
        return reading / reference if self.better is Better.LOWER else reference / reading


PROCESSOR_US = Metric(
    "processor_us", "µs/request", "processor microseconds per request", Better.LOWER
)
REQUESTS = Metric("requests_per_second", "requests/s", "requests per second", Better.HIGHER)
P50_MS = Metric("p50_ms", "p50 ms", "median latency in milliseconds", Better.LOWER)
P99_MS = Metric("p99_ms", "p99 ms", "99th percentile of latency in milliseconds", Better.LOWER)
SLOW_P99_MS = Metric(
    "slow_p99_ms", "slow p99 ms", "99th percentile of the slow ones in milliseconds", Better.LOWER
)
CONNECTION_KIB = Metric(
    "connection_kib", "KiB/connection", "KiB of memory per idle connection", Better.LOWER
)
BESIDE_SHARE = Metric(
    "beside_share",
    "throughput kept",
    "throughput beside idle connections, as a share",
    Better.HIGHER,
)
START_MS = Metric("start_ms", "start ms", "milliseconds from command to first answer", Better.LOWER)
MEMORY_MIB = Metric(
    "memory_mib", "memory MiB", "proportional memory of the process tree in MiB", Better.LOWER
)
GROWTH_MIB = Metric("growth_mib", "growth MiB", "growth of peak memory in MiB", Better.LOWER)
INSTRUCTIONS = Metric(
    "instructions", "instructions/request", "instructions per request", Better.LOWER
)

METRICS = {
    metric.key: metric
    for metric in (
        PROCESSOR_US,
        REQUESTS,
        P50_MS,
        P99_MS,
        SLOW_P99_MS,
        CONNECTION_KIB,
        BESIDE_SHARE,
        START_MS,
        MEMORY_MIB,
        GROWTH_MIB,
        INSTRUCTIONS,
    )
}
