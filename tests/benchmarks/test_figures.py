"""Medians, ratios within rounds, ranks and losses."""

from __future__ import annotations

import pytest

from benchmarks.figures import best_of, is_peer, losses, median, paired_ratio, ranked, spread
from benchmarks.metrics import P99_MS, PROCESSOR_US, REQUESTS
from tests.benchmarks.records import result, series


def test_the_median_and_the_spread_of_nothing_are_none():
    assert median([]) is None
    assert spread([]) is None


def test_spread_is_half_the_range_as_a_share_of_the_median():
    assert spread([9.0, 10.0, 11.0]) == pytest.approx(0.1)


def test_ratios_are_of_the_same_round_so_that_a_slow_machine_does_not_show():
    ours, theirs = series("canter", 10, 20, 40), series("gunicorn", 100, 200, 400)
    assert paired_ratio(PROCESSOR_US, theirs, ours) == pytest.approx(10)


def test_more_requests_are_better_and_less_time_is_better():
    assert PROCESSOR_US.ratio(20, 10) == 2
    assert REQUESTS.ratio(10, 20) == 2


def test_no_ratio_without_a_round_that_both_have():
    assert paired_ratio(PROCESSOR_US, series("a"), series("b", 1.0)) is None
    other = series("b", 1.0, metric=P99_MS)
    assert paired_ratio(PROCESSOR_US, series("a", 1.0), other) is None


def test_the_best_comes_first_whichever_way_is_good():
    quick, slow = series("quick", 1.0), series("slow", 9.0)
    assert ranked(result(slow, quick), PROCESSOR_US) == [quick, slow]
    many, few = series("many", 900.0, metric=REQUESTS), series("few", 1.0, metric=REQUESTS)
    assert ranked(result(few, many), REQUESTS) == [many, few]


def test_a_side_with_errors_comes_last_however_quick():
    flawed = series("flawed", 0.1, errors={"read": 1})
    sound = series("sound", 50.0)
    one = result(flawed, sound)
    assert ranked(one, PROCESSOR_US) == [sound, flawed]
    assert best_of(one, PROCESSOR_US, one.series) is sound


def test_a_side_without_readings_is_never_the_best():
    one = result(series("silent"))
    assert best_of(one, PROCESSOR_US, one.series) is None


def test_the_floor_and_builds_of_canter_are_no_peers():
    names = ["floor", "canter", "canter-plain", "canter+log", "gunicorn-sync"]
    assert [is_peer(series(name)) for name in names] == [False, False, False, False, True]


def test_losses_name_the_peers_ahead_by_more_than_noise_and_by_how_much():
    one = result(
        series("canter", 10.0, 10.0),
        series("far", 5.0, 5.0),
        series("near", 8.0, 8.0),
        series("level", 9.9, 9.9),
        series("behind", 20.0, 20.0),
        series("flawed", 1.0, 1.0, errors={"status": 1}),
        series("floor", 1.0, 1.0),
    )
    assert [(loss.peer, loss.ratio) for loss in losses(one, PROCESSOR_US)] == [
        ("Far", 2.0),
        ("Near", 1.25),
    ]


def test_without_canter_nothing_is_lost():
    assert losses(result(series("bjoern", 1.0)), PROCESSOR_US) == []
