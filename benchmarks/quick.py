"""`python -m benchmarks quick`: did this change make canter slower? In minutes, without the peers.

Three builds side by side: the tree as it is, compiled and plain, and the last commit, compiled.
Counted in instructions where valgrind is installed, and in processor time, interleaved, anyway.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import canter_build, environment, instructions, rounds
from benchmarks.figures import median, paired_ratio
from benchmarks.loads import Context
from benchmarks.metrics import PROCESSOR_US, REQUESTS
from benchmarks.probe import ProbeError
from benchmarks.results import Series
from benchmarks.run import say, serving_environment
from benchmarks.scenarios import Scenario, scenarios_named
from benchmarks.server import ServerError, free_port
from benchmarks.sides import Setup, Side, sides_named

SCENARIO = "small-9"
SECONDS = 1
COMPILED, PLAIN, COMMITTED = "canter", "canter-plain", "canter-committed"


@dataclass(slots=True)
class Row:
    """One build: its figures, None where they could not be had."""

    label: str
    instructions: float | None = None
    processor_us: float | None = None
    time_ratio: float | None = None


def _builds(python: Path, kept: Path, directory: Path) -> list[Side]:
    """The builds that there are, as sides of the comparison. Raises BuildError without any."""
    compiled, plain = sides_named([COMPILED, PLAIN])
    say("building this tree")
    tree = canter_build.build(python, environment.REPOSITORY, kept)
    say(f"this tree: the {tree.core} core")
    sides = [replace(plain, label="this tree, plain", source=tree.path)]
    if tree.core == "compiled":
        sides.insert(0, replace(compiled, label="this tree, compiled", source=tree.path))
    try:
        canter_build.unpack_last_commit(environment.REPOSITORY, directory / "committed")
        say("building the last commit")
        committed = canter_build.build(python, directory / "committed", kept)
    except canter_build.BuildError as error:
        say(f"the last commit is left out: {error}")
        return sides
    label = f"last commit, {committed.core}"
    return [*sides, replace(compiled, key=COMMITTED, label=label, source=committed.path)]


def _count_instructions(side: Side, scenario: Scenario, context: Context) -> float | None:
    setup = Setup(scenario.application, free_port(), threads=scenario.threads)
    try:
        return instructions.per_request(
            side.command(setup, context.tools),
            setup.port,
            scenario.first_request,
            context.directory / f"instructions-{side.key}",
            rounds.environment_of(side, context),
        )
    except (ServerError, ProbeError, OSError) as error:
        say(f"{side.label}: instructions not counted: {error}")
        return None


def _timed(sides: list[Side], scenario: Scenario, context: Context) -> dict[str, Series]:
    found = rounds.measure(scenario, sides, context, say)
    for label, reason in found.left_out.items():
        say(f"{label}: {reason}")
    return {series.side: series for series in found.series}


def _rows(
    sides: list[Side], timed: dict[str, Series], counted: dict[str, float | None]
) -> list[Row]:
    reference = timed.get(COMMITTED)
    rows = []
    for side in sides:
        row = Row(side.label, counted.get(side.key))
        if series := timed.get(side.key):
            row.processor_us = median(series.readings(PROCESSOR_US.key))
            if reference:
                row.time_ratio = paired_ratio(PROCESSOR_US, series, reference)
        rows.append(row)
    return rows


def table(rows: list[Row]) -> str:
    """The figures as plain text; the ratios are to the last row, the last commit."""
    lines = [f"{'':24}{'instructions':>14}{'ratio':>8}{'µs/request':>12}{'ratio':>8}"]
    base = rows[-1].instructions
    for row in rows:
        counted = f"{row.instructions:,.0f}" if row.instructions else "-"
        ratio = f"{row.instructions / base:.3f}" if row.instructions and base else "-"
        timed = f"{row.processor_us:.2f}" if row.processor_us else "-"
        time_ratio = f"{row.time_ratio:.3f}" if row.time_ratio else "-"
        lines.append(f"{row.label:24}{counted:>14}{ratio:>8}{timed:>12}{time_ratio:>8}")
    return "\n".join(lines)


def regression_percent(rows: list[Row]) -> float | None:
    """How many percent more the first row needs than the last: in instructions, else in time."""
    if rows[0].instructions and rows[-1].instructions:
        return (rows[0].instructions / rows[-1].instructions - 1) * 100
    return None if rows[0].time_ratio is None else (rows[0].time_ratio - 1) * 100


def run(options: argparse.Namespace) -> int:
    """Carry out `python -m benchmarks quick`; returns the exit status."""
    [scenario] = scenarios_named([SCENARIO])
    scenario = replace(scenario, columns=(PROCESSOR_US, REQUESTS))
    cores = environment.two_cores()
    python, _ = environment.prepare_venv(options.venv, say, only=environment.BUILDERS)
    with tempfile.TemporaryDirectory(prefix="canter-quick-") as name:
        directory = Path(name)
        tools = environment.prepare_tools(python, directory)
        context = Context(
            tools, directory, serving_environment(directory), cores, SECONDS, options.rounds
        )
        sides = _builds(python, environment.kept_builds(options.venv), directory)
        timed = _timed(sides, scenario, context)
        counted: dict[str, float | None] = {}
        if instructions.is_available():
            for side in sides:
                say(f"counting instructions: {side.label}")
                counted[side.key] = _count_instructions(side, scenario, context)
        else:
            say("instructions are not counted: valgrind is not installed")
        rows = _rows(sides, timed, counted)
    print(table(rows))
    change = regression_percent(rows) if len(sides) > 1 and sides[-1].key == COMMITTED else None
    if options.fail_above is not None and change is not None and change > options.fail_above:
        print(f"{change:.1f}% more than the last commit; {options.fail_above:g}% is allowed")
        return 1
    return 0
