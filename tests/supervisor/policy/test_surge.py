"""How many workers may be extra and how many missing while others take their place."""

from __future__ import annotations

import pytest

from canter.supervisor.actions import Discard, Promote, Reason, TellToDrain
from canter.supervisor.roster import Share
from canter.worker.messages import BootFailed, Ready, Serving, WantsReplacement
from canter.worker.states import WorkerState
from tests.supervisor.worlds import World, of_kind, plan, started, told_to_leave

STEPS = 60


def staying(world: World) -> list[int]:
    return [pid for pid, handle in world.roster.handles.items() if handle.leave is None]


def finish(world: World) -> tuple[int, int]:
    """Let the workers do what they are told, one thing at a time; the most and the fewest."""
    most, fewest = len(staying(world)), len(world.serving())
    for _ in range(STEPS):
        for handle in list(world.roster.handles.values()):
            if handle.leave is not None:
                world.die(handle.pid)
                break
            if handle.state is WorkerState.BOOTING:
                world.hear(handle.pid, Ready())
                break
            if handle.state is WorkerState.READY and handle.told_to_serve_at is not None:
                world.hear(handle.pid, Serving())
                break
        most, fewest = max(most, len(staying(world))), min(fewest, len(world.serving()))
    return most, fewest


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "fewest"),
    [
        (None, Share(0), 8, 4),
        (Share(100, is_percentage=True), Share(0), 8, 4),
        (Share(1), Share(0), 5, 4),
        (Share(3), Share(0), 7, 4),
        (Share(0), Share(1), 4, 3),
        (Share(1), Share(1), 5, 3),
        (Share(25, is_percentage=True), Share(25, is_percentage=True), 5, 3),
        (Share(30, is_percentage=True), Share(0), 6, 4),
        (Share(0), Share(30, is_percentage=True), 4, 3),
        (Share(0), Share(100, is_percentage=True), 4, 0),
        (Share(0), Share(10, is_percentage=True), 4, 3),
    ],
)
def test_a_reload_keeps_within_the_bounds_and_comes_to_its_end(
    surge: Share | None, unavailable: Share, most: int, fewest: int
):
    world = started(plan(workers=4, surge=surge, unavailable=unavailable))
    world.roster.request_reload()
    world.act()
    assert finish(world) == (most, fewest)
    assert [world.handle(pid).generation for pid in world.serving()] == [2, 2, 2, 2]
    assert list(world.roster.generations) == [2]
    reasons = {action.reason for action in of_kind(world.done, TellToDrain)}
    assert reasons == {Reason.RETIRED}


@pytest.mark.parametrize("after", [2, 6])
def test_a_reload_may_change_the_number_of_workers(after: int):
    world = started(plan(workers=4, surge=Share(1)))
    world.plan = plan(workers=after, surge=Share(1))
    world.roster.request_reload()
    world.act()
    _, fewest = finish(world)
    assert fewest >= min(4, after)
    assert len(world.serving()) == after
    assert list(world.roster.generations) == [2]


def test_a_step_begins_when_the_one_before_serves():
    world = started(plan(workers=3, surge=Share(1)))
    world.roster.request_reload()
    world.act()
    (new,) = set(world.pids) - {101, 102, 103}
    assert world.serving() == [101, 102, 103]
    world.hear(new, Ready())
    assert told_to_leave(world.hear(new, Serving())) == [101]
    assert len(staying(world)) == 4
    assert of_kind(world.done, Promote)[1:] == [], "the old generation is the live one so far"


def test_when_a_later_worker_fails_the_old_ones_come_back_before_the_new_ones_leave():
    world = started(plan(workers=3, surge=Share(1)))
    world.roster.request_reload()
    world.act()
    for _ in range(2):
        (new,) = [p for p in staying(world) if world.handle(p).state is WorkerState.BOOTING]
        world.hear(new, Ready())
        world.hear(new, Serving())
    assert {world.handle(pid).generation for pid in world.serving()} == {1, 2}
    (last,) = [p for p in staying(world) if world.handle(p).state is WorkerState.BOOTING]
    assert Discard(2) in world.hear(last, BootFailed(3, "no table", ""))
    assert len(world.serving()) == 3, "those that serve stay until others can"
    assert finish(world)[1] == 3
    assert [world.handle(pid).generation for pid in world.serving()] == [1, 1, 1]
    assert list(world.roster.generations) == [1]


def test_a_generation_that_gives_up_an_address_is_proven_whole():
    world = started(plan(workers=3, surge=Share(1)))
    world.roster.request_reload()
    generation = world.roster.add_generation(world.plan)
    generation.is_heir = False
    world.roster.is_reload_wanted = False
    world.act()
    assert finish(world) == (6, 3)


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "fewest"),
    [
        (None, Share(0), 5, 4),
        (Share(2), Share(0), 6, 4),
        (Share(0), Share(1), 4, 3),
        (None, Share(2), 5, 2),
    ],
)
def test_recycling_keeps_within_the_same_bounds(
    surge: Share | None, unavailable: Share, most: int, fewest: int
):
    world = started(plan(workers=4, surge=surge, unavailable=unavailable))
    before = list(world.pids)
    for pid in before:
        world.hear(pid, WantsReplacement())
    seen = len(staying(world)), len(world.serving())
    found = finish(world)
    assert (max(seen[0], found[0]), min(seen[1], found[1])) == (most, fewest)
    assert len(world.serving()) == 4
    assert not set(world.serving()) & set(before)


def test_a_part_of_a_worker_is_extra_and_never_missing():
    quarter = Share(25, is_percentage=True)
    assert [quarter.of_at_least(workers) for workers in (1, 4, 5, 8)] == [1, 1, 2, 2]
    assert [quarter.of_at_most(workers) for workers in (1, 4, 5, 8)] == [0, 1, 1, 2]
    assert (Share(3).of_at_least(2), Share(3).of_at_most(2)) == (3, 3)
