"""One value that says everything about the server now: for metrics, the status page, `canter top`.

It is the report of `canter status` with totals, rates' raw material and the story so far beside it.
Pure; values that JSON takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from canter.observe.meter import counts_by_method, histograms
from canter.observe.records import without_query
from canter.supervisor.ledger import Ledger, Tally
from canter.supervisor.roster import Roster
from canter.supervisor.status import Facts, Sight, status_report


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What only the process knows: times since the epoch, the build, the listen queues."""

    at: float
    started_at: float
    build: str
    python: str
    backlog: Mapping[str, int | None]
    """Connections that wait to be accepted, by address; None where the system does not tell."""
    certificates: Mapping[str, float] = field(default_factory=dict)
    """When each expires (seconds since the epoch), by file."""


def take_snapshot(
    roster: Roster,
    sights: Mapping[int, Sight],
    facts: Facts,
    ledger: Ledger,
    around: Surroundings,
    now: float,
) -> dict[str, Any]:
    """Everything. `now` is the roster's clock; `sights` are by process number."""
    sights = {pid: _without_queries(sight) for pid, sight in sights.items()}
    report = status_report(roster, sights, facts, now)
    totals = ledger.totals(sight.tally for sight in sights.values())
    return {
        **report,
        "at": round(around.at, 3),
        "started_at": round(around.started_at, 3),
        "build": around.build,
        "python": around.python,
        "load": {**load_of(roster, sights), "backlog": dict(around.backlog)},
        "certificates": dict(around.certificates),
        "totals": _totals(totals),
        "exits": dict(ledger.exits),
        "reloads": dict(ledger.reloads),
        "noted": [
            asdict(noted)
            for noted in ledger.last_noted(it for sight in sights.values() for it in sight.noted)
        ],
        "events": [
            {"at": round(event.at, 3), "kind": event.kind, "text": event.text}
            for event in ledger.events
        ],
    }


def _without_queries(sight: Sight) -> Sight:
    """The same with no more of each request line than its method and path."""
    calls = tuple(replace(call, line=without_query(call.line)) for call in sight.calls)
    return replace(sight, calls=calls)


def load_of(roster: Roster, sights: Mapping[int, Sight]) -> dict[str, Any]:
    """How much room there is now: threads, requests, connections, workers."""
    states = Counter(handle.state.name.lower() for handle in roster.handles.values())
    serving = [sights[pid] for pid, h in roster.handles.items() if h.state.name == "SERVING"]
    threads = sum(sight.threads for sight in serving)
    busy = sum(len(sight.calls) for sight in serving)
    connections: Counter[str] = Counter({"idle": 0, "reading": 0, "sending": 0, "running": 0})
    for sight in sights.values():
        connections.update(sight.by_state)
    return {
        "threads": threads,
        "busy": busy,
        "utilization": round(busy / threads, 4) if threads else 0.0,
        "queued": sum(sight.queued for sight in sights.values()),
        "connections": dict(connections),
        "workers": dict(states),
    }


def _totals(tally: Tally) -> dict[str, Any]:
    return {
        "requests": counts_by_method(tally.meter),
        "times": {
            name: {"counts": list(found.counts), "sum_seconds": found.sum_ns / 1e9}
            for name, found in histograms(tally.meter).items()
        },
        "accepted": tally.accepted,
        "aborted": tally.aborted,
        "bytes_in": tally.bytes_in,
        "bytes_out": tally.bytes_out,
        "log_lines_dropped": tally.log_lines_dropped,
    }
