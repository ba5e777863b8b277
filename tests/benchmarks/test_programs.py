"""The C programs: the floor answers each head once, the paced client counts what went wrong."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading

import pytest

from benchmarks import environment
from benchmarks.clients import pace_command, run_client
from benchmarks.loads import Context
from benchmarks.probe import ask
from benchmarks.rounds import measure
from benchmarks.scenarios import Request, scenarios_named
from benchmarks.server import Server, ServerError, free_port
from benchmarks.sides import Side, sides_named

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("cc", "taskset", "wrk")),
        reason="the comparison's own programs are not all installed",
    ),
]

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    directory = tmp_path_factory.mktemp("programs")
    return environment.prepare_tools(directory / "python", directory)


@pytest.fixture
def floor(tools, tmp_path):
    port = free_port()
    with Server([str(tools.floor), str(port)], port, tmp_path / "log", {}, core=None) as server:
        server.wait_ready(Request())
        yield server


@contextlib.contextmanager
def one_answer_server(answer):
    """A server that gives every request of every connection this answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_all, args=(listener, answer), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _answer_all(listener, answer):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(4096):
                    connection.sendall(answer)


def paced(tools, port):
    """What the paced client sees in a fifth of a second on one connection."""
    return run_client(pace_command(tools, port, "/", 100, 1, 0.2), 1)


def test_the_floor_answers_a_head_that_comes_in_pieces(floor):
    with socket.create_connection(("127.0.0.1", floor.port), 5) as connection:
        for byte in REQUEST:
            connection.sendall(bytes([byte]))
        assert connection.recv(4096).endswith(b"\r\n\r\nHello, world!")


def test_the_floor_answers_each_of_many_that_come_together(floor):
    with socket.create_connection(("127.0.0.1", floor.port), 5) as connection:
        connection.sendall(REQUEST * 100)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 100


def test_the_floor_closes_when_it_is_told_to(tools, tmp_path):
    port, request = free_port(), Request(fields=("Connection: close",))
    command = [str(tools.floor), str(port), "close"]
    with Server(command, port, tmp_path / "log", {}, core=None) as server:
        server.wait_ready(request)
        assert ask(port, request).announces_close


def test_the_paced_client_asks_as_often_as_it_was_told_and_finds_nothing_wrong(tools, floor):
    load = run_client(pace_command(tools, floor.port, "/", 300, 4, 0.5), 1)
    assert 100 < load.requests < 200
    assert load.errors == {}
    assert 0 < load.p50_ms <= load.p99_ms


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", "body"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 13\r\n\r\nHello, world!", "status"),
        (b"HTTP/1.1 200 OK\r\n\r\nHello, world!", "body"),
    ],
)
def test_the_paced_client_counts_every_wrong_answer(tools, answer, kind):
    with one_answer_server(answer) as port:
        load = paced(tools, port)
    assert load.errors.get(kind, 0) > 5


def test_the_paced_client_counts_refused_connections(tools):
    load = paced(tools, free_port())
    assert load.requests == 0
    assert load.errors["connect"] > 0


@pytest.mark.slow
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two cores are needed")
def test_a_scenario_is_measured_in_rounds_and_leaves_a_clean_result(tools, tmp_path):
    [scenario] = scenarios_named(["small-9"])
    cores = environment.two_cores()
    context = Context(tools, tmp_path, {"PYTHONPATH": ""}, cores, seconds=1, rounds=1)
    said: list[str] = []
    found = measure(scenario, sides_named(["floor"]), context, said.append)
    [series] = found.series
    assert series.errors() == {}
    assert all(series.readings(metric.key)[0] > 0 for metric in scenario.columns)
    assert "C epoll floor" in said[-1]


def test_a_server_that_does_not_start_is_left_out_with_the_reason(tools, tmp_path):
    [scenario] = scenarios_named(["start"])
    broken = Side("broken", "Broken", lambda _setup, _tools: ["false"])
    context = Context(tools, tmp_path, {"PYTHONPATH": ""}, (0, 0), seconds=1, rounds=1)
    found = measure(scenario, [broken], context, lambda _line: None)
    assert found.series == []
    assert found.left_out["Broken"].startswith("failed: ended with status 1")


def test_a_server_that_ends_is_reported_with_what_it_said_last(tools, tmp_path):
    command = [str(tools.floor)]
    with (
        Server(command, free_port(), tmp_path / "log", {}, core=None) as server,
        pytest.raises(ServerError, match="status 2: usage: floor PORT"),
    ):
        server.wait_ready(Request())
