"""The answer to `canter status`: the roster and what the scoreboard shows, as one value. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from canter.supervisor.ledger import NOTHING, Noted, Tally
from canter.supervisor.roster import Generation, Handle, Roster


@dataclass(frozen=True, slots=True)
class Call:
    """An application call that goes on: the start of its request line, and for how long."""

    thread: int
    line: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Sight:
    """What one worker's slot shows. `queued`: whole requests that wait for a thread."""

    requests: int
    connections: int
    queued: int
    threads: int
    calls: tuple[Call, ...]
    resident_bytes: int = 0
    proportional_bytes: int = 0
    by_state: Mapping[str, int] = field(default_factory=dict)
    """Connections by what they do."""
    tally: Tally = NOTHING
    noted: tuple[Noted, ...] = ()
    check: str = "not_asked"
    """What the application's own health check has come to."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to say of the server as a whole."""

    version: str
    pid: int
    age_seconds: float
    application: str
    addresses: Sequence[str]
    log_level: str


def status_report(
    roster: Roster, sights: Mapping[int, Sight], facts: Facts, now: float
) -> dict[str, Any]:
    """Everything, as JSON takes it; generations and workers oldest first. Ages are seconds."""
    return {
        "version": facts.version,
        "pid": facts.pid,
        "phase": roster.phase.value,
        "age_seconds": _rounded(facts.age_seconds),
        "application": facts.application,
        "addresses": list(facts.addresses),
        "log_level": facts.log_level,
        "queued": sum(sight.queued for sight in sights.values()),
        "generations": [
            _generation(generation, roster, sights, now)
            for generation in roster.generations.values()
        ],
    }


def _generation(
    generation: Generation, roster: Roster, sights: Mapping[int, Sight], now: float
) -> dict[str, Any]:
    server = roster.fork_server_of(generation)
    return {
        "number": generation.number,
        "state": generation.state.value,
        "wanted": generation.wanted,
        "boot_seconds": _rounded(generation.boot_seconds),
        "failure": None if generation.failure is None else generation.failure.message,
        "fork_server": None if server is None else server.pid,
        "workers": [
            _worker(worker, sights[worker.pid], now) for worker in roster.workers_of(generation)
        ],
    }


def _worker(worker: Handle, sight: Sight, now: float) -> dict[str, Any]:
    return {
        "pid": worker.pid,
        "state": worker.state.name.lower(),
        "leaves_because": None if worker.leave is None else worker.leave.reason.value,
        "age_seconds": _rounded(now - worker.born),
        "requests": sight.requests,
        "connections": sight.connections,
        "queued": sight.queued,
        "threads": sight.threads,
        "resident_bytes": sight.resident_bytes,
        "proportional_bytes": sight.proportional_bytes,
        "check": sight.check,
        "running": [
            {"thread": it.thread, "request": it.line, "age_seconds": _rounded(it.age_seconds)}
            for it in sight.calls
        ],
    }


def _rounded(seconds: float) -> float:
    return round(max(0.0, seconds), 3)
