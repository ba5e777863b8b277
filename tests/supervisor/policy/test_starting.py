"""The first start: all or nothing, and its exit status."""

from __future__ import annotations

import pytest

from canter.supervisor.actions import (
    BeginGeneration,
    Finish,
    Fork,
    Kill,
    Promote,
    Push,
    Reason,
    Signal,
    TellToServe,
)
from canter.supervisor.policy import ABORT_SECONDS
from canter.supervisor.states import GenerationState, Phase
from canter.worker.messages import BootFailed, Ready, Serving
from tests.supervisor.worlds import World, of_kind, plan


def test_at_the_start_all_wanted_workers_are_forked():
    world = World(plan(workers=3))
    assert world.act() == [Fork(1)] * 3
    assert world.act() == []


def test_workers_serve_together_when_all_are_proven():
    world = World()
    world.act()
    assert world.hear(101, Ready()) == []
    assert world.hear(102, Ready()) == [TellToServe(101), TellToServe(102)]
    assert world.hear(101, Serving()) == []
    assert world.hear(102, Serving()) == [Promote(1)]
    assert world.generation(1).state is GenerationState.LIVE
    assert world.roster.phase is Phase.RUNNING


@pytest.mark.parametrize("status", [3, 4])
def test_a_worker_that_cannot_boot_at_the_first_start_ends_it_with_its_status(status: int):
    world = World()
    world.act()
    world.hear(102, BootFailed(status, "no such module", "Traceback ..."))
    assert world.roster.phase is Phase.HURRYING
    assert world.roster.failure is not None
    assert world.roster.failure.traceback == "Traceback ..."
    world.die(102)
    assert world.die(101)[-1] == Finish()
    assert world.roster.is_over
    assert world.roster.exit_status == status


def test_a_worker_that_dies_at_the_first_start_ends_it():
    world = World()
    world.act()
    world.die(101)
    world.die(102)
    assert world.roster.is_over
    assert world.roster.exit_status == 3


def test_a_worker_that_is_not_ready_in_time_ends_the_first_start():
    world = World(plan(workers=1, boot_seconds=10.0))
    world.act()
    assert world.advance(9.9) == []
    assert world.advance(0.2)[0] == Signal(101, Reason.SLOW_BOOT, Push.ABRT, ABORT_SECONDS)
    assert world.advance(ABORT_SECONDS)[0] == Kill(101)
    world.die(101)
    assert world.roster.exit_status == 3


def test_a_start_without_processes_to_be_had_fails():
    world = World()
    world.can_fork = False
    world.act()
    assert world.roster.is_over
    assert world.roster.exit_status == 3


def test_a_reload_asked_for_during_the_start_waits_for_its_end():
    world = World()
    world.roster.request_reload()
    assert of_kind(world.act(), BeginGeneration) == []
    world.boot_all()
    assert of_kind(world.done, BeginGeneration) == [BeginGeneration()]


def test_a_worker_killed_between_serving_and_its_generations_promotion_is_no_failed_start():
    world = World(plan(workers=1))
    world.act()
    (first,) = world.pids
    world.hear(first, Ready())
    # Its word and its death are read in one round, before anything is decided.
    world.roster.hear(world.handle(first), Serving(), world.now)
    world.die(first, requests=1)
    assert world.roster.failure is None
    world.boot_all()
    assert world.generation(1).state is GenerationState.LIVE
    assert len(world.serving()) == 1
