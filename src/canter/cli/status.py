"""`canter status`: the generations, the workers, and what each of their threads does now.

With `--last-deaths`: why workers have died, and what they were doing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from canter.cli.talking import SOON_SECONDS, CommandParser, ask, conclude, is_terminal
from canter.supervisor.deaths import details_of

_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_HEADINGS = ("worker", "state", "age", "requests", "connections", "busy", "queued")
_DEATHS = 5
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def run(words: Sequence[str]) -> int:
    """Print the table; the exit status. Raises CanterError."""
    parser = CommandParser("status", "Show generations, workers, and what each thread runs now.")
    parser.add_argument(
        "--last-deaths",
        metavar="N",
        type=int,
        nargs="?",
        const=_DEATHS,
        help=f"show instead why the last N workers died that were not simply told to leave "
        f"(default {_DEATHS}), and what they were doing",
    )
    options = parser.parse_args(words)
    if options.last_deaths is not None:
        return _tell_deaths(options)
    reply = ask(options, {"command": "status"}, SOON_SECONDS)
    return conclude(options, reply, lambda data: render(data, styled=is_terminal()))


def _tell_deaths(options: argparse.Namespace) -> int:
    reply = ask(options, {"command": "deaths"}, SOON_SECONDS)
    if reply.get("ok") is True:
        found = reply["data"]["deaths"]
        reply["data"]["deaths"] = found[-options.last_deaths :] if options.last_deaths > 0 else []
    return conclude(
        options, reply, lambda data: render_deaths(data["deaths"], styled=is_terminal())
    )


def render_deaths(blocks: Sequence[Any], *, styled: bool) -> str:
    """The deaths for a person, the last one at the end; `styled` for a terminal."""
    if not blocks:
        return "no worker has died since the server was started\n"
    parts = []
    for block in blocks:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(block["at"]))
        often = f" ({block['times']} times in a row)" if block["times"] > 1 else ""
        head = _paint(f"{when}  {block['worker']} {block['cause']}{often}", _BOLD, styled=styled)
        parts.append("\n".join([head, *details_of(block)]))
    return "\n\n".join(parts) + "\n"


def render(report: Any, *, styled: bool) -> str:
    """The report for a person, with a line end; `styled` for a terminal."""
    level, queued = report["log_level"], _count(report["queued"], "request")
    places = ", ".join(report["addresses"]) or "no address any more"
    title = f"canter {report['version']}, pid {report['pid']}, {report['phase']}"
    lines = [
        _paint(title, _BOLD, styled=styled),
        f"  up {duration(report['age_seconds'])}, log level {level}, {queued} queued",
        f"  {report['application']} at {places}",
    ]
    for generation in report["generations"]:
        lines += ["", *_generation(generation, styled=styled)]
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    """A span of time with the two units that matter."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _generation(generation: Any, *, styled: bool) -> list[str]:
    head = f"generation {generation['number']}: {generation['state']}"
    if generation["state"] in {"booting", "live"}:
        head += f", {_count(generation['wanted'], 'worker')} wanted"
    lines = [_paint(head, _BOLD, styled=styled)]
    if generation["fork_server"]:
        lines.append(f"  fork server {generation['fork_server']}")
    if generation["failure"]:
        lines.append(f"  last failure: {generation['failure']}")
    rows = [_HEADINGS, *(_row(worker) for worker in generation["workers"])]
    if len(rows) == 1:
        return lines
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [_line(row, widths) for row in rows]
    lines.append(_paint(table[0], _DIM, styled=styled))
    for worker, line in zip(generation["workers"], table[1:], strict=True):
        lines += [line, *_details(worker)]
    return lines


def _row(worker: Any) -> tuple[str, ...]:
    return (
        str(worker["pid"]),
        worker["state"],
        duration(worker["age_seconds"]),
        str(worker["requests"]),
        str(worker["connections"]),
        f"{len(worker['running'])} of {worker['threads']}",
        str(worker["queued"]),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, numbers to the right."""
    left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
    return "  " + "  ".join(left + right)


def _details(worker: Any) -> list[str]:
    lines = []
    if worker["leaves_because"]:
        lines.append(f"      leaves: {worker['leaves_because']}")
    for call in worker["running"]:
        lasts = duration(call["age_seconds"])
        lines.append(f"      thread {call['thread']}: {call['request']} for {lasts}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _paint(text: str, code: str, *, styled: bool) -> str:
    return f"{code}{text}{_RESET}" if styled else text
