"""`canter log-level LEVEL`: log more or less, until the next reload."""

from __future__ import annotations

from collections.abc import Sequence

from canter.cli.talking import SOON_SECONDS, CommandParser, ask, conclude


def run(words: Sequence[str]) -> int:
    """Change the level of the error log; the exit status. Raises CanterError."""
    parser = CommandParser(
        "log-level", "Change the level of the error log, of all processes, until the next reload."
    )
    parser.add_argument("level", metavar="LEVEL", help="debug, info, warning, error or critical")
    options = parser.parse_args(words)
    order = {"command": "log-level", "level": options.level}
    return conclude(options, ask(options, order, SOON_SECONDS), lambda it: f"{it['level']}\n")
