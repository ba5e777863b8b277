"""Hold a coverage report against the floors in pyproject.toml, `[tool.coverage-floors]`.

Usage: python tools/coverage_floors.py coverage.json

A floor is a percentage of lines and branches together, for all files under the longest prefix that
matches. Exits 1 when a floor is missed, naming the files that pull it down.
"""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORST_SHOWN = 5


@dataclass(slots=True)
class Area:
    """The files that share one floor, and what of them ran."""

    floor: float
    possible: int = 0
    covered: int = 0
    files: list[tuple[float, str]] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """Covered lines and branches in percent; an area without code is covered."""
        return 100.0 * self.covered / self.possible if self.possible else 100.0


def areas_from(report: dict[str, Any], floors: dict[str, float]) -> dict[str, Area]:
    """Sort the files of a `coverage json` report into the areas that `floors` names."""
    default = floors["default"]
    prefixes = sorted((name for name in floors if name != "default"), key=len, reverse=True)
    areas = {name: Area(floors[name]) for name in prefixes}
    for path, entry in report["files"].items():
        module = path.replace("\\", "/").rpartition("src/")[2]
        name = next((p for p in prefixes if _is_under(module, p)), None)
        if name is None:
            name = "/".join(module.split("/")[:2])
            areas.setdefault(name, Area(default))
        summary = entry["summary"]
        possible = summary["num_statements"] + summary.get("num_branches", 0)
        covered = summary["covered_lines"] + summary.get("covered_branches", 0)
        area = areas[name]
        area.possible += possible
        area.covered += covered
        if covered < possible:
            area.files.append((100.0 * covered / possible, module))
    return areas


def _is_under(module: str, prefix: str) -> bool:
    return module == f"{prefix}.py" or module.startswith(f"{prefix}/")


def main(arguments: list[str]) -> int:
    """Print one line for each area and return the exit status."""
    if len(arguments) != 1:
        print("usage: python tools/coverage_floors.py coverage.json", file=sys.stderr)
        return 2
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    project = Path(__file__).parent.parent / "pyproject.toml"
    floors = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["coverage-floors"]
    missed = 0
    for name, area in sorted(areas_from(report, floors).items()):
        if not area.possible:
            continue
        short = area.percent < area.floor
        missed += short
        verdict = "MISSED" if short else "ok"
        print(f"{name:<32} {area.percent:6.1f}%  floor {area.floor:g}%  {verdict}")
        if short:
            for percent, module in sorted(area.files)[:WORST_SHOWN]:
                print(f"    {percent:6.1f}%  {module}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
