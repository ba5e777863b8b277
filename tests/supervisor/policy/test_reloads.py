"""A new generation is proven before the old one leaves; a broken one changes nothing."""

from __future__ import annotations

import pytest

from canter.supervisor.actions import (
    BeginGeneration,
    Discard,
    Forget,
    Fork,
    Promote,
    Reason,
    Signal,
    TellToDrain,
)
from canter.supervisor.states import Phase
from canter.worker.messages import BootFailed, Ready, Serving
from canter.worker.states import WorkerState
from tests.supervisor.worlds import of_kind, reload, started, told_to_leave


def test_a_new_generation_is_proven_beside_the_live_one():
    world = started()
    new = reload(world)
    assert len(new) == 2
    assert world.serving() == [101, 102]
    world.hear(new[0], Ready())
    assert world.serving() == [101, 102]
    assert world.handle(new[0]).told_to_serve_at is None, "nobody serves before all are proven"


def test_the_old_generation_leaves_when_all_of_the_new_serve():
    world = started()
    new = reload(world)
    for pid in new:
        world.hear(pid, Ready())
    assert told_to_leave(world.hear(new[0], Serving())) == []
    actions = world.hear(new[1], Serving())
    assert actions[0] == Promote(2)
    assert told_to_leave(actions) == [101, 102]
    assert all(not a.answer_backlog for a in actions if isinstance(a, TellToDrain))
    world.die(101)
    assert world.die(102) == [Forget(1)]
    assert world.serving() == new


def test_a_generation_that_had_trouble_before_retires_like_any_other():
    world = started()
    world.die(101)
    world.boot_all()
    assert world.generation(1).failure is not None
    reload(world)
    world.boot_all()
    drains = [action for action in world.done if isinstance(action, TellToDrain)]
    assert {action.reason for action in drains} == {Reason.RETIRED}


def test_where_an_address_is_given_up_the_old_generation_empties_its_queue():
    world = started()
    world.generation(1).answers_backlog_at_retirement = True
    new = reload(world)
    world.boot_all()
    drains = [a for a in world.done if isinstance(a, TellToDrain)]
    assert [a.pid for a in drains] == [101, 102]
    assert all(a.answer_backlog for a in drains)
    assert world.serving() == new


def test_a_generation_that_cannot_boot_is_discarded_and_the_old_one_serves_on():
    world = started()
    new = reload(world)
    actions = world.hear(new[0], BootFailed(3, "SyntaxError", "Traceback"))
    assert actions[0] == Discard(2)
    assert told_to_leave(actions) == [new[1]]
    world.leave_all()
    assert world.serving() == [101, 102]
    assert world.roster.phase is Phase.RUNNING
    assert list(world.roster.generations) == [1]


@pytest.mark.parametrize("moment", [WorkerState.BOOTING, WorkerState.READY, WorkerState.SERVING])
def test_a_death_in_a_new_generation_discards_it_at_any_moment(moment: WorkerState):
    world = started()
    new = reload(world)
    if moment is not WorkerState.BOOTING:
        for pid in new:
            world.hear(pid, Ready())
    if moment is WorkerState.SERVING:
        world.hear(new[0], Serving())
    assert Discard(2) in world.die(new[0])
    world.leave_all()
    assert world.serving() == [101, 102]


def test_a_generation_that_takes_too_long_is_discarded():
    world = started()
    reload(world)
    actions = world.advance(60.1)
    assert len(of_kind(actions, Signal)) == 2
    assert Discard(2) in actions
    assert world.serving() == [101, 102]
    failure = world.generation(2).failure
    assert failure is not None
    assert "within 60 s" in failure.message


def test_a_worker_that_is_told_to_serve_and_does_not_is_given_up():
    world = started()
    for pid in reload(world):
        world.hear(pid, Ready())
    assert Discard(2) in world.advance(60.1)


def test_after_a_failed_reload_the_next_one_succeeds():
    world = started()
    new = reload(world)
    world.hear(new[0], BootFailed(3, "SyntaxError", ""))
    world.leave_all()
    new = reload(world)
    world.boot_all()
    world.leave_all()
    assert world.serving() == new


def test_a_hundred_reloads_asked_for_at_once_are_two_at_most():
    world = started()
    world.roster.request_reload()
    world.act()
    for _ in range(99):
        world.roster.request_reload()
        world.act()
    for _ in range(5):
        world.boot_all()
        world.leave_all()
    assert len(of_kind(world.done, BeginGeneration)) == 2
    assert len(world.serving()) == 2


def test_a_worker_that_dies_while_a_generation_boots_is_replaced_in_the_old_one():
    world = started()
    reload(world)
    assert world.die(101, requests=1) == [Fork(1)]
