"""`canter scale N`: more or fewer workers, until the next reload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from canter.cli.talking import SOON_SECONDS, CommandParser, ask, conclude


def run(words: Sequence[str]) -> int:
    """Change the number of workers; the exit status. Raises CanterError."""
    parser = CommandParser("scale", "Have N workers until the next reload.")
    parser.add_argument("workers", metavar="N", type=int, help="how many")
    options = parser.parse_args(words)
    order = {"command": "scale", "workers": options.workers}
    return conclude(options, ask(options, order, SOON_SECONDS), _render)


def _render(data: Any) -> str:
    workers = "1 worker" if data["workers"] == 1 else f"{data['workers']} workers"
    return f"{workers} wanted, {data['before']} before\n"
