"""The promises, judged over results made by hand."""

from __future__ import annotations

import pytest

from benchmarks.metrics import CONNECTION_KIB, P99_MS, REQUESTS
from benchmarks.scenarios import SCENARIOS
from benchmarks.targets import TARGETS, judge
from tests.benchmarks.records import report, result, series


def verdicts(scenario_result):
    """The verdicts of the targets of this scenario, in the order of the table."""
    made = report(scenario_result)
    return [judge(target, made).met for target in TARGETS if target.scenario == scenario_result.key]


def test_every_target_belongs_to_a_scenario():
    keys = {scenario.key for scenario in SCENARIOS}
    assert {target.scenario for target in TARGETS} <= keys


def test_nothing_is_met_or_missed_that_was_not_measured():
    assert {judge(target, report()).met for target in TARGETS} == {None}


@pytest.mark.parametrize(
    ("best_peer", "floor", "expected"),
    [(10.0, 8.0, [True, True]), (9.0, 8.0, [False, True]), (10.0, 7.0, [True, False])],
)
def test_the_small_request_is_held_against_the_best_peer_and_the_floor(best_peer, floor, expected):
    one = result(
        series("canter", 10.0),
        series("fastwsgi", best_peer),
        series("gunicorn", 200.0),
        series("floor", floor),
    )
    assert verdicts(one) == expected


def test_a_peer_with_errors_is_no_measure():
    one = result(series("canter", 10.0), series("quick", 1.0, errors={"read": 1}))
    assert verdicts(one) == [None, None]


def test_errors_of_canter_itself_are_a_miss():
    one = result(series("canter", 10.0, errors={"read": 1}), series("slow", 90.0))
    assert verdicts(one) == [False, False]


def test_only_the_leaders_count_where_the_target_names_them():
    one = result(series("canter", 10.0), series("bjoern", 1.0), series("uwsgi", 11.0), key="stream")
    assert verdicts(one) == [True]


@pytest.mark.parametrize(("logging", "expected"), [(11.4, True), (11.6, False)])
def test_the_access_log_is_held_against_the_same_server_without(logging, expected):
    one = result(series("canter", 10.0), series("canter+log", logging), key="access-log")
    assert verdicts(one) == [expected]


def test_limits_are_read_the_right_way_round():
    waits = result(series("canter", 1560.0, metric=REQUESTS), key="blocking-10ms")
    assert verdicts(waits) == [True, None]
    waits = result(series("canter", 27.0, metric=P99_MS), key="blocking-10ms")
    assert verdicts(waits) == [None, False]
    idle = result(series("canter", 1.5, metric=CONNECTION_KIB), key="idle-10000")
    assert verdicts(idle) == [False, None]
