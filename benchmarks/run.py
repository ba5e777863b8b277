"""The whole comparison: prepares, measures scenario after scenario, writes results and page."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import canter_build, environment, machine, page, results, rounds
from benchmarks.idle import allow_descriptors
from benchmarks.loads import Context
from benchmarks.results import Report
from benchmarks.scenarios import FILES, FILES_FOLDER, Scenario, scenarios_named
from benchmarks.sides import Side, Tools, sides_named

MOST_CONNECTIONS = 10_000
BUSY_LOAD = 0.5
BRIEF_ROUNDS = 3


def say(line: str) -> None:
    """Show how far the run is, at once also through a pipe."""
    print(line, flush=True)


def serving_environment(directory: Path) -> dict[str, str]:
    """The variables that every server gets; makes the files that they send."""
    folder = directory / FILES_FOLDER
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    file = folder / "10m.bin"
    return {
        "BENCHMARKS_FILES": str(folder),
        "PYTHONPATH": str(environment.REPOSITORY),
        "BENCHMARKS_FILE": str(file),
        "TMPDIR": str(directory),
    }


def _versions(python: Path, wrk: Path, sides: list[Side]) -> dict[str, str]:
    names = {name for side in sides for name in side.distributions} | {"Flask", "Django"}
    found = machine.installed(python, sorted(names, key=str.lower))
    said = subprocess.run([str(wrk), "-v"], capture_output=True, text=True, check=False, timeout=10)
    words = said.stdout.split()
    return {**found, "wrk": words[1] if len(words) > 1 else "unknown"}


def run(options: argparse.Namespace) -> int:
    """Carry out `python -m benchmarks run`; returns the exit status."""
    scenarios = scenarios_named(options.scenario)
    sides = sides_named(options.side)
    cores = environment.two_cores()
    if os.getloadavg()[0] > BUSY_LOAD:
        say("the machine is busy with something else: ratios will be rough and figures wrong")
    allow_descriptors(MOST_CONNECTIONS)
    say(f"preparing {options.venv}")
    python, failed = environment.prepare_venv(options.venv, say)
    with tempfile.TemporaryDirectory(prefix="canter-benchmarks-") as name:
        directory = Path(name)
        tools = environment.prepare_tools(python, directory)
        if any(scenario.first_request.tls for scenario in scenarios):
            environment.make_certificate(directory)
        built = _build(python, options.venv, sides)
        context = Context(
            tools,
            directory,
            serving_environment(directory),
            cores,
            options.seconds,
            min(options.rounds, BRIEF_ROUNDS) if options.brief else options.rounds,
            options.brief,
        )
        report = _begin(tools, sides, failed, built, context)
        present, _ = environment.present_sides(sides, report.versions)
        present = [_from_build(side, built) for side in present if built or not side.is_canter]
        _measure(scenarios, present, context, report, options.results)
    for path in page.write(report, options.docs):
        say(str(path))
    return 0


def _build(python: Path, venv: Path, sides: list[Side]) -> canter_build.Build | None:
    if not any(side.is_canter for side in sides):
        return None
    try:
        say("building canter")
        kept = environment.kept_builds(venv)
        built = canter_build.build(python, environment.REPOSITORY, kept)
    except canter_build.BuildError as error:
        say(f"canter is left out: {error}")
        return None
    say(f"canter: the {built.core} core")
    return built


def _from_build(side: Side, built: canter_build.Build | None) -> Side:
    return replace(side, source=built.path) if built and side.is_canter else side


def _begin(
    tools: Tools,
    sides: list[Side],
    failed: dict[str, str],
    built: canter_build.Build | None,
    context: Context,
) -> Report:
    versions = _versions(tools.python, tools.wrk, sides)
    _, left_out = environment.present_sides(sides, versions)
    if built is None and any(side.is_canter for side in sides):
        left_out["canter"] = "does not run from this tree"
    settings = {
        "rounds": f"{context.rounds} of {context.seconds} s" + ", brief" * context.brief,
        "canter's core": built.core if built else "none",
        "load of the machine before the run": f"{os.getloadavg()[0]:.2f}",
    }
    return Report(
        dt.datetime.now(dt.UTC).date().isoformat(),
        machine.revision(environment.REPOSITORY),
        machine.machine(),
        versions,
        settings,
        {
            **{f"{requirement} (not installed)": why for requirement, why in failed.items()},
            **left_out,
        },
        [],
    )


def _measure(
    scenarios: list[Scenario], sides: list[Side], context: Context, report: Report, path: Path
) -> None:
    for place, scenario in enumerate(scenarios, start=1):
        say(f"{place}/{len(scenarios)} {scenario.key}: {scenario.title}")
        report.scenarios.append(rounds.measure(scenario, sides, context, say))
        # After each scenario, so that an interrupted run leaves what it has measured.
        results.save(report, path)
