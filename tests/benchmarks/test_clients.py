"""The load generators' commands and results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.clients import (
    ClientError,
    Load,
    never_answered,
    parse_h2load,
    parse_load,
    pinned,
    wrk_command,
    wrong_sizes,
)
from benchmarks.probe import Answer
from benchmarks.scenarios import Request, Steady
from benchmarks.sides import Tools

TOOLS = Tools(Path("/peers/bin/python"), Path("/bin/wrk"), Path("/floor"), Path("/pace"))

WRK_OUTPUT = """\
Running 2s test @ http://127.0.0.1:8000/
  1 threads and 32 connections
Requests/sec:  50000.00
{"requests": 100000, "seconds": 2.000000, "bytes": 13000000, "p50_us": 250.0, "p99_us": 1500.0, \
"errors": {"connect": 0, "read": 3, "write": 0, "status": 2, "timeout": 0}}
"""


def load_of(requests: int, size: int) -> Load:
    return Load(requests, 1.0, size, 1.0, 2.0, {})


def test_reads_the_json_line_after_what_wrk_says_for_people():
    load = parse_load(WRK_OUTPUT)
    assert load.requests == 100_000
    assert load.bytes == 13_000_000
    assert load.requests_per_second == 50_000
    assert (load.p50_ms, load.p99_ms) == (0.25, 1.5)


def test_keeps_only_the_kinds_of_error_that_happened():
    assert parse_load(WRK_OUTPUT).errors == {"read": 3, "status": 2}


@pytest.mark.parametrize("output", ["", "wrk: bad option\n", "[]", '{"requests": 1}'])
def test_output_without_a_result_is_an_error(output):
    with pytest.raises(ClientError):
        parse_load(output)


def test_wrk_is_asked_for_the_request_of_the_scenario():
    request = Request("/length", "POST", ("Accept: */*",), 4096)
    command = wrk_command(TOOLS, 8000, request, 2, connections=32, pipelined=16)
    assert command[0] == "/bin/wrk"
    assert command[command.index("--header") + 1] == "Accept: */*"
    assert command[command.index("--duration") + 1] == "2s"
    assert command[-5:] == ["http://127.0.0.1:8000/length", "--", "POST", "4096", "16"]


def test_a_client_is_pinned_only_where_a_core_is_given():
    assert pinned(["wrk"], None) == ["wrk"]
    assert pinned(["wrk"], 1)[-2:] == ["1", "wrk"]


def test_bytes_of_all_answers_and_of_some_on_the_way_are_right():
    answer = Answer(200, b"", 100, announces_close=False)
    steady = Steady(connections=4)
    assert wrong_sizes(load_of(1000, 100_000), answer, steady) == 0
    assert wrong_sizes(load_of(1000, 100_400), answer, steady) == 0


def test_answers_cut_short_show_in_the_bytes():
    answer = Answer(200, b"", 1_000_000, announces_close=False)
    assert wrong_sizes(load_of(100, 50_000_000), answer, Steady()) >= 40


def test_answers_that_are_too_long_show_in_the_bytes():
    answer = Answer(200, b"", 100, announces_close=False)
    assert wrong_sizes(load_of(1000, 200_000), answer, Steady(connections=4)) >= 900


def test_sizes_are_not_judged_where_they_may_differ():
    assert wrong_sizes(load_of(10, 5), Answer(200, b"", None, announces_close=False), Steady()) == 0


def test_a_server_that_answers_less_than_it_was_first_asked_has_stalled():
    steady = Steady(connections=8, pipelined=16)
    assert never_answered(load_of(8, 800), steady) == 120
    assert never_answered(load_of(5000, 800), steady) == 0


H2LOAD_OUTPUT = """\
starting benchmark...
Application protocol: h2

finished in 1.50s, 2.00 req/s, 1.00KB/s
requests: 5 total, 6 started, 5 done, 3 succeeded, 2 failed, 1 errored, 0 timeout
status codes: 3 2xx, 0 3xx, 0 4xx, 1 5xx
"""


def test_reads_what_h2load_says_and_logs(tmp_path):
    log = tmp_path / "log"
    log.write_text("1700000000000000\t200\t1000\n1700000000000001\t200\t3000\n")
    load = parse_h2load(H2LOAD_OUTPUT, log)
    assert (load.requests, load.seconds) == (3, 1.5)
    assert (load.p50_ms, load.p99_ms) == (3.0, 3.0)
    assert load.errors == {"errored": 1, "status": 1}


@pytest.mark.parametrize(
    "output", ["", H2LOAD_OUTPUT.replace("protocol: h2", "protocol: http/1.1")]
)
def test_h2load_without_http2_is_an_error(tmp_path, output):
    with pytest.raises(ClientError):
        parse_h2load(output, tmp_path / "log")
