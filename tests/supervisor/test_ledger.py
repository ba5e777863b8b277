"""Totals outlive the workers that counted them."""

from __future__ import annotations

import json

from canter.observe.meter import METER_WORDS, Meter
from canter.supervisor.ledger import EVENTS_KEPT, Ledger, Tally
from canter.supervisor.snapshot import Surroundings, take_snapshot
from canter.supervisor.status import Call, Facts, Sight
from tests.supervisor.worlds import started

AROUND = Surroundings(1000.0, 900.0, "plain", "3.11", {"http://127.0.0.1:8000": 3})
FACTS = Facts("1.2", 7, 61.2, "shop", ["http://127.0.0.1:8000"], "info")


def tally(requests: int) -> Tally:
    words = memoryview(bytearray(8 * METER_WORDS)).cast("Q")
    meter = Meter(words)
    for _ in range(requests):
        meter.note("GET", 200, 1000, 2000, 3000)
    return Tally(accepted=1, bytes_in=10 * requests, meter=tuple(words))


def sight(**changes: object) -> Sight:
    return Sight(0, 0, 0, 2, (), **changes)  # type: ignore[arg-type]


def test_what_the_dead_have_counted_is_added_to_what_the_living_count():
    ledger = Ledger()
    ledger.note_exit(tally(5), "recycled")
    ledger.note_exit(tally(2), "sigkill")
    ledger.note_exit(tally(0), "recycled")
    total = ledger.totals([tally(1), tally(3)])
    assert total.bytes_in == 110
    assert total.accepted == 5
    assert dict(ledger.exits) == {"recycled": 2, "sigkill": 1}


def test_only_so_many_events_are_kept():
    ledger = Ledger()
    for number in range(EVENTS_KEPT + 3):
        ledger.note_event(float(number), "live", str(number))
    assert [ledger.events[0].text, ledger.events[-1].text] == ["3", str(EVENTS_KEPT + 2)]


def test_a_snapshot_is_json_and_adds_up():
    world = started()
    ledger = Ledger()
    ledger.note_exit(tally(5), "recycled")
    ledger.note_reload(succeeded=True)
    ledger.note_event(950.0, "live", "generation 1 serves")
    busy = Sight(9, 3, 1, 2, (Call(1, "GET /slow?key=secret HTTP/1.1", 1.2),), tally=tally(4))
    sights = {101: busy, 102: sight(by_state={"idle": 4})}
    shot = take_snapshot(world.roster, sights, FACTS, ledger, AROUND, world.now)
    json.dumps(shot)
    assert shot["load"] == {
        "threads": 4,
        "busy": 1,
        "utilization": 0.25,
        "queued": 1,
        "connections": {"idle": 4, "reading": 0, "sending": 0, "running": 0},
        "workers": {"serving": 2},
        "backlog": {"http://127.0.0.1:8000": 3},
    }
    assert shot["totals"]["requests"] == {"GET": {"2xx": 9}}
    assert sum(shot["totals"]["times"]["queue"]["counts"]) == 9
    assert shot["reloads"] == {"succeeded": 1, "failed": 0}
    assert shot["events"] == [{"at": 950.0, "kind": "live", "text": "generation 1 serves"}]


def test_a_snapshot_shows_no_query_string():
    world = started()
    calls = (Call(0, "GET /slow?key=secret HTTP/1.1", 1.2), Call(1, "POST /x HTTP/1.1", 0.1))
    sights = {101: Sight(9, 3, 1, 2, calls), 102: sight()}
    shot = take_snapshot(world.roster, sights, FACTS, Ledger(), AROUND, world.now)
    assert "secret" not in json.dumps(shot)
    running = shot["generations"][0]["workers"][0]["running"]
    assert [call["request"] for call in running] == ["GET /slow", "POST /x"]
