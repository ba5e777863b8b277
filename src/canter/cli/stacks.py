"""`canter stacks [PID]`: what every busy thread runs, down to the line of Python."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from canter.cli.talking import SOON_SECONDS, CommandParser, ask, conclude


def run(words: Sequence[str]) -> int:
    """Print the stacks; 1 when a worker did not answer. Raises CanterError."""
    parser = CommandParser("stacks", "Print the Python stack of every thread that runs a request.")
    parser.add_argument("worker", metavar="PID", type=int, nargs="?", help="of this worker only")
    options = parser.parse_args(words)
    order: dict[str, object] = {"command": "stacks"}
    if options.worker is not None:
        order["pid"] = options.worker
    reply = ask(options, order, SOON_SECONDS)
    status = conclude(options, reply, _render)
    silent = reply.get("data", {}).get("silent")
    if not silent:
        return status
    if not options.json:
        print(f"no answer in time from {', '.join(map(str, silent))}", file=sys.stderr)
    return 1


def _render(data: Any) -> str:
    parts = []
    for worker in data["workers"]:
        if worker["stacks"]:
            stacks = textwrap.indent(worker["stacks"].rstrip("\n"), "  ")
            parts.append(f"worker {worker['pid']}\n{stacks}\n")
        else:
            parts.append(f"worker {worker['pid']}: no thread is busy\n")
    return "\n".join(parts)
