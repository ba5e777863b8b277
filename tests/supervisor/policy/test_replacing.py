"""Replacements come first; the number of workers is what is wanted."""

from __future__ import annotations

from canter.supervisor.actions import Fork, Reason, TellToDrain, TellToServe
from canter.supervisor.roster import KILL_MARGIN_SECONDS
from canter.supervisor.states import Phase
from canter.worker.messages import BootFailed, Ready, Serving, WantsReplacement
from canter.worker.states import WorkerState
from tests.supervisor.worlds import World, only, plan, started


def test_a_worker_that_asks_is_replaced_before_it_leaves():
    world = started()
    assert world.hear(101, WantsReplacement()) == [Fork(1)]
    assert world.hear(103, Ready()) == [TellToServe(103)]
    (drain,) = world.hear(103, Serving())
    assert drain == TellToDrain(
        101,
        Reason.RECYCLED,
        answer_backlog=False,
        within_seconds=20.0,
        kill_after_seconds=20.0 + KILL_MARGIN_SECONDS,
    )
    assert world.die(101) == []
    assert world.serving() == [102, 103]


def test_workers_that_ask_together_are_replaced_one_by_one():
    world = started(plan(workers=4))
    for pid in (101, 102, 103, 104):
        world.hear(pid, WantsReplacement())
    most = 0
    while of_worn := [p for p in world.serving() if p <= 104]:
        assert len(world.serving()) >= 4
        world.boot_all()
        leaving = [p for p in world.pids if world.handle(p).leave is not None]
        assert len(leaving) == 1
        most = max(most, len(world.pids))
        world.leave_all()
        assert len([p for p in world.serving() if p <= 104]) == len(of_worn) - 1
    assert most == 5
    assert len(world.serving()) == 4


def test_a_replacement_that_cannot_start_leaves_the_worn_worker_serving():
    world = started()
    world.hear(101, WantsReplacement())
    for _ in range(5):
        for pid in world.pids:
            if world.handle(pid).state is WorkerState.BOOTING:
                world.hear(pid, BootFailed(3, "no database", ""))
                world.die(pid)
        world.advance(100)
    assert world.serving() == [101, 102]


def test_one_more_worker_and_one_less():
    world = started()
    assert world.roster.change_wanted(1) == 3
    assert world.act() == [Fork(1)]
    world.boot_all()
    assert world.serving() == [101, 102, 103]
    assert world.roster.change_wanted(-1) == 2
    drain = only(world.act(), TellToDrain)
    assert (drain.pid, drain.reason) == (101, Reason.EXCESS), "the oldest leaves"
    world.leave_all()
    assert world.serving() == [102, 103]


def test_there_is_always_one_worker():
    world = started()
    assert world.roster.change_wanted(-1) == 1
    assert world.roster.change_wanted(-1) is None
    world.act()
    assert len(world.serving()) == 1


def test_the_scoreboard_bounds_the_workers():
    world = started(plan(max_workers=8))
    while world.roster.change_wanted(1) is not None:
        world.act()
        world.boot_all()
    assert len(world.serving()) == 4


def emptied() -> World:
    world = started()
    assert world.roster.empty()
    world.act()
    world.leave_all()
    assert world.pids == []
    assert world.roster.phase is Phase.RUNNING
    return world


def test_a_supervisor_can_be_emptied_and_filled_again_by_a_reload():
    world = emptied()
    world.roster.request_reload()
    world.act()
    world.boot_all()
    assert len(world.serving()) == 2
    assert world.roster.refill() is None


def test_one_more_worker_for_an_emptied_supervisor_is_one():
    world = emptied()
    assert world.roster.change_wanted(1) == 1
    world.act()
    world.boot_all()
    assert len(world.serving()) == 1


def test_an_emptied_supervisor_can_be_filled_as_it_was_before():
    world = emptied()
    assert not world.roster.empty()
    assert world.roster.refill() == 2
    world.act()
    world.boot_all()
    assert len(world.serving()) == 2
