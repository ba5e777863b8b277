"""What is left to a successor through the environment, and what is made of nonsense in it."""

from __future__ import annotations

import pytest

from canter.supervisor.handover import (
    VARIABLE,
    Handover,
    Heirloom,
    handover_variables,
    read_handover,
)

LEFT = (
    Heirloom(5, "127.0.0.1:8000"),
    Heirloom(6, "unix:/run/a b.sock", file=(1, 2)),
    Heirloom(7, "fd://3", name="web"),
)


def test_what_was_left_is_read_as_it_was():
    environment = handover_variables({"HOME": "/root"}, 7, LEFT)
    assert read_handover(environment) == Handover(7, LEFT)
    assert environment["HOME"] == "/root"


def test_what_was_meant_for_the_predecessor_is_not_left():
    first = {
        "LISTEN_PID": "1",
        "LISTEN_FDS": "1",
        "LISTEN_FDNAMES": "web",
        "WATCHDOG_PID": "1",
        "WATCHDOG_USEC": "5",
        "NOTIFY_SOCKET": "/run/notify",
        "GUNICORN_PID": "1",
        "GUNICORN_FD": "3",
        VARIABLE: "old",
    }
    left = handover_variables(first, 7, LEFT)
    assert left.keys() == {"WATCHDOG_USEC", "NOTIFY_SOCKET", VARIABLE}


def test_gunicorns_variables_are_understood():
    found = read_handover({"GUNICORN_PID": "7", "GUNICORN_FD": "3,4"})
    assert found == Handover(7, (Heirloom(3), Heirloom(4)))


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {VARIABLE: ""},
        {VARIABLE: "{}"},
        {VARIABLE: "[1]"},
        {VARIABLE: '{"pid": 7}'},
        {VARIABLE: '{"pid": 7, "listeners": [[1]]}'},
        {VARIABLE: '{"pid": 7, "listeners": [["3", "a", null, null]]}'},
        {VARIABLE: '{"pid": 7, "listeners": [[3, "a", [1], null]]}'},
        {"GUNICORN_FD": "3"},
        {"GUNICORN_PID": "7", "GUNICORN_FD": "three"},
    ],
)
def test_nonsense_leaves_nothing(environment: dict[str, str]):
    assert read_handover(environment) is None
