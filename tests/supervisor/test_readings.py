"""From words of the board to ages."""

from __future__ import annotations

import time

from canter.observe.scoreboard import Field, Scoreboard, WorkerSlot
from canter.supervisor.policy import Reading, Running
from canter.supervisor.readings import read_slot, running_lines
from canter.worker.states import WorkerState

SECOND_NS = 1_000_000_000


def a_slot() -> WorkerSlot:
    slot = Scoreboard(workers=1, threads=2).slot(0)
    slot.words[Field.STATE] = WorkerState.SERVING
    slot.words[Field.HEARTBEAT_NS] = 95 * SECOND_NS
    slot.thread(1).begin(70 * SECOND_NS, b"GET /slow")
    return slot


def test_moments_become_ages():
    assert read_slot(a_slot(), 100.0, 0.0) == Reading(
        state=WorkerState.SERVING,
        silence_seconds=5.0,
        running=(Running(1, 70 * SECOND_NS, 30.0),),
    )


def test_after_a_pause_of_everything_ages_count_anew():
    reading = read_slot(a_slot(), 100.0, 99.0)
    assert reading.silence_seconds == 1.0
    assert [request.age_seconds for request in reading.running] == [1.0]


def test_a_loop_that_has_never_come_round_has_no_age():
    slot = a_slot()
    slot.words[Field.HEARTBEAT_NS] = 0
    assert read_slot(slot, 100.0, 0.0).silence_seconds is None


def test_what_runs_is_told_with_its_age():
    slot = Scoreboard(workers=1, threads=1).slot(0)
    slot.thread(0).begin(time.monotonic_ns() - 3 * SECOND_NS, b"GET /slow HTTP/1.1")
    (line,) = running_lines(slot)
    assert line.startswith("GET /slow HTTP/1.1 for 3.")
