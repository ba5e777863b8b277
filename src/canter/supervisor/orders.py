"""What may be asked over the control socket, and what is answered: one line of JSON each way.

    {"command": "scale", "workers": 4}
    {"ok": true, "data": {"before": 2, "workers": 4}}
    {"ok": false, "error": "there is room for 1 to 5 workers, not 40"}

Here lines become orders, and orders are judged by what the roster says. Pure: bytes and values in,
values and bytes out; the sockets belong to `control`, the doing to `desk`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from canter.supervisor.roster import Roster
from canter.supervisor.states import Command, Phase
from canter.worker.states import WorkerState


@dataclass(frozen=True, slots=True)
class Status:
    """Tell everything about generations, workers and threads."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Start a new generation; answered when it serves or has failed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the service, gracefully or `now`; answered when it has ended."""

    now: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Have so many workers until the next reload."""

    workers: int


@dataclass(frozen=True, slots=True)
class Stacks:
    """Tell what every busy thread runs, of one worker or (`pid` None) of all; or one thread."""

    pid: int | None = None
    thread: int | None = None


@dataclass(frozen=True, slots=True)
class LogLevel:
    """Log at this level, the supervisor and the workers, until the next reload."""

    level: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Tell everything at once, as the status page is told."""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Tell the last deaths of workers."""


@dataclass(frozen=True, slots=True)
class TellSettings:
    """Tell the settings of the generation that serves, each with where it came from."""


Order: TypeAlias = (
    Status | Reload | Stop | Scale | Stacks | LogLevel | Snapshot | Deaths | TellSettings
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The order was carried out."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The order was not carried out, or failed; `details` stand beside the error."""

    error: str
    details: Mapping[str, Any] = field(default_factory=dict)


Reply: TypeAlias = Answer | Refusal


class OrderError(Exception):
    """A line that is no order, or an order that cannot be carried out as things are."""


_KINDS: Final[dict[str, tuple[type[Order], dict[str, type]]]] = {
    "status": (Status, {}),
    "reload": (Reload, {}),
    "stop": (Stop, {"now": bool}),
    "scale": (Scale, {"workers": int}),
    "stacks": (Stacks, {"pid": int, "thread": int}),
    "log-level": (LogLevel, {"level": str}),
    "snapshot": (Snapshot, {}),
    "deaths": (Deaths, {}),
    "settings": (TellSettings, {}),
}
_NEEDED: Final = {"workers", "level"}


def parse_order(line: bytes) -> Order:
    """The order in one line. Raises OrderError saying what is wrong with it."""
    try:
        asked = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise OrderError("the line is not JSON in UTF-8") from None
    if not isinstance(asked, dict):
        raise OrderError('the line is not an object such as {"command": "status"}')
    name = asked.pop("command", None)
    if not isinstance(name, str) or name not in _KINDS:
        raise OrderError(f"no such command; there are {', '.join(_KINDS)}")
    kind, fields = _KINDS[name]
    for key, value in asked.items():
        if key not in fields:
            raise OrderError(f"{name} takes no {key[:40]!r}")
        # bool is an int in Python, but not in JSON.
        if type(value) is not fields[key]:
            raise OrderError(f"{key} is not of type {fields[key].__name__}")
    missing = _NEEDED & fields.keys() - asked.keys()
    if missing:
        raise OrderError(f"{name} needs {', '.join(missing)}")
    return kind(**asked)


def encode_reply(reply: Reply) -> bytes:
    """The line that carries `reply`, with its line end."""
    match reply:
        case Answer(data=data):
            body = {"ok": True, "data": data}
        case Refusal(error=error, details=details):
            body = {"ok": False, "error": error, **details}
    return json.dumps(body).encode("ascii") + b"\n"


# --------------------------------------------------------------------------------- judgements


def judge_change(roster: Roster) -> None:
    """Whether anything can still be changed. Raises OrderError while the service ends."""
    if roster.phase not in {Phase.STARTING, Phase.RUNNING}:
        raise OrderError("the server is stopping")


def judge_scale(order: Scale, roster: Roster) -> tuple[int, int]:
    """By how much the number of workers changes, and what it is before. Raises OrderError."""
    judge_change(roster)
    generation = roster.scalable()
    if generation is None:
        raise OrderError("there is no generation yet whose workers could be counted")
    most = generation.plan.most_wanted
    if not 1 <= order.workers <= most:
        raise OrderError(f"there is room for 1 to {most} workers, not {order.workers}")
    return order.workers - generation.wanted, generation.wanted


def judge_stacks(order: Stacks, roster: Roster) -> set[int]:
    """Which workers to ask. Raises OrderError where the one that was named cannot answer."""
    running = {
        handle.pid
        for handle in roster.handles.values()
        if handle.state in {WorkerState.SERVING, WorkerState.DRAINING}
        and handle.lost_at is None
        and not handle.is_fork_server
    }
    if order.pid is None:
        return running
    if order.pid not in roster.handles:
        raise OrderError(f"there is no worker {order.pid}")
    if order.pid not in running:
        state = roster.handles[order.pid].state.name.lower()
        raise OrderError(f"worker {order.pid} runs no requests: it is {state}")
    return {order.pid}


def judge_stop(order: Stop, phase: Phase) -> Command | None:
    """What the end that is asked for means now; None when just that is going on already.

    Asking twice for a graceful end is no order to hurry: two people may have asked.
    """
    if order.now:
        return None if phase in {Phase.HURRYING, Phase.ENDED} else Command.STOP_AT_ONCE
    return Command.STOP_GRACEFULLY if phase in {Phase.STARTING, Phase.RUNNING} else None
