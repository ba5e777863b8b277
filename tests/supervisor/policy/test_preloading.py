"""A generation with a fork server: one process imports, and workers are forked from it."""

from __future__ import annotations

import itertools

from canter.supervisor.actions import (
    Discard,
    Forget,
    Fork,
    Kill,
    Preload,
    Promote,
    Push,
    Reason,
    Signal,
    TellToServe,
)
from canter.supervisor.policy import FORK_SECONDS, decide, tick_seconds
from canter.supervisor.states import Command, Phase
from canter.worker.messages import BootFailed, Forked, NotForked, Ready, Serving
from tests.supervisor.worlds import World, of_kind, only, plan, reload, told_to_leave

PRELOADING = plan(preloads=True)


def started() -> World:
    """Fork server 101, workers 102 and 103."""
    world = World(PRELOADING)
    world.act()
    world.hear(101, Ready())
    assert world.fork_all() == [102, 103]
    world.boot_all()
    assert world.serving() == [102, 103]
    return world


def test_workers_are_forked_when_the_application_has_been_imported():
    world = World(PRELOADING)
    assert world.act() == [Preload(1)]
    assert world.advance(10) == []
    assert world.hear(101, Ready()) == [Fork(1), Fork(1)]
    assert world.advance(1) == [], "each is asked for once"


def test_a_worker_that_dies_is_forked_again_and_nothing_is_imported():
    world = started()
    assert world.die(102, requests=1) == [Fork(1)]
    (new,) = world.fork_all()
    world.boot_all()
    assert world.serving() == [103, new]


def test_a_fork_server_that_dies_is_replaced_and_its_workers_go_on():
    world = started()
    world.now += 100
    assert world.die(101) == [Preload(1)]
    assert world.serving() == [102, 103]
    world.hear(104, Ready())
    assert world.die(102, requests=1) == [Fork(1)]
    assert world.fork_all() == [105]


def test_what_a_dead_fork_server_owed_is_asked_of_the_next():
    world = started()
    world.now += 100
    world.die(102, requests=1)
    assert world.die(101) == [Preload(1)]
    assert world.hear(104, Ready()) == [Fork(1)]


def test_a_fork_server_that_dies_young_is_replaced_at_a_growing_distance():
    world = started()
    world.die(101)
    starts = [world.now]
    for _ in range(4):
        world.die(world.pids[-1])
        while not of_kind(world.act(), Preload):
            world.now += 0.1
        starts.append(world.now)
    waits = [later - sooner for sooner, later in itertools.pairwise(starts)]
    assert waits == sorted(waits)
    assert waits[-1] > 2
    assert world.serving() == [102, 103]


def test_a_reload_imports_anew_beside_the_old_one():
    world = started()
    (server,) = reload(world)
    world.hear(server, Ready())
    workers = world.fork_all()
    for pid in workers:
        assert world.roster.handles[pid].generation == 2
    assert world.serving() == [102, 103]
    world.boot_all()
    assert Promote(2) in world.done
    assert told_to_leave(world.done) == [101, 102, 103]
    assert only(world.done, Signal) == Signal(101, Reason.RETIRED, Push.TERM, 2.0)
    world.leave_all()
    assert Forget(1) in world.done
    assert world.serving() == workers


def test_an_import_that_fails_discards_the_generation():
    world = started()
    (server,) = reload(world)
    assert Discard(2) in world.hear(server, BootFailed(3, "SyntaxError", "Traceback"))
    world.leave_all()
    assert world.serving() == [102, 103]
    assert list(world.roster.generations) == [1]


def test_an_import_that_takes_too_long_discards_the_generation():
    world = started()
    (server,) = reload(world)
    actions = world.advance(60.1)
    assert only(actions, Signal).reason is Reason.SLOW_BOOT
    assert Discard(2) in actions
    failure = world.generation(2).failure
    assert failure is not None
    assert failure.message == "the fork server was not ready within 60 s (boot_timeout)"
    world.die(server)
    assert world.serving() == [102, 103]


def test_an_import_that_fails_at_the_very_start_ends_the_server():
    world = World(PRELOADING)
    world.act()
    world.hear(101, BootFailed(3, "SyntaxError", "Traceback"))
    assert world.roster.exit_status == 3
    world.die(101)
    assert world.roster.phase is Phase.ENDED


def test_a_fork_server_that_does_not_fork_is_replaced():
    world = started()
    world.die(102, requests=1)
    actions = world.advance(FORK_SECONDS)
    assert only(actions, Signal) == Signal(101, Reason.FROZEN, Push.ABRT, 1.0)
    assert Preload(1) in actions
    assert Kill(101) in world.advance(1)


def test_a_fork_that_fails_is_tried_again_after_a_while():
    world = started()
    world.die(102, requests=1)
    (ticket,) = world.handle(101).asked
    assert world.hear(101, NotForked(ticket, "no process left", "")) == [Fork(1)]
    (ticket,) = world.handle(101).asked
    assert world.hear(101, NotForked(ticket, "no process left", "")) == []
    assert world.advance(1) == [Fork(1)]
    failure = world.generation(1).failure
    assert failure is not None
    assert failure.message == "no process left"


def test_a_stop_ends_the_fork_server_at_once():
    world = started()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    assert told_to_leave(world.act()) == [101, 102, 103]


def test_a_worker_that_was_forked_as_its_generation_left_leaves_too():
    world = started()
    world.die(102, requests=1)
    (server,) = reload(world)
    world.hear(server, Ready())
    (late, *new) = world.fork_all()
    assert (world.handle(late).generation, world.handle(new[0]).generation) == (1, 2)
    for pid in new:
        world.hear(pid, Ready())
    for pid in new:
        world.hear(pid, Serving())
    leave = world.handle(late).leave
    assert leave is not None
    assert leave.reason is Reason.RETIRED


def test_nothing_need_be_looked_at_while_all_goes_well():
    world = World(plan(preloads=True, timeout_seconds=0.0))
    world.act()
    world.hear(101, Ready())
    assert tick_seconds(world.roster) is not None, "a fork may hang"
    world.fork_all()
    world.boot_all()
    assert tick_seconds(world.roster) is None
    assert decide(world.roster, world.now, {}) == []


def test_workers_of_a_new_generation_serve_together():
    world = World(PRELOADING)
    world.act()
    world.hear(101, Ready())
    first, second = world.fork_all()
    assert world.hear(first, Ready()) == []
    assert of_kind(world.hear(second, Ready()), TellToServe) == [
        TellToServe(first),
        TellToServe(second),
    ]


def test_an_answer_to_nothing_changes_nothing():
    world = started()
    assert world.hear(101, Forked(77, 1)) == []
