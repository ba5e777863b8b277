"""Requests that outlive their time, and workers that do not react."""

from __future__ import annotations

import pytest

from canter.supervisor.actions import Fork, Kill, Push, Reason, Signal, TellToDrain, TellToExpire
from canter.supervisor.policy import (
    ABORT_SECONDS,
    FREEZE_MARGIN_SECONDS,
    LONGEST_TICK_SECONDS,
    Reading,
    Running,
    tick_seconds,
)
from canter.supervisor.states import Command
from canter.worker.messages import Expired, Ready, Serving
from canter.worker.states import WorkerState
from tests.supervisor.worlds import of_kind, only, plan, started, told_to_leave


def test_a_request_over_its_time_is_ended_and_its_worker_replaced_first():
    world = started()
    world.run_request(101, thread=1, started_ns=77, age=29.9)
    assert world.act() == []
    world.run_request(101, thread=1, started_ns=77, age=30.1)
    assert world.act() == [TellToExpire(101, 1, 77)]
    assert world.act() == [], "it is told once"
    assert world.hear(101, Expired(1, 77, was_running=True)) == [Fork(1)]
    world.hear(103, Ready())
    drain = only(world.hear(103, Serving()), TellToDrain)
    assert drain.pid == 101
    assert drain.reason is Reason.STUCK
    assert not drain.answer_backlog
    assert world.serving() == [102, 103]


def test_a_request_that_ended_meanwhile_harms_nobody():
    world = started()
    world.run_request(101, age=31)
    world.act()
    world.readings.clear()
    assert world.hear(101, Expired(0, 5, was_running=False)) == []
    assert world.serving() == [101, 102]


def test_every_request_over_its_time_is_ended():
    world = started()
    world.run_request(101, thread=0, started_ns=5, age=31)
    world.run_request(101, thread=1, started_ns=6, age=32)
    assert len(of_kind(world.act(), TellToExpire)) == 2


def test_two_stuck_workers_are_replaced_at_the_same_time():
    world = started()
    for pid in (101, 102):
        world.run_request(pid, age=31)
        world.act()
        world.hear(pid, Expired(0, 5, was_running=True))
    assert len(world.pids) == 4
    world.boot_all()
    assert world.serving() == [103, 104]


def test_a_worker_whose_threads_are_all_stuck_takes_no_more_connections():
    world = started()
    for thread in (0, 1):
        world.run_request(101, thread=thread, started_ns=5 + thread, age=31)
    world.act()
    world.hear(101, Expired(0, 5, was_running=True))
    assert 101 in world.serving(), "one thread may still come back"
    actions = world.hear(101, Expired(1, 6, was_running=True))
    assert told_to_leave(actions) == [101]
    assert world.handle(101).leave is not None


def test_a_worker_with_a_free_thread_goes_on_until_its_replacement_serves():
    world = started()
    world.run_request(101, age=31)
    world.act()
    world.hear(101, Expired(0, 5, was_running=True))
    assert 101 in world.serving()


def test_where_starting_fails_stuck_workers_are_kept():
    world = started(plan(workers=1, threads=1))
    world.run_request(101, age=31)
    world.act()
    world.generation(1).backoff.note_failure(world.now, 0.5)
    world.hear(101, Expired(0, 5, was_running=True))
    assert world.serving() == [101]


def test_without_a_timeout_requests_may_take_for_ever():
    world = started(plan(timeout_seconds=0.0))
    world.run_request(101, age=1e6)
    world.readings[102] = Reading(WorkerState.SERVING, 1e6, ())
    assert world.act() == []


def test_a_worker_that_leaves_has_its_requests_watched_too():
    world = started()
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    world.act()
    world.readings[101] = Reading(WorkerState.DRAINING, 0.5, (Running(0, 5, 31.0),))
    assert world.act() == [TellToExpire(101, 0, 5)]


def test_a_worker_whose_loop_is_silent_is_aborted_then_killed():
    world = started()
    world.readings[101] = Reading(WorkerState.SERVING, 30 + FREEZE_MARGIN_SECONDS, ())
    assert world.act() == []
    world.readings[101] = Reading(WorkerState.SERVING, 30.1 + FREEZE_MARGIN_SECONDS, ())
    signal, fork = world.act()
    assert signal == Signal(101, Reason.FROZEN, Push.ABRT, ABORT_SECONDS)
    assert fork == Fork(1)
    assert world.advance(ABORT_SECONDS / 2) == []
    assert world.advance(ABORT_SECONDS) == [Kill(101)]
    world.boot_all()
    assert world.advance(50) == [], "once is enough"


def test_a_worker_that_does_not_answer_about_a_request_is_aborted():
    world = started()
    world.run_request(101, age=31)
    world.act()
    world.now += FREEZE_MARGIN_SECONDS + 0.1
    assert world.act()[0] == Signal(101, Reason.FROZEN, Push.ABRT, ABORT_SECONDS)


def test_a_worker_whose_loop_does_not_run_yet_or_any_more_is_not_frozen():
    world = started()
    world.readings[101] = Reading(WorkerState.SERVING, None, ())
    world.readings[102] = Reading(WorkerState.GONE, 1e6, ())
    assert world.act() == []


def test_the_scoreboard_is_looked_at_often_enough_for_the_timeout():
    assert tick_seconds(started(plan(timeout_seconds=30.0)).roster) == LONGEST_TICK_SECONDS
    assert tick_seconds(started(plan(timeout_seconds=1.0)).roster) == pytest.approx(0.1)
    assert tick_seconds(started(plan(timeout_seconds=0.001)).roster) == pytest.approx(0.02)


def test_without_a_timeout_a_steady_server_sleeps_soundly():
    world = started(plan(timeout_seconds=0.0))
    assert tick_seconds(world.roster) is None
    world.roster.change_wanted(1)
    world.act()
    assert tick_seconds(world.roster) == LONGEST_TICK_SECONDS
    world.boot_all()
    assert tick_seconds(world.roster) is None
