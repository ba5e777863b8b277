"""What a supervisor passes to its successor through the environment. Pure.

`CANTER_HANDOVER` is ours; `GUNICORN_PID` and `GUNICORN_FD` are what a Gunicorn leaves to whatever
its command line starts by then, so that canter can follow one without its sockets being closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VARIABLE = "CANTER_HANDOVER"
_GUNICORN = ("GUNICORN_PID", "GUNICORN_FD")
VARIABLES = (VARIABLE, *_GUNICORN)


@dataclass(frozen=True, slots=True)
class Heirloom:
    """One listening socket by its descriptor.

    address: as `bind` would name it; "" = it has to be asked. file: device and inode of the socket
    file that came with it. name: what systemd called it, if it was lent by systemd.
    """

    fd: int
    address: str = ""
    file: tuple[int, int] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """What the predecessor, a process of number `pid`, has left."""

    pid: int
    heirlooms: tuple[Heirloom, ...]


def handover_variables(
    environment: Mapping[str, str], pid: int, heirlooms: Sequence[Heirloom]
) -> dict[str, str]:
    """The successor's environment, made from that of the start; `pid` is ours."""
    dropped = {*VARIABLES, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"}
    kept = {name: text for name, text in environment.items() if name not in dropped}
    rows = [[it.fd, it.address, it.file, it.name] for it in heirlooms]
    return kept | {VARIABLE: json.dumps({"pid": pid, "listeners": rows})}


def is_successor(environment: Mapping[str, str]) -> bool:
    """Whether a predecessor has started us."""
    return read_handover(environment) is not None


def read_handover(environment: Mapping[str, str]) -> Handover | None:
    """What was left to us; None where nothing was, or nothing that can be understood."""
    try:
        if VARIABLE in environment:
            left = json.loads(environment[VARIABLE])
            return Handover(int(left["pid"]), tuple(map(_heirloom, left["listeners"])))
        if all(environment.get(name) for name in _GUNICORN):
            numbers = environment["GUNICORN_FD"].split(",")
            heirlooms = tuple(Heirloom(int(number)) for number in numbers)
            return Handover(int(environment["GUNICORN_PID"]), heirlooms)
    except (ValueError, TypeError, KeyError):
        pass
    return None


def _heirloom(row: Sequence[object]) -> Heirloom:
    fd, address, file, name = row
    if not isinstance(fd, int) or not isinstance(address, str):
        raise TypeError(row)
    made = None
    if isinstance(file, list):
        device, inode = file
        made = (int(device), int(inode))
    return Heirloom(fd, address, made, name if isinstance(name, str) else None)
