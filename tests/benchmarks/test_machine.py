"""What the page says of the machine."""

from __future__ import annotations

from benchmarks.machine import NAP_SECONDS, SLEEPERS, machine, naps_per_second


def test_threads_that_sleep_come_to_something_and_never_to_more_than_the_ideal():
    assert 0 < naps_per_second(0.1) <= SLEEPERS / NAP_SECONDS


def test_nothing_names_the_machine():
    facts = machine()
    assert int(facts["cores"]) >= 1
    assert not {"host", "name", "node"} & set(facts)
