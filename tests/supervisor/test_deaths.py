"""What is told of a worker that died, and of which."""

from __future__ import annotations

import json

import pytest

from canter.observe.scoreboard import Scoreboard
from canter.supervisor.actions import Reason
from canter.supervisor.deaths import Trend, cause_of, describe_block, is_told, remains_of
from canter.supervisor.reports import Death
from canter.supervisor.roster import Handle, Leave, Wear
from tests.supervisor.worlds import a_block

SECOND_NS = 1_000_000_000
MIB = 1 << 20


def a_worker(reason: Reason | None = None, worn_because: str = "") -> Handle:
    leave = None if reason is None else Leave(reason, 0.0)
    wear = Wear.RECYCLED if worn_because else None
    return Handle(
        123, generation=1, slot=0, born=0.0, leave=leave, wear=wear, worn_because=worn_because
    )


@pytest.mark.parametrize(
    ("reason", "worn", "death", "cause"),
    [
        (None, "", Death(exit_status=7), "exited with status 7"),
        (None, "", Death(signal="SIGSEGV"), "was killed by SIGSEGV (a crash in compiled code"),
        (None, "", Death(signal="SIGKILL", out_of_memory=True), "was killed by SIGKILL (out of"),
        (None, "", Death(signal="SIGKILL", out_of_memory=False), "was killed by SIGKILL (not by c"),
        (Reason.FAILED, "", Death(exit_status=3), "could not start: no database"),
        (Reason.STUCK, "", Death(), "was replaced: a request outlived its time (timeout)"),
        (
            Reason.STUCK,
            "",
            Death(signal="SIGKILL"),
            "was replaced: a request outlived its time (timeout); it was killed by SIGKILL while",
        ),
        (Reason.FROZEN, "", Death(signal="SIGABRT"), "was killed by SIGABRT by canter: it does no"),
        (
            Reason.RECYCLED,
            "it holds 90 MiB of memory, over its max_memory",
            Death(),
            "was replaced: it holds 90 MiB of memory, over its max_memory",
        ),
        (
            Reason.RETIRED,
            "",
            Death(signal="SIGKILL"),
            "had to leave: a newer generation serves; it was killed by SIGKILL while leaving",
        ),
    ],
)
def test_the_cause_names_who_ended_it_and_why(
    reason: Reason | None, worn: str, death: Death, cause: str
):
    handle = a_worker(reason, worn)
    assert is_told(handle, death)
    assert cause_of(handle, death, "no database").startswith(cause)


@pytest.mark.parametrize(
    "handle",
    [
        a_worker(Reason.RETIRED),
        a_worker(Reason.STOPPED),
        a_worker(Reason.EXCESS),
        a_worker(Reason.RECYCLED, "it has reached its max_lifetime"),
    ],
)
def test_an_ordinary_leave_leaves_no_block(handle: Handle):
    assert not is_told(handle, Death())


def test_the_board_tells_what_it_had_and_what_came_before():
    slot = Scoreboard(workers=1, threads=3).slot(0)
    for number in range(20):
        slot.thread(number % 2).begin((number + 1) * SECOND_NS, b"GET /%d?secret=1" % number)
        slot.thread(number % 2).end((number + 1) * SECOND_NS + 5_000_000, 200 + number)
    slot.thread(0).begin(30 * SECOND_NS, b"GET /going?on=1")
    slot.thread(2).begin(25 * SECOND_NS, b"GET /waiting")
    slot.thread(2).pause()
    unfinished, finished = remains_of(slot, 40 * SECOND_NS)
    assert [(it.thread, it.request, it.seconds, it.waits) for it in unfinished] == [
        (2, "GET /waiting", 15.0, True),
        (0, "GET /going?on=1", 10.0, False),
    ]
    assert [it.request for it in finished] == [f"GET /{n}" for n in range(19, 11, -1)]
    assert (finished[0].status, finished[0].seconds) == (219, 0.005)
    assert finished[0].age_seconds == pytest.approx(19.995)


def test_a_block_is_one_text_and_one_json_value():
    block = a_block(a_worker(), Death(exit_status=4))
    first, *rest = describe_block(block).splitlines()
    assert first == "worker 123 exited with status 4"
    assert "  it was running GET /a?secret=1 for 2.5 s in thread 0" in rest
    assert all(line.startswith("  ") for line in rest)
    assert json.loads(json.dumps(block.as_data()))["unfinished"][0]["thread"] == 0


def test_memory_is_remembered_densely_where_it_is_young_and_for_life():
    trend = Trend()
    for second in range(0, 100_000, 2):
        trend.note(float(second), second * MIB)
    weights = trend.weights(100_000.0)
    assert len(weights) < 60
    assert weights[0].resident_bytes == 0, "the first one stays"
    assert weights[-1].age_seconds == 2
    ages = [it.age_seconds for it in weights]
    assert ages == sorted(ages, reverse=True)
    for bound in (10, 100, 1000, 10_000):
        assert any(bound / 2 < age <= 2 * bound for age in ages), bound
