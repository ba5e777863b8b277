"""Whatever happens, in whatever order: it comes to rest, recovers, and stops."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canter.supervisor.states import Command, GenerationState
from canter.worker.messages import (
    BootFailed,
    Expired,
    Leaving,
    Message,
    Ready,
    Serving,
    WantsReplacement,
)
from canter.worker.states import ImpossibleEventError
from tests.supervisor.worlds import World, plan, started

EVENTS = [
    "ready",
    "serving",
    "fail",
    "die",
    "die useful",
    "wants",
    "leaving",
    "stuck",
    "hang up",
    "hup",
    "ttin",
    "ttou",
    "time",
    "no fork",
    "fork",
]


def happen(world: World, event: str, pick: int) -> None:
    """One event, to some worker where it is a worker's."""
    roster = world.roster
    if event in {"hup", "ttin", "ttou", "time", "no fork", "fork"} or not world.pids:
        if event == "hup":
            roster.request_reload()
        elif event in {"ttin", "ttou"}:
            roster.change_wanted(1 if event == "ttin" else -1)
        elif event == "time":
            world.now += pick
        elif event in {"fork", "no fork"}:
            world.can_fork = event == "fork"
        return
    pid = world.pids[pick % len(world.pids)]
    messages: dict[str, Message] = {
        "ready": Ready(),
        "serving": Serving(),
        "fail": BootFailed(3, "no", ""),
        "wants": WantsReplacement(),
        "leaving": Leaving(),
        "stuck": Expired(0, 5, was_running=True),
    }
    try:
        if event in messages:
            roster.hear(world.handle(pid), messages[event], world.now)
        elif event == "hang up":
            roster.note_hang_up(world.handle(pid), world.now)
        else:
            roster.note_death(world.handle(pid), event == "die useful", "died", world.now)
    except ImpossibleEventError:
        pass


stories = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 70)), max_size=60)


@given(stories)
def test_whatever_happens_it_comes_to_rest_within_bounds(story: list[tuple[str, int]]):
    world = World(plan(max_workers=8))
    world.act()
    for event, pick in story:
        happen(world, event, pick)
        world.act()
        for generation in world.roster.generations.values():
            assert len(world.roster.workers_of(generation)) <= generation.plan.max_workers


@given(stories)
def test_after_any_story_a_running_server_recovers_by_itself(story: list[tuple[str, int]]):
    world = started()
    for event, pick in story:
        happen(world, event, pick)
        world.act()
    world.can_fork = True
    for _ in range(200):
        world.boot_all()
        for pid in [p for p in world.pids if world.handle(p).lost_at is not None]:
            world.die(pid)
        world.leave_all()
        world.advance(10)
    live = world.roster.in_state(GenerationState.LIVE)
    assert live is not None
    assert len(world.serving()) == live.wanted
    assert list(world.roster.generations.values()) == [live]


@given(stories, st.sampled_from([Command.STOP_GRACEFULLY, Command.STOP_AT_ONCE]))
def test_after_any_story_a_stop_ends(story: list[tuple[str, int]], command: Command):
    world = World()
    world.act()
    for event, pick in story:
        happen(world, event, pick)
        world.act()
        if world.roster.is_over:
            return
    world.roster.request_stop(command, world.now)
    world.act()
    for _ in range(20):
        world.leave_all()
        world.advance(10)
    assert world.roster.is_over
