"""What reaches the log, and how often."""

from __future__ import annotations

import logging

import pytest

from canter.supervisor.actions import Discard, Kill, Push, Reason, Signal, TellToDrain, TellToServe
from canter.supervisor.journal import LINES_OF_A_KIND, WINDOW_SECONDS, Journal
from canter.supervisor.ledger import Ledger
from canter.supervisor.reports import Death
from canter.supervisor.roster import Failure
from canter.worker.messages import BootFailed
from tests.supervisor.worlds import World, a_block, started


@pytest.fixture
def journal(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, "canter.test")
    return Journal(logging.getLogger("canter.test"), Ledger())


def tell(
    journal: Journal, world: World, pid: int, death: Death | None, now: float | None = None
) -> None:
    """A worker has died, or (None) has just left."""
    handle = world.handle(pid)
    block = None if death is None else a_block(handle, death)
    moment = world.now if now is None else now
    journal.tell_death(handle, death or Death(), block, moment, is_looping=False)


def test_an_ordinary_way_to_leave_is_information(journal: Journal, caplog):
    world = started()
    journal.tell_action(TellToDrain(101, Reason.RETIRED, False, 1, 1), world.roster, ["GET /"])
    journal.tell_action(Signal(102, Reason.STOPPED, Push.TERM, 1), world.roster, [])
    journal.tell_action(TellToServe(102), world.roster, [])
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert "worker 101 drains: a newer generation serves" in caplog.text
    assert "worker 102 leaves: the service stops" in caplog.text


def test_trouble_is_an_error_and_names_what_ran(journal: Journal, caplog):
    action = Signal(101, Reason.FROZEN, Push.ABRT, 1)
    journal.tell_action(action, started().roster, ["GET /a for 9.0 s"])
    assert caplog.records[0].levelname == "ERROR"
    assert caplog.messages == [
        "worker 101: it does not react; sending SIGABRT; it was running GET /a for 9.0 s"
    ]


def test_a_kill_says_why_the_worker_should_have_left(journal: Journal, caplog):
    world = started()
    world.roster.note(TellToDrain(101, Reason.STUCK, False, 1, 1), world.now)
    journal.tell_action(Kill(101), world.roster, ["GET /a for 9.0 s"])
    assert "worker 101 did not leave in time (a request outlived its time): killed" in caplog.text
    assert "GET /a for 9.0 s" in caplog.text


def test_a_discarded_generation_is_told_with_the_one_that_goes_on(journal: Journal, caplog):
    world = started()
    world.roster.add_generation(world.plan)
    journal.tell_action(Discard(2), world.roster, [])
    assert caplog.messages == ["generation 2 is discarded; generation 1 goes on serving"]


def test_deaths_are_told_by_how_far_they_were_expected(journal: Journal, caplog):
    world = started()
    tell(journal, world, 101, Death(signal="SIGKILL"))
    world.roster.note(TellToDrain(102, Reason.EXCESS, False, 1, 1), world.now)
    tell(journal, world, 102, None)
    tell(journal, world, 102, Death(signal="SIGSEGV"))
    assert [record.levelname for record in caplog.records] == ["ERROR", "DEBUG", "WARNING"]


def test_workers_of_the_live_generation_are_told_when_they_serve(journal: Journal, caplog):
    world = World()
    world.act()
    journal.tell_serving(world.handle(101), world.generation(1), world.now)
    assert not caplog.messages, "those of a new generation are told together"
    world.boot_all()
    journal.tell_promotion(world.generation(1), world.roster, world.now + 0.5)
    journal.tell_serving(world.handle(101), world.generation(1), world.now + 0.25)
    assert caplog.messages == [
        "generation 1 serves: workers 101, 102 (0.50 s)",
        "worker 101 serves (0.25 s)",
    ]


def fail_to_start(world: World, message: str) -> None:
    """The worker that boots fails with its traceback, and goes."""
    pid = world.pids[-1]
    trace = f"Traceback\n{message}"
    world.roster.hear(world.handle(pid), BootFailed(3, f"failed: {message}", trace), world.now)
    world.die(pid)


def test_a_loop_of_the_same_failure_is_told_in_full_once(journal: Journal, caplog):
    world = started()
    world.die(102, requests=1)
    for _ in range(6):
        fail_to_start(world, "no database")
        journal.tell_failures(world.roster, world.now)
        journal.tell_failures(world.roster, world.now)
        world.advance(60)
    assert caplog.text.count("Traceback") == 1
    assert caplog.text.count("workers keep failing") == 5
    assert len(caplog.records) == 6


def test_another_failure_in_a_loop_is_told_in_full_again(journal: Journal, caplog):
    world = started()
    world.die(102, requests=1)
    for message in ("no database", "no database", "no disk"):
        fail_to_start(world, message)
        journal.tell_failures(world.roster, world.now)
        world.advance(60)
    assert caplog.text.count("Traceback") == 2


def test_a_death_is_not_told_twice(journal: Journal, caplog):
    world = started()
    world.die(102)
    journal.tell_failures(world.roster, world.now)
    assert caplog.messages == [], "tell_death has said it"


def test_a_generation_that_is_gone_is_forgotten(journal: Journal, caplog):
    world = started()
    world.generation(1).failure = Failure(3, "once")
    journal.tell_failures(world.roster, world.now)
    journal.forget(1)
    journal.forget(1)
    journal.tell_failures(world.roster, world.now)
    assert caplog.messages == ["once", "once"]


def test_deaths_that_repeat_are_counted_after_a_while(journal: Journal, caplog):
    world = started()
    for second in range(30):
        now = world.now + second
        tell(journal, world, 101, Death(signal="SIGSEGV"), now)
        journal.tell_repeats(now)
    assert len(caplog.messages) == LINES_OF_A_KIND
    tell(journal, world, 101, Death(exit_status=5))
    assert "exited with status 5" in caplog.messages[-1]
    journal.tell_repeats(world.now + WINDOW_SECONDS)
    assert caplog.messages[-1] == "20 more like it in 60s: a worker was killed by SIGSEGV"


def test_the_story_of_a_death_has_no_query_strings(caplog):
    ledger, world = Ledger(), started()
    tell(Journal(logging.getLogger("canter.test"), ledger), world, 101, Death(exit_status=4))
    (event,) = ledger.events
    assert event.text == "worker 101 exited with status 4; it was running GET /a for 2.5 s"
    assert "GET /a?secret=1 for 2.5 s" in caplog.text


def test_a_death_before_serving_is_told_once_in_a_loop(journal: Journal, caplog):
    world = started()
    world.handle(101).serving_since = None
    caplog.set_level(logging.INFO, "canter.test")
    death = Death(signal="SIGSEGV")
    block = a_block(world.handle(101), death)
    journal.tell_death(world.handle(101), death, block, world.now, is_looping=True)
    assert caplog.messages == []
