"""The scoreboard as the policy and the journal want it: ages instead of moments."""

from __future__ import annotations

import time

from canter.observe.records import without_query
from canter.observe.scoreboard import Field, WorkerSlot
from canter.supervisor.ledger import Noted, Tally
from canter.supervisor.memory import UNKNOWN, Memory
from canter.supervisor.policy import Reading, Running
from canter.supervisor.reports import describe_running
from canter.supervisor.status import Call, Sight
from canter.worker.checkup import Verdict


def read_slot(slot: WorkerSlot, now: float, awake_since: float) -> Reading:
    """One worker's slot at `now`.

    Ages count from `awake_since` at the earliest, the end of the supervisor's last long pause: if
    the whole machine or container stood still, no worker is to blame for that.
    """

    def age_seconds(since_ns: int) -> float:
        return now - max(since_ns / 1e9, awake_since)

    heartbeat_ns = slot.heartbeat_ns
    return Reading(
        state=slot.state,
        silence_seconds=age_seconds(heartbeat_ns) if heartbeat_ns else None,
        running=tuple(
            Running(request.thread, request.started_ns, age_seconds(request.started_ns))
            for request in slot.running()
        ),
    )


def sight_slot(slot: WorkerSlot, memory: Memory = UNKNOWN) -> Sight:
    """One worker's slot for `canter status`, with the ages that a person would measure."""
    now_ns = time.monotonic_ns()
    calls = tuple(
        Call(request.thread, request.line, (now_ns - request.started_ns) / 1e9)
        for request in slot.running()
    )
    words = slot.words
    return Sight(
        requests=slot.requests,
        connections=slot.connections,
        queued=slot.queued,
        threads=slot.threads,
        calls=calls,
        resident_bytes=memory.resident,
        proportional_bytes=memory.proportional,
        by_state={
            "idle": int(words[Field.IDLE]),
            "reading": int(words[Field.READING]),
            "sending": int(words[Field.SENDING]),
            "running": len(calls),
        },
        tally=tally_of(slot),
        check=Verdict(words[Field.CHECK]).name.lower(),
        noted=noted_in(slot),
    )


def noted_in(slot: WorkerSlot) -> tuple[Noted, ...]:
    """The last requests of a worker that failed or were slow, without their query strings."""
    epoch = time.time() - time.monotonic()
    return tuple(
        Noted(
            at=round(epoch + (it.began_ns + it.took_ns) / 1e9, 3),
            pid=slot.pid,
            request=without_query(it.line),
            status=it.status,
            outcome=it.outcome.value,
            seconds=round(it.took_ns / 1e9, 6),
        )
        for it in slot.noted.all()
    )


def tally_of(slot: WorkerSlot) -> Tally:
    """What the worker of `slot` has counted."""
    words = slot.words
    return Tally(
        accepted=int(words[Field.ACCEPTED]),
        aborted=int(words[Field.ABORTED]),
        bytes_in=int(words[Field.BYTES_IN]),
        bytes_out=int(words[Field.BYTES_OUT]),
        log_lines_dropped=int(words[Field.LOG_DROPPED]),
        meter=tuple(slot.meter_words),
    )


def running_lines(slot: WorkerSlot) -> list[str]:
    """What a worker runs now, a phrase for each request."""
    now_ns = time.monotonic_ns()
    return [
        describe_running(request.line, (now_ns - request.started_ns) / 1e9)
        for request in slot.running()
    ]
