"""The board is written in one process and read in another, word by word."""

from __future__ import annotations

import os
import random
import threading
import time

from canter.observe.outcomes import Outcome
from canter.observe.records import LINE_BYTES
from canter.observe.scoreboard import Field, RunningRequest, Scoreboard


def test_a_child_process_writes_what_its_parent_reads():
    board = Scoreboard(workers=2, threads=3)
    pid = os.fork()
    if pid == 0:
        slot = board.slot(1)
        slot.words[Field.PID] = os.getpid()
        slot.words[Field.REQUESTS] += 7
        slot.thread(2).begin(12345, b"GET /slow")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    slot = board.slot(1)
    assert slot.pid == pid
    assert slot.requests == 7
    assert slot.running() == [RunningRequest(thread=2, started_ns=12345, line="GET /slow")]


def test_slots_and_threads_do_not_overlap():
    board = Scoreboard(workers=3, threads=4)
    # Every word of the board gets a value of its own; each must still be there afterwards.
    for number, slot in enumerate(board.slots()):
        for field in Field:
            slot.words[field] = 1000 * number + field
        for thread in range(slot.threads):
            slot.thread(thread).begin(10 * number + thread + 1, b"%d" % (100 * number + thread))
    for number, slot in enumerate(board.slots()):
        assert [slot.words[field] for field in Field] == [1000 * number + field for field in Field]
        assert slot.running() == [
            RunningRequest(thread, 10 * number + thread + 1, str(100 * number + thread))
            for thread in range(4)
        ]


def test_properties_read_the_fields_they_are_named_after():
    slot = Scoreboard(workers=1, threads=1).slot(0)
    named = {
        Field.PID: "pid",
        Field.GENERATION: "generation",
        Field.STATE: "state",
        Field.STARTED_NS: "started_ns",
        Field.HEARTBEAT_NS: "heartbeat_ns",
        Field.CONNECTIONS: "connections",
        Field.QUEUED: "queued",
        Field.REQUESTS: "requests",
    }
    for field in named:
        slot.words[field] = 50 + field
    assert {name: getattr(slot, name) for name in named.values()} == {
        name: 50 + field for field, name in named.items()
    }


def test_a_thread_that_has_ended_its_request_runs_nothing():
    slot = Scoreboard(workers=1, threads=1).slot(0)
    slot.thread(0).begin(5, b"GET /")
    slot.thread(0).end(6, 200)
    assert slot.running() == []
    assert slot.thread(0).started_ns == 0


def test_a_long_request_line_is_cut_and_never_touches_the_next_thread():
    slot = Scoreboard(workers=1, threads=2).slot(0)
    slot.thread(1).begin(9, b"GET /neighbour")
    slot.thread(0).begin(8, b"GET /" + b"x" * 5000)
    assert slot.thread(0).line == ("GET /" + "x" * 5000)[:LINE_BYTES]
    assert slot.thread(1).line == "GET /neighbour"


def test_a_shorter_line_leaves_nothing_of_the_longer_one_before_it():
    thread = Scoreboard(workers=1, threads=1).slot(0).thread(0)
    thread.begin(1, b"GET /a/rather/long/path")
    thread.end(2, 200)
    thread.begin(2, b"GET /b")
    assert thread.line == "GET /b"


def test_a_line_cannot_smuggle_control_bytes_into_a_log():
    thread = Scoreboard(workers=1, threads=1).slot(0).thread(0)
    thread.begin(1, b"GET /\x1b[31m\n\xe9")
    assert thread.line == "GET /\\x1b[31m\\x0a\\xe9"


def test_clear_forgets_everything():
    slot = Scoreboard(workers=1, threads=2).slot(0)
    for field in Field:
        slot.words[field] = 3
    slot.thread(1).begin(1, b"GET /")
    slot.clear()
    assert [slot.words[field] for field in Field] == [0] * len(Field)
    assert slot.running() == []


def test_values_have_room_for_years_of_nanoseconds_and_bytes():
    slot = Scoreboard(workers=1, threads=1).slot(0)
    slot.words[Field.BYTES_OUT] = 2**63 + 1
    slot.words[Field.HEARTBEAT_NS] = time.monotonic_ns()
    assert slot.words[Field.BYTES_OUT] == 2**63 + 1


def test_a_reader_never_pairs_a_start_time_with_another_requests_line():
    slot = Scoreboard(workers=1, threads=1).slot(0)
    thread = slot.thread(0)
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            number = random.randrange(1, 10**6)
            thread.begin(number, b"GET /%d" % number)
            thread.end(number + 1, 200)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5000):
            for request in slot.running():
                assert request.line == f"GET /{request.started_ns}"
    finally:
        done.set()
        writer.join()


def test_the_number_of_slots_is_told():
    board = Scoreboard(workers=5, threads=1)
    assert len(board) == 5
    assert [slot.index for slot in board.slots()] == [0, 1, 2, 3, 4]


def test_noted_requests_are_a_ring_and_touch_nothing_else():
    slot = Scoreboard(workers=2, threads=1).slot(0)
    slot.words[Field.OPEN] = 1
    slot.thread(0).begin(9, b"GET /neighbour")
    assert slot.noted.all() == []
    for number in range(1, 40):
        slot.noted.note(number, 10, 500, Outcome.FAILED, b"GET /%d" % number + b"x" * 200)
    kept = slot.noted.all()
    assert [it.began_ns for it in kept] == list(range(24, 40))
    assert kept[-1].line == ("GET /39" + "x" * 200)[:LINE_BYTES]
    assert (kept[-1].took_ns, kept[-1].status, kept[-1].outcome) == (10, 500, Outcome.FAILED)
    assert slot.thread(0).line == "GET /neighbour"
    slot.clear()
    assert slot.noted.all() == []


def test_a_threads_last_requests_are_kept_with_status_and_duration():
    slot = Scoreboard(workers=1, threads=2).slot(0)
    for number in range(1, 30):
        slot.thread(1).begin(100 * number, b"GET /%d" % number)
        slot.thread(1).end(100 * number + 7, 200 + number)
    past = slot.past()
    assert [it.line for it in past] == [f"GET /{n}" for n in range(22, 30)]
    assert (past[-1].took_ns, past[-1].status) == (7, 229)
    slot.thread(1).begin(5000, b"GET /now")
    assert len(slot.past()) == 7
    assert [it.line for it in slot.unfinished()] == ["GET /now"]
    slot.clear()
    assert (slot.past(), slot.unfinished()) == ([], [])
