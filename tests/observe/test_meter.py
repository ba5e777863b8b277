"""The meter: every request counted once, every time in the bucket whose bounds hold it."""

from __future__ import annotations

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.observe.meter import (
    BOUNDS_SECONDS,
    BUCKETS,
    METER_WORDS,
    Meter,
    bucket_of,
    counts_by_method,
    histograms,
)

BOUNDS_NS = [round(bound * 1e9) for bound in BOUNDS_SECONDS]


def words() -> memoryview:
    return memoryview(bytearray(8 * METER_WORDS)).cast("Q")


@given(st.integers(0, 1 << 40))
def test_a_time_is_in_the_first_bucket_whose_bound_it_does_not_exceed(nanoseconds: int):
    assert bucket_of(nanoseconds) == bisect.bisect_left(BOUNDS_NS, nanoseconds)


@pytest.mark.parametrize("bound", BOUNDS_NS)
def test_bounds_belong_to_their_bucket(bound: int):
    assert bucket_of(bound) + 1 == bucket_of(bound + 1)


def test_the_last_bucket_takes_whatever_is_longer():
    assert bucket_of(1 << 62) == BUCKETS - 1 == len(BOUNDS_NS)


def test_requests_are_counted_by_method_and_status_class():
    board = words()
    meter = Meter(board)
    for _ in range(3):
        meter.note("GET", 200, 10, 20, 30)
    meter.note("POST", 503, 10, 20, 30)
    meter.note("PROPFIND", 0, 10, 20, 30)
    meter.note_refusal("", 400)
    assert counts_by_method(board) == {
        "GET": {"2xx": 3},
        "POST": {"5xx": 1},
        "other": {"none": 1, "4xx": 1},
    }


def test_each_time_goes_to_its_own_histogram():
    board = words()
    meter = Meter(board)
    meter.note("GET", 200, 1_000_000, 50_000_000, 51_000_000)
    meter.note_write(2_000_000_000)
    found = histograms(board)
    assert {name: one.sum_ns for name, one in found.items()} == {
        "queue": 1_000_000,
        "application": 50_000_000,
        "first_byte": 51_000_000,
        "write": 2_000_000_000,
    }
    assert {name: one.counts.index(1) for name, one in found.items()} == {
        "queue": bucket_of(1_000_000),
        "application": bucket_of(50_000_000),
        "first_byte": bucket_of(51_000_000),
        "write": bucket_of(2_000_000_000),
    }
    assert all(sum(one.counts) == 1 for one in found.values())


def test_a_clock_that_ran_backwards_counts_as_no_time():
    board = words()
    Meter(board).note_write(-5)
    assert histograms(board)["write"].counts[0] == 1
    assert histograms(board)["write"].sum_ns == 0


def test_a_worker_that_has_met_nothing_shows_nothing():
    assert counts_by_method(words()) == {}
