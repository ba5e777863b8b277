"""What a service manager is told, with invented workers and an invented clock."""

from __future__ import annotations

import pytest

from canter.supervisor.notices import EXTENSION_SECONDS, Notices, standing, status_line
from canter.supervisor.notify import notify_address, watchdog_seconds
from canter.supervisor.states import Command
from canter.worker.messages import BootFailed
from tests.supervisor.worlds import PLAN, World, reload, started


def news(notices: Notices, world: World) -> list[str]:
    """What is said now, without what buys time."""
    lines = notices.news(world.roster, world.now)
    return [line for line in lines if not line.startswith(("EXTEND_", "STATUS="))]


def test_ready_is_said_when_all_workers_serve_and_not_before():
    world, notices = World(PLAN), Notices()
    world.act()
    assert news(notices, world) == []
    world.boot_all()
    assert news(notices, world) == ["READY=1"]
    assert news(notices, world) == []


def test_a_reload_begins_with_its_time_and_ends_when_the_new_generation_serves():
    world, notices = started(), Notices()
    news(notices, world)
    reload(world)
    assert news(notices, world) == ["RELOADING=1", f"MONOTONIC_USEC={int(world.now * 1e6)}"]
    assert news(notices, world) == []
    world.boot_all()
    assert news(notices, world) == ["READY=1"]


def test_a_reload_that_fails_is_over_as_well():
    world, notices = started(), Notices()
    news(notices, world)
    (first, _) = reload(world)
    news(notices, world)
    world.hear(first, BootFailed(3, "no database", ""))
    assert news(notices, world) == ["READY=1"]


def test_a_reload_asked_for_during_another_is_answered_with_its_own_time():
    world, notices = started(), Notices()
    reload(world)
    news(notices, world)
    world.now += 1
    world.roster.request_reload()
    assert news(notices, world) == ["RELOADING=1", f"MONOTONIC_USEC={int(world.now * 1e6)}"]


@pytest.mark.parametrize("command", [Command.STOP_GRACEFULLY, Command.STOP_AT_ONCE])
def test_stopping_is_said_once(command: Command):
    world, notices = started(), Notices()
    news(notices, world)
    world.roster.request_stop(command, world.now)
    assert news(notices, world) == ["STOPPING=1"]
    world.roster.request_stop(Command.STOP_AT_ONCE, world.now)
    assert news(notices, world) == []


def test_time_is_asked_for_as_long_as_something_takes_time():
    world, notices = World(PLAN), Notices()
    world.act()
    wanted = f"EXTEND_TIMEOUT_USEC={int(EXTENSION_SECONDS * 1e6)}"
    for _ in range(3):
        assert wanted in notices.news(world.roster, world.now)
        assert wanted not in notices.news(world.roster, world.now)
        world.now = notices.next_deadline(world.roster)
    world.boot_all()
    world.now += 100
    assert wanted not in notices.news(world.roster, world.now)
    assert notices.next_deadline(world.roster) == float("inf")


def test_signs_of_life_come_twice_as_often_as_the_watchdog_wants():
    world, notices = started(), Notices(watchdog_seconds=3.0)
    assert notices.sign_of_life(world.now) == ["WATCHDOG=1"]
    assert notices.sign_of_life(world.now + 1.4) == []
    assert notices.next_deadline(world.roster) == world.now + 1.5
    assert notices.sign_of_life(world.now + 1.5) == ["WATCHDOG=1"]


def test_without_a_watchdog_there_are_none():
    world, notices = started(), Notices()
    assert notices.sign_of_life(world.now) == []


def test_the_status_tells_people_what_goes_on():
    world = World(PLAN)
    world.act()
    assert status_line(world.roster) == "starting: 0 of 2 workers ready, generation 1"
    world.boot_all()
    assert status_line(world.roster) == "serving: 2 of 2 workers ready, generation 1"
    reload(world)
    assert status_line(world.roster).startswith("reloading; meanwhile 2 of 2 workers ready")
    world.boot_all()
    world.leave_all()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    assert status_line(world.roster) == "stopping: 2 workers left"


def test_a_status_stays_one_line():
    world, notices = started(), Notices()
    world.die(world.pids[0])
    world.hear(world.pids[-1], BootFailed(3, "first\nREADY=1\nthird", ""))
    lines = notices.news(world.roster, world.now)
    assert all("\n" not in line for line in lines)
    assert standing(world.roster).name == "READY"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_a_watchdog_for_somebody_else_is_not_ours(
    environment: dict[str, str], seconds: float | None
):
    assert watchdog_seconds(environment, 7) == seconds


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/systemd/notify", "/run/systemd/notify"),
        ("@notify", "\0notify"),
        ("vsock:2:1", None),
        ("relative", None),
        ("", None),
    ],
)
def test_a_path_or_an_abstract_name_is_an_address(text: str, address: str | None):
    assert notify_address({"NOTIFY_SOCKET": text}) == address
