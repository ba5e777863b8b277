"""Who takes part in a scenario, in which order, and how it is shown."""

from __future__ import annotations

from benchmarks.rounds import enter, in_turn, shown_command
from benchmarks.scenarios import scenarios_named
from benchmarks.sides import Setup, sides_named


def entered(scenario_key, *side_keys):
    [scenario] = scenarios_named([scenario_key])
    return enter(scenario, sides_named(list(side_keys)))


def test_each_round_begins_with_another_side():
    found = entered("small-9", "canter", "granian", "waitress")
    keys = [[entrant.side.key for entrant in in_turn(found.entrants, n)] for n in range(4)]
    assert [order[0] for order in keys] == ["canter", "granian", "waitress", "canter"]
    assert all(sorted(order) == sorted(keys[0]) for order in keys)


def test_nobody_in_turn_is_nobody():
    assert in_turn([], 3) == []


def test_a_side_that_cannot_is_left_out_with_its_reason():
    found = entered("blocking-10ms", "canter", "bjoern")
    assert [entrant.side.key for entrant in found.entrants] == ["canter"]
    assert found.left_out == {"bjoern": "calls the application on its only thread"}


def test_the_floor_takes_part_only_where_it_says_something():
    assert [e.side.key for e in entered("small-9", "floor").entrants] == ["floor"]
    upload = entered("upload-1m", "floor")
    assert (upload.entrants, upload.left_out) == ([], {})


def test_files_are_sent_by_those_that_can_and_by_nginx_nothing_else():
    assert [e.side.key for e in entered("static-10k").entrants] == ["canter", "nginx", "uwsgi"]
    assert entered("small-9", "nginx").entrants == []


def test_the_log_scenario_has_every_side_with_and_without():
    found = entered("access-log", "canter", "granian")
    assert [entrant.label for entrant in found.entrants] == [
        "canter, log off",
        "canter, log on",
        "Granian, log off",
        "Granian, log on",
    ]


def test_a_shown_command_names_no_directory_and_no_port():
    setup = Setup("app:app", 43210)
    command = ["/somewhere/bin/granian", "--port", "43210", "--log", "/tmp/x/access.log"]
    assert shown_command(command, setup) == "granian --port PORT --log access.log"
