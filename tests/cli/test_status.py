"""The report as a person reads it: aligned, plain in a pipe, styled on a terminal."""

from __future__ import annotations

import pytest

from canter.cli.status import duration, render

WORKER = {
    "pid": 101,
    "state": "serving",
    "leaves_because": None,
    "age_seconds": 3725.0,
    "requests": 12345,
    "connections": 7,
    "queued": 0,
    "threads": 4,
    "running": [{"thread": 2, "request": "GET /report", "age_seconds": 12.34}],
}
LEAVING = WORKER | {
    "pid": 99,
    "state": "draining",
    "leaves_because": "a newer generation serves",
    "running": [],
}
REPORT = {
    "version": "1.2",
    "pid": 7,
    "phase": "running",
    "age_seconds": 90.0,
    "application": "shop",
    "addresses": ["http://127.0.0.1:8000", "unix:/run/shop.sock"],
    "log_level": "info",
    "queued": 1,
    "generations": [
        {
            "number": 1,
            "state": "retiring",
            "wanted": 1,
            "failure": None,
            "fork_server": None,
            "workers": [LEAVING],
        },
        {
            "number": 2,
            "state": "live",
            "wanted": 2,
            "failure": "it crashed",
            "fork_server": 90,
            "workers": [WORKER],
        },
        {
            "number": 3,
            "state": "booting",
            "wanted": 2,
            "failure": None,
            "fork_server": None,
            "workers": [],
        },
    ],
}

PLAIN = """\
canter 1.2, pid 7, running
  up 1 min 30 s, log level info, 1 request queued
  shop at http://127.0.0.1:8000, unix:/run/shop.sock

generation 1: retiring
  worker  state           age  requests  connections    busy  queued
  99      draining  1 h 2 min     12345            7  0 of 4       0
      leaves: a newer generation serves

generation 2: live, 2 workers wanted
  fork server 90
  last failure: it crashed
  worker  state          age  requests  connections    busy  queued
  101     serving  1 h 2 min     12345            7  1 of 4       0
      thread 2: GET /report for 12.3 s

generation 3: booting, 2 workers wanted
"""


def test_a_report_is_a_table_for_each_generation():
    assert render(REPORT, styled=False) == PLAIN


def test_a_terminal_gets_the_same_with_styles():
    styled = render(REPORT, styled=True)
    assert styled.startswith("\x1b[1mcanter 1.2, pid 7, running\x1b[0m\n")
    plain = styled
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain == PLAIN


def test_a_server_that_stops_has_no_address():
    text = render({**REPORT, "addresses": [], "queued": 0}, styled=False)
    assert "  shop at no address any more\n" in text
    assert "0 requests queued" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (3599.9, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86399, "23 h 59 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_spans_of_time_have_the_two_units_that_matter(seconds, text):
    assert duration(seconds) == text
