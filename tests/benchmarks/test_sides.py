"""The tables of sides and scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.metrics import METRICS
from benchmarks.scenarios import SCENARIOS, scenarios_named
from benchmarks.sides import SIDES, Setup, Tools, sides_named

TOOLS = Tools(Path("/peers/bin/python"), Path("/bin/wrk"), Path("/floor"), Path("/pace"))


def test_keys_and_labels_are_unique():
    assert len({side.key for side in SIDES}) == len({side.label for side in SIDES}) == len(SIDES)
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)


def test_reasons_and_restrictions_name_scenarios_that_exist():
    keys = {scenario.key for scenario in SCENARIOS}
    for side in SIDES:
        assert set(side.cannot) | set(side.only or ()) <= keys


def test_columns_are_known_metrics():
    for scenario in SCENARIOS:
        assert all(METRICS[metric.key] is metric for metric in scenario.columns)


@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.key)
def test_every_side_binds_the_port_it_is_given_and_serves_the_application(side):
    command = side.command(Setup("package.module:application", 43210), TOOLS)
    assert any("43210" in word for word in command)
    if side.key != "floor":
        assert any("package.module:application" in word for word in command)


@pytest.mark.parametrize("key", ["canter", "gunicorn-gthread", "uwsgi", "granian", "hypercorn"])
def test_a_side_logs_only_when_asked(key):
    [side] = sides_named([key])
    quiet = side.command(Setup("m:a", 8000), TOOLS)
    logging = side.command(Setup("m:a", 8000, access_log=Path("/x/access.log")), TOOLS)
    assert quiet != logging


def test_names_keep_the_order_of_the_table_and_none_means_all():
    assert [side.key for side in sides_named(["granian", "floor"])] == ["floor", "granian"]
    assert len(scenarios_named([])) == len(SCENARIOS)


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        sides_named(["apache"])
    with pytest.raises(KeyError):
        scenarios_named(["everything"])


def test_a_scenario_knows_its_first_request_and_its_connections():
    for scenario in SCENARIOS:
        assert scenario.first_request.path.startswith("/")
        assert scenario.connections > 0
