"""The report has everything that the roster and the board know, in plain values."""

from __future__ import annotations

import json

from canter.supervisor.status import Call, Facts, Sight, status_report
from canter.worker.messages import BootFailed
from tests.supervisor.worlds import reload, started

FACTS = Facts("1.2", 7, 61.23456, "shop", ["http://127.0.0.1:8000"], "info")
IDLE = Sight(requests=5, connections=2, queued=0, threads=4, calls=())


def test_the_report_tells_of_the_server_and_of_what_each_thread_runs():
    world = started()
    world.now += 2.5
    busy = Sight(9, 3, 6, 4, (Call(1, "GET /slow HTTP/1.1", 1.23456),))
    report = status_report(world.roster, {101: busy, 102: IDLE}, FACTS, world.now)
    (generation,) = report.pop("generations")
    assert report == {
        "version": "1.2",
        "pid": 7,
        "phase": "running",
        "age_seconds": 61.235,
        "application": "shop",
        "addresses": ["http://127.0.0.1:8000"],
        "log_level": "info",
        "queued": 6,
    }
    first, second = generation.pop("workers")
    assert generation == {
        "number": 1,
        "state": "live",
        "wanted": 2,
        "boot_seconds": 0.0,
        "failure": None,
        "fork_server": None,
    }
    assert first == {
        "pid": 101,
        "state": "serving",
        "leaves_because": None,
        "age_seconds": 2.5,
        "requests": 9,
        "connections": 3,
        "queued": 6,
        "threads": 4,
        "resident_bytes": 0,
        "proportional_bytes": 0,
        "check": "not_asked",
        "running": [{"thread": 1, "request": "GET /slow HTTP/1.1", "age_seconds": 1.235}],
    }
    assert (second["pid"], second["running"]) == (102, [])


def test_generations_that_leave_or_failed_say_so():
    world = started()
    new = reload(world)
    world.hear(new[0], BootFailed(3, "no database", "Traceback"))
    report = status_report(world.roster, dict.fromkeys(world.pids, IDLE), FACTS, world.now)
    live, failed = report["generations"]
    assert (live["state"], failed["state"]) == ("live", "failed")
    assert failed["failure"] == "no database"
    assert failed["workers"][1]["leaves_because"] == "its generation could not be started"
    json.dumps(report)


def test_a_clock_that_is_a_moment_behind_makes_no_age_negative():
    world = started()
    sight = Sight(0, 0, 0, 1, (Call(0, "GET /", -0.0001),))
    report = status_report(world.roster, {101: sight, 102: IDLE}, FACTS, world.now - 1)
    worker = report["generations"][0]["workers"][0]
    assert worker["age_seconds"] == 0
    assert worker["running"][0]["age_seconds"] == 0
