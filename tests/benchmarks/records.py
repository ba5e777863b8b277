"""Results made by hand, for the tests of what is made from results."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics import PROCESSOR_US, Metric
from benchmarks.results import Report, Round, ScenarioResult, Series


def series(
    side: str, *values: float, metric: Metric = PROCESSOR_US, errors: dict[str, int] | None = None
) -> Series:
    """One side with one value a round, all rounds with the same errors."""
    rounds = [Round({metric.key: value}, dict(errors or {})) for value in values]
    return Series(side, side.title(), f"{side} --bind PORT", rounds)


def result(*all_series: Series, key: str = "small-9") -> ScenarioResult:
    """One scenario with these sides."""
    return ScenarioResult(key, list(all_series), {})


def report(*results: ScenarioResult, left_out: Sequence[str] = ()) -> Report:
    """A run of these scenarios."""
    return Report(
        taken="2026-11-23",
        revision="abcdef0",
        machine={"cores": "2"},
        versions={"gunicorn": "27.0.1"},
        settings={"rounds": "5 of 2 s"},
        left_out=dict.fromkeys(left_out, "not installed"),
        scenarios=list(results),
    )
