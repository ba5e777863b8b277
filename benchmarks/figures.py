"""From rounds to figures: medians, ratios within the same rounds, and who may be called ahead."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.metrics import Metric
from benchmarks.results import ScenarioResult, Series

FLOOR = "floor"
OURS = "canter"
LOGGING = "+log"  # ends the key of a side's series with the access log on
NOISE = 0.03  # two sides nearer than this are level


def median(values: Sequence[float]) -> float | None:
    """The median, None of nothing."""
    return statistics.median(values) if values else None


def spread(values: Sequence[float]) -> float | None:
    """Half the range of the values as a share of their median; None of nothing."""
    middle = median(values)
    if not middle:
        return None
    return (max(values) - min(values)) / 2 / middle


def paired_ratio(metric: Metric, series: Series, reference: Series) -> float | None:
    """The median over the rounds of how many times worse `series` was in the same round.

    Ratios of the same round stay true when the machine was slower for a while. None where no round
    has both values.
    """
    ratios = []
    for one, other in zip(series.rounds, reference.rounds, strict=False):
        if metric.key in one.values and metric.key in other.values:
            ratio = metric.ratio(one.values[metric.key], other.values[metric.key])
            if not math.isnan(ratio):
                ratios.append(ratio)
    return median(ratios)


def is_clean(series: Series) -> bool:
    """Whether a side answered everything rightly; only then its figures say how good it is."""
    return not series.errors()


def is_peer(series: Series) -> bool:
    """Whether a side is another server: neither a build of canter nor the floor."""
    return series.side != FLOOR and not series.side.startswith(OURS)


def ranked(result: ScenarioResult, metric: Metric) -> list[Series]:
    """All sides of a scenario, the best first; those with errors after all the others."""

    def place(series: Series) -> tuple[bool, float]:
        middle = median(series.readings(metric.key))
        if middle is None:
            return True, math.inf
        return not is_clean(series), -metric.ratio(1.0, middle) if middle else -math.inf

    return sorted(result.series, key=place)


def best_of(result: ScenarioResult, metric: Metric, sides: Iterable[Series]) -> Series | None:
    """The best of these sides that has no errors, None if there is none."""
    allowed = {series.side for series in sides if is_clean(series)}
    for series in ranked(result, metric):
        if series.side in allowed and series.readings(metric.key):
            return series
    return None


def ours_beside(result: ScenarioResult, series: Series) -> Series | None:
    """What of canter a side is compared with: with the access log on, canter that logs too."""
    return result.of(OURS + LOGGING if series.side.endswith(LOGGING) else OURS)


@dataclass(frozen=True, slots=True)
class Loss:
    """A peer that was ahead: canter's reading is `ratio` times worse."""

    peer: str
    ratio: float


def losses(result: ScenarioResult, metric: Metric) -> list[Loss]:
    """The peers without errors that were ahead of canter by more than noise, the farthest first."""
    found = []
    for series in filter(is_clean, filter(is_peer, result.series)):
        ours = ours_beside(result, series)
        ratio = paired_ratio(metric, ours, series) if ours else None
        if ratio is not None and ratio > 1 + NOISE:
            found.append(Loss(series.label, ratio))
    return sorted(found, key=lambda loss: -loss.ratio)
