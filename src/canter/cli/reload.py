"""`canter reload`: have new code or settings served, and wait until that is so or has failed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from canter.cli.talking import CommandParser, RefusedError, ask, conclude


def run(words: Sequence[str]) -> int:
    """Reload; the exit status. Raises CanterError, after the traceback, when that fails."""
    parser = CommandParser("reload", "Start a new generation of workers, and wait until it serves.")
    options = parser.parse_args(words)
    reply = ask(options, {"command": "reload"}, None)
    if not options.json and reply.get("traceback"):
        print(reply["traceback"].rstrip("\n"), file=sys.stderr)
    try:
        return conclude(options, reply, _render)
    except RefusedError as error:
        live = reply.get("generation")
        goes_on = "" if live is None else f", generation {live} goes on serving"
        raise RefusedError(f"the reload failed{goes_on}: {error}") from None


def _render(data: Any) -> str:
    workers = ", ".join(str(pid) for pid in data["workers"])
    return f"generation {data['generation']} serves: workers {workers}\n"
