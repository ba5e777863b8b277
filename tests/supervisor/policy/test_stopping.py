"""Stops: gentle ones, hurried ones, at any moment."""

from __future__ import annotations

import pytest

from canter.supervisor.actions import (
    BeginDrain,
    Finish,
    Fork,
    Kill,
    Push,
    Reason,
    Signal,
    TellToDrain,
)
from canter.supervisor.policy import QUICK_SECONDS
from canter.supervisor.roster import KILL_MARGIN_SECONDS
from canter.supervisor.states import Command, Phase
from canter.worker.messages import Ready
from tests.supervisor.worlds import World, plan, reload, started, told_to_leave


def test_a_gentle_stop_answers_what_is_in_the_queues():
    world = started()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    actions = world.act()
    assert [a.pid for a in actions if isinstance(a, TellToDrain) and a.answer_backlog] == [101, 102]
    world.die(101)
    assert world.die(102) == [Finish()]
    assert world.roster.exit_status == 0


def test_a_gentle_stop_has_an_end():
    world = started()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    world.act()
    assert world.advance(20.0) == [], "the worker keeps to its time by itself"
    assert world.advance(KILL_MARGIN_SECONDS) == [Kill(101), Kill(102)]


def test_asking_again_hurries():
    world = started()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    world.act()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    assert world.act() == [
        Signal(101, Reason.HURRIED, Push.QUIT, QUICK_SECONDS),
        Signal(102, Reason.HURRIED, Push.QUIT, QUICK_SECONDS),
    ]
    assert world.act() == []
    assert world.advance(QUICK_SECONDS) == [Kill(101), Kill(102)]


def test_a_stop_during_the_start_waits_for_nobody():
    world = World()
    world.act()
    world.hear(101, Ready())
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    actions = world.act()
    assert [(a.pid, a.push) for a in actions if isinstance(a, Signal)] == [
        (101, Push.TERM),
        (102, Push.TERM),
    ]
    world.hear(102, Ready())
    world.leave_all()
    assert world.roster.is_over
    assert world.roster.exit_status == 0


def test_nobody_is_forked_while_stopping():
    world = started()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    world.roster.request_reload()
    world.act()
    world.die(101)
    assert world.act() == []


def test_a_stop_takes_both_generations_down():
    world = started()
    reload(world)
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    assert len(told_to_leave(world.act())) == 4
    world.leave_all()
    assert world.roster.is_over


def test_with_a_delay_everything_goes_on_until_it_is_over():
    world = started(plan(drain_delay_seconds=10.0))
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    assert world.act() == []
    assert world.die(101) == [Fork(1)], "a worker that dies is replaced as before"
    world.boot_all()
    world.roster.request_reload()
    assert world.advance(9.9) == [], "nothing new is begun"
    begin, *drains = world.advance(0.1)
    assert begin == BeginDrain()
    assert told_to_leave(drains) == [102, 103]
    world.leave_all()
    assert (world.roster.phase, world.roster.exit_status) == (Phase.ENDED, 0)


@pytest.mark.parametrize("command", [Command.STOP_GRACEFULLY, Command.STOP_AT_ONCE])
def test_asking_again_during_the_delay_hurries(command):
    world = started(plan(drain_delay_seconds=10.0))
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    world.act()
    world.roster.request_stop(command, world.now)
    assert {a.reason for a in world.act() if isinstance(a, Signal)} == {Reason.HURRIED}


def test_an_end_at_once_knows_no_delay():
    world = started(plan(drain_delay_seconds=10.0))
    world.roster.request_stop(Command.STOP_AT_ONCE, world.now)
    assert told_to_leave(world.act()) == [101, 102]
