"""The command line: `python -m benchmarks [run|render|quick|list]`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.canter_build import BuildError
from benchmarks.environment import REPOSITORY, EnvironmentIncompleteError
from benchmarks.scenarios import SCENARIOS
from benchmarks.sides import SIDES

DEFAULT_VENV = ".bench-venv"
DEFAULT_RESULTS = REPOSITORY / "docs" / "benchmarks" / "results.json"
DEFAULT_DOCS = REPOSITORY / "docs"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="canter beside its peers", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="measure and write the page (the default)")
    _add_run_options(run)
    render = commands.add_parser("render", help="write the page again from a run's results")
    _add_files(render)
    quick = commands.add_parser("quick", help="this tree against the last commit, in minutes")
    _add_venv(quick)
    quick.add_argument("--rounds", type=int, default=5, help="rounds of processor time (5)")
    quick.add_argument(
        "--fail-above",
        type=float,
        metavar="PERCENT",
        help="exit 1 if the compiled build needs that many percent more than the last commit's",
    )
    commands.add_parser("list", help="name the scenarios and the sides")
    return parser


def _add_venv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--venv",
        type=Path,
        default=Path(DEFAULT_VENV),
        help=f"environment of the peers, made if it is not there ({DEFAULT_VENV})",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=DEFAULT_RESULTS, help="the run as JSON")
    parser.add_argument("--docs", type=Path, default=DEFAULT_DOCS, help="where the page goes")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    _add_venv(parser)
    _add_files(parser)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side (5)")
    parser.add_argument("--seconds", type=int, default=1, help="seconds of a round (1)")
    parser.add_argument(
        "--brief",
        action="store_true",
        help="a run of half an hour: three rounds, two of what takes long, short warm-up",
    )
    parser.add_argument(
        "--scenario", action="append", default=[], metavar="KEY", help="only this one; repeatable"
    )
    parser.add_argument(
        "--side", action="append", default=[], metavar="KEY", help="only this one; repeatable"
    )


def _list() -> None:
    for scenario in SCENARIOS:
        print(f"{scenario.key:18} {scenario.title}")
    print()
    for side in SIDES:
        print(f"{side.key:18} {side.label}")


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status."""
    options = _parser().parse_args(arguments or ["run"])
    # The default action would leave the servers behind.
    signal.signal(signal.SIGTERM, _leave)
    try:
        return _dispatch(options)
    except KeyError as error:
        print(f"benchmarks: {error.args[0]!r} is unknown; see `list`", file=sys.stderr)
        return 2
    except (BuildError, EnvironmentIncompleteError, OSError, ValueError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1


def _dispatch(options: argparse.Namespace) -> int:
    # Imported when used: `list` and `render` need nothing installed.
    if options.command == "list":
        _list()
        return 0
    if options.command == "render":
        from benchmarks import page, results

        written = page.write(results.load(options.results), options.docs)
        print(f"{len(written)} files under {options.docs}")
        return 0
    if options.command == "quick":
        from benchmarks import quick

        return quick.run(options)
    from benchmarks import run

    return run.run(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
