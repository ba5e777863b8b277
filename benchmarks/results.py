"""The record of a run, and its JSON form: what was measured, with what, on what."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One side once: values by metric key, errors by kind."""

    values: dict[str, float]
    errors: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """One side in one scenario, round by round. Round n of all sides was measured together."""

    side: str
    label: str
    command: str
    rounds: list[Round]

    def readings(self, key: str) -> list[float]:
        """The values of one metric, of the rounds that have it."""
        return [one.values[key] for one in self.rounds if key in one.values]

    def errors(self) -> dict[str, int]:
        """All errors of the run by kind."""
        total: dict[str, int] = {}
        for one in self.rounds:
            for kind, count in one.errors.items():
                total[kind] = total.get(kind, 0) + count
        return total


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario. `left_out`: labels of sides that did not take part, each with the reason."""

    key: str
    series: list[Series]
    left_out: dict[str, str]

    def of(self, side: str) -> Series | None:
        """The series of this side's key, None if it has none."""
        return next((series for series in self.series if series.side == side), None)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. `machine`, `versions`, `settings`: names and texts as the page shows them."""

    taken: str
    revision: str
    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    left_out: dict[str, str]
    scenarios: list[ScenarioResult]

    def of(self, scenario: str) -> ScenarioResult | None:
        """The result of this scenario's key, None if it was not measured."""
        return next((result for result in self.scenarios if result.key == scenario), None)


def to_json(report: Report) -> str:
    """The report as text; `from_json` gives an equal one back."""
    return json.dumps({"format": FORMAT, **asdict(report)}, indent=1) + "\n"


def from_json(text: str) -> Report:
    """Read a report. Raises ValueError for text that is none or of another format."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise ValueError(f"not a result of format {FORMAT}")
    try:
        data["scenarios"] = [_scenario(entry) for entry in data["scenarios"]]
        return Report(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a whole result: {error}") from error


def _scenario(entry: dict[str, Any]) -> ScenarioResult:
    series = [
        Series(**{**one, "rounds": [Round(**measured) for measured in one["rounds"]]})
        for one in entry["series"]
    ]
    return ScenarioResult(entry["key"], series, entry["left_out"])


def save(report: Report, path: Path) -> None:
    """Write the report's JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(report), encoding="utf-8")


def load(path: Path) -> Report:
    """Read a report from its JSON. Raises OSError or ValueError."""
    return from_json(path.read_text(encoding="utf-8"))
