"""Workers that die, fail to start, or behave oddly: what works goes on."""

from __future__ import annotations

import pytest

from canter.supervisor.actions import Fork, Push, Reason, Signal
from canter.supervisor.policy import LOST_SECONDS
from canter.supervisor.states import Phase
from canter.worker.messages import BootFailed, Leaving, Ready
from canter.worker.states import ImpossibleEventError, WorkerState
from tests.supervisor.worlds import of_kind, only, plan, started


def test_a_dead_worker_is_replaced_at_once():
    world = started()
    assert world.die(101, requests=10) == [Fork(1)]
    world.boot_all()
    assert world.serving() == [102, 103]


def test_workers_that_serve_and_die_are_replaced_at_once_every_time():
    world = started()
    for _ in range(50):
        victim = world.serving()[0]
        assert of_kind(world.die(victim, requests=1), Fork) == [Fork(1)]
        world.boot_all()


def test_workers_that_die_young_are_replaced_at_a_growing_distance():
    world = started()
    world.die(101)
    waits = []
    for _ in range(5):
        world.boot_all()
        waits.append(world.now)
        world.die(world.pids[-1])
        while not of_kind(world.act(), Fork):
            if world.pids[-1] != 102:
                break
            world.now += 0.1
        waits[-1] = world.now - waits[-1]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(0.5, abs=0.11)
    assert waits[-1] == pytest.approx(8.0, abs=0.11)


def test_while_starting_fails_tries_go_one_by_one_and_what_works_goes_on():
    world = started(plan(workers=4))
    for pid in (102, 103, 104):
        world.die(pid)
    for _ in range(6):
        booting = [p for p in world.pids if world.handle(p).state is WorkerState.BOOTING]
        for pid in booting:
            world.hear(pid, BootFailed(3, "no database", ""))
            world.die(pid)
        assert 101 in world.serving()
        world.advance(60)
        assert len(world.pids) == 2, "the survivor and one try"
    world.boot_all()
    world.boot_all()
    world.boot_all()
    assert len(world.serving()) == 4, "when starting works again the pool fills up"
    assert world.roster.phase is Phase.RUNNING


def test_nobody_left_and_starting_fails_never_ends_the_supervisor():
    world = started(plan(workers=1))
    world.die(101)
    for _ in range(20):
        for pid in world.pids:
            world.hear(pid, BootFailed(3, "no database", ""))
            world.die(pid)
        world.advance(60)
    assert world.roster.phase is Phase.RUNNING
    world.boot_all()
    assert len(world.serving()) == 1


def test_a_lack_of_processes_is_waited_out():
    world = started()
    world.can_fork = False
    world.die(101, requests=1)
    tried = len(of_kind(world.done, Fork))
    world.advance(0.1)
    assert len(of_kind(world.done, Fork)) == tried, "no busy loop"
    world.can_fork = True
    world.advance(60)
    world.boot_all()
    assert len(world.serving()) == 2


def test_a_worker_that_was_told_to_stop_by_somebody_else_is_replaced():
    world = started()
    assert world.hear(101, Leaving()) == [Fork(1)]
    world.boot_all()
    assert world.die(101) == []
    assert world.serving() == [102, 103]


def test_a_worker_that_hangs_up_and_lives_on_is_made_to_leave():
    world = started()
    world.roster.note_hang_up(world.handle(101), world.now)
    assert world.advance(LOST_SECONDS / 2) == []
    actions = world.advance(LOST_SECONDS)
    signal = only(actions, Signal)
    assert (signal.pid, signal.reason, signal.push) == (101, Reason.LOST, Push.TERM)
    assert only(actions, Fork) == Fork(1)


def test_a_worker_that_does_not_keep_to_the_order_of_things_is_refused():
    world = started()
    with pytest.raises(ImpossibleEventError):
        world.hear(101, Ready())
