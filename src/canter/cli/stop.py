"""`canter stop`: end a running server, and wait until it has ended."""

from __future__ import annotations

from collections.abc import Sequence

from canter.cli.talking import CommandParser, ask, conclude


def run(words: Sequence[str]) -> int:
    """Stop the server; the exit status. Raises CanterError."""
    parser = CommandParser(
        "stop", "End the server when running requests are answered, and wait for that."
    )
    parser.add_argument("--now", action="store_true", help="do not wait for running requests")
    options = parser.parse_args(words)
    reply = ask(options, {"command": "stop", "now": options.now}, None)
    return conclude(options, reply, lambda _: "stopped\n")
