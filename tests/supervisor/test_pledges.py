"""Who waits for an answer gets the one that belongs to what was asked, and gets it once."""

from __future__ import annotations

from canter.supervisor.orders import Answer, Refusal
from canter.supervisor.pledges import STACKS_SECONDS, Pledges


def test_a_reload_is_answered_when_its_generation_serves():
    pledges = Pledges()
    pledges.reload(1)
    assert pledges.promoted(1, [5]) == [], "the first generation is not what was asked for"
    pledges.begun(2)
    assert pledges.promoted(2, [8, 7]) == [(1, Answer({"generation": 2, "workers": [7, 8]}))]
    assert pledges.promoted(2, [8, 7]) == []


def test_who_asks_while_a_generation_boots_waits_for_the_next():
    pledges = Pledges()
    pledges.reload(1)
    pledges.begun(2)
    pledges.reload(9)
    assert [ticket for ticket, _ in pledges.promoted(2, [])] == [1]
    pledges.begun(3)
    assert [ticket for ticket, _ in pledges.promoted(3, [])] == [9]


def test_a_reload_that_fails_is_answered_with_its_traceback():
    pledges = Pledges()
    pledges.reload(1)
    pledges.begun(2)
    assert pledges.discarded(2, "cannot import", "Traceback ...", 1) == [
        (1, Refusal("cannot import", {"traceback": "Traceback ...", "generation": 1}))
    ]


def test_a_reload_whose_settings_are_wrong_is_answered_too():
    pledges = Pledges()
    pledges.reload(1)
    pledges.begun(2)
    pledges.reload(4)
    assert pledges.not_begun("threads: 'many'", 1) == [
        (4, Refusal("threads: 'many'", {"traceback": "", "generation": 1}))
    ]


def test_a_stop_ends_the_wait_for_reloads_and_is_answered_at_the_end():
    pledges = Pledges()
    pledges.reload(1)
    pledges.stop(2)
    pledges.stop(3)
    assert pledges.stopping() == [(1, Refusal("the server is stopping"))]
    assert pledges.ended() == [(2, Answer({"stopped": True})), (3, Answer({"stopped": True}))]
    assert pledges.ended() == []


def test_stacks_are_answered_when_all_have_told():
    pledges = Pledges()
    number = pledges.stacks(1, [11, 12], 100.0)
    assert pledges.told(number, 12, "b") == []
    assert pledges.told(number, 99, "x") == []
    assert pledges.told(number + 1, 11, "x") == []
    workers = [{"pid": 11, "stacks": "a"}, {"pid": 12, "stacks": "b"}]
    assert pledges.told(number, 11, "a") == [(1, Answer({"workers": workers, "silent": []}))]
    assert pledges.told(number, 11, "a") == []
    assert pledges.next_deadline() is None


def test_a_worker_that_does_not_tell_in_time_is_named():
    pledges = Pledges()
    number = pledges.stacks(1, [11, 12], 100.0)
    pledges.told(number, 11, "a")
    deadline = pledges.next_deadline()
    assert deadline == 100.0 + STACKS_SECONDS
    assert pledges.overdue(deadline - 0.1) == []
    workers = [{"pid": 11, "stacks": "a"}]
    assert pledges.overdue(deadline) == [(1, Answer({"workers": workers, "silent": [12]}))]


def test_nobody_waits_for_a_worker_that_has_ended():
    pledges = Pledges()
    number = pledges.stacks(1, [11, 12], 100.0)
    pledges.told(number, 11, "a")
    assert pledges.gone(12) == [
        (1, Answer({"workers": [{"pid": 11, "stacks": "a"}], "silent": []}))
    ]


def test_without_workers_there_is_nothing_to_wait_for():
    pledges = Pledges()
    pledges.stacks(1, [], 100.0)
    assert pledges.overdue(100.0) == [(1, Answer({"workers": [], "silent": []}))]


def test_at_the_end_what_is_known_of_stacks_is_told():
    pledges = Pledges()
    pledges.stacks(1, [11], 100.0)
    assert pledges.ended() == [(1, Answer({"workers": [], "silent": [11]}))]
