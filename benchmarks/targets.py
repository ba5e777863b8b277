"""The cost that canter promises, as targets that a run meets or misses by so much.

Each target is judged within one run: against the floor, against the best peer of the same rounds,
or against what is ideal for the work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import LOGGING, OURS, best_of, is_clean, is_peer, median, paired_ratio
from benchmarks.metrics import (
    BESIDE_SHARE,
    CONNECTION_KIB,
    GROWTH_MIB,
    P99_MS,
    PROCESSOR_US,
    REQUESTS,
    Better,
    Metric,
)
from benchmarks.results import Report, ScenarioResult, Series


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured, in words, and whether it is enough; None where it was not measured."""

    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Target:
    """One promise: the scenario it is measured in, and the judgement of that scenario's result."""

    text: str
    scenario: str
    judge: Callable[[ScenarioResult, Series], Verdict]


NOT_MEASURED = Verdict("not measured", None)


def _against(name: str, metric: Metric, ours: Series, other: Series, limit: float) -> Verdict:
    ratio = paired_ratio(metric, ours, other)
    if ratio is None:
        return NOT_MEASURED
    return Verdict(f"{ratio:.2f} times {name}", ratio <= limit)


def at_most_best_peer(metric: Metric, *among: str) -> Callable[[ScenarioResult, Series], Verdict]:
    """No worse than the best peer without errors, of these sides if any are named."""

    def judge(result: ScenarioResult, ours: Series) -> Verdict:
        peers = [one for one in result.series if is_peer(one) and (not among or one.side in among)]
        best = best_of(result, metric, peers)
        if best is None:
            return NOT_MEASURED
        return _against(f"that of the best, {best.label}", metric, ours, best, 1.0)

    return judge


def at_most_times(
    metric: Metric, side: str, name: str, limit: float
) -> Callable[[ScenarioResult, Series], Verdict]:
    """At most `limit` times worse than this side."""

    def judge(result: ScenarioResult, ours: Series) -> Verdict:
        other = result.of(side)
        return NOT_MEASURED if other is None else _against(name, metric, ours, other, limit)

    return judge


def logging_costs_at_most(limit: float) -> Callable[[ScenarioResult, Series], Verdict]:
    """Processor time with the access log is at most `limit` times that without."""

    def judge(result: ScenarioResult, ours: Series) -> Verdict:
        logging = result.of(OURS + LOGGING)
        if logging is None or not is_clean(logging):
            return NOT_MEASURED
        return _against("that without", PROCESSOR_US, logging, ours, limit)

    return judge


def within(metric: Metric, limit: float, unit: str) -> Callable[[ScenarioResult, Series], Verdict]:
    """The median is on the good side of `limit`."""

    def judge(_result: ScenarioResult, ours: Series) -> Verdict:
        middle = median(ours.readings(metric.key))
        if middle is None:
            return NOT_MEASURED
        met = middle <= limit if metric.better is Better.LOWER else middle >= limit
        return Verdict(f"{middle:,.2f} {unit}".strip(), met)

    return judge


IDEAL_BLOCKING = 1600.0  # 16 threads, 10 ms each
IDEAL_BLOCKING_P99_MS = 20.0  # 32 clients: one call's wait and one call
LEADERS = ("uwsgi", "uwsgi-router", "fastwsgi")
FLAT_MIB = 4.0

TARGETS = (
    Target(
        "Small request, nine headers: processor time at most that of the best peer",
        "small-9",
        at_most_best_peer(PROCESSOR_US),
    ),
    Target(
        "Small request, nine headers: processor time at most 1.4 times a C epoll loop's",
        "small-9",
        at_most_times(PROCESSOR_US, "floor", "the floor's", 1.4),
    ),
    Target(
        "Access log on: processor time at most 1.15 times that without",
        "access-log",
        logging_costs_at_most(1.15),
    ),
    Target(
        "10 ms waits on 16 threads: at least 97% of 1,600 requests/s",
        "blocking-10ms",
        within(REQUESTS, 0.97 * IDEAL_BLOCKING, "requests/s"),
    ),
    Target(
        "10 ms waits on 16 threads: p99 at most 1.3 times the ideal 20 ms",
        "blocking-10ms",
        within(P99_MS, 1.3 * IDEAL_BLOCKING_P99_MS, "ms"),
    ),
    Target(
        "Quick beside sleeping requests: the best p99 of all",
        "beside-slow",
        at_most_best_peer(P99_MS),
    ),
    Target(
        "Quick beside computing requests: the best p99 of all",
        "beside-busy",
        at_most_best_peer(P99_MS),
    ),
    Target(
        "TLS: processor time at most Granian's",
        "tls",
        at_most_best_peer(PROCESSOR_US, "granian"),
    ),
    Target(
        "HTTP/2: at most a third of Hypercorn's processor time",
        "http2",
        at_most_times(PROCESSOR_US, "hypercorn", "Hypercorn's", 1 / 3),
    ),
    *(
        Target(
            f"{name}: processor time at most uWSGI's and fastwsgi's",
            scenario,
            at_most_best_peer(PROCESSOR_US, *LEADERS),
        )
        for name, scenario in (
            ("Upload of 1 MiB", "upload-1m"),
            ("Download of 1 MiB", "download-1m"),
            ("Streamed answer", "stream"),
            ("File of 10 MiB", "file-10m"),
        )
    ),
    Target(
        "10,000 idle connections: at most 1 KiB each",
        "idle-10000",
        within(CONNECTION_KIB, 1.0, "KiB"),
    ),
    Target(
        "10,000 idle connections: at least 95% of the throughput beside them",
        "idle-10000",
        within(BESIDE_SHARE, 0.95, ""),
    ),
    Target(
        f"Bodies of 128 MiB: peak memory grows by at most {FLAT_MIB:.0f} MiB",
        "big-bodies",
        within(GROWTH_MIB, FLAT_MIB, "MiB"),
    ),
)


def judge(target: Target, report: Report) -> Verdict:
    """The verdict of a run on a target; one with errors of canter's own is a miss."""
    result = report.of(target.scenario)
    ours = result.of(OURS) if result else None
    if result is None or ours is None:
        return NOT_MEASURED
    verdict = target.judge(result, ours)
    if not is_clean(ours):
        return Verdict(f"{verdict.measured}, with errors", met=False)
    return verdict
