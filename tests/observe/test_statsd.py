"""Metrics: what is gathered, how it is written, and daemons that are not there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from canter.errors import ConfigError
from canter.observe.access import AccessEntry
from canter.observe.statsd import MeteredRequests, Statsd, StatsdPlan, parse_statsd_address


@pytest.fixture
def daemon(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "statsd"))
        made.settimeout(10)
        yield made


@pytest.fixture
def statsd(daemon):
    statsd = Statsd(StatsdPlan(daemon.getsockname(), "shop.", "a:b"))
    yield statsd
    statsd.close()


def packet(daemon: socket.socket) -> list[str]:
    return daemon.recv(65536).decode().split("\n")


@pytest.mark.parametrize(
    ("text", "address"),
    [("metrics:8125", ("metrics", 8125)), ("[::1]:1", ("::1", 1)), ("unix:///run/s", "/run/s")],
)
def test_addresses_are_understood(text, address):
    assert parse_statsd_address(text) == address


@pytest.mark.parametrize("text", ["metrics", "metrics:x", "metrics:70000", "unix://", ":1"])
def test_what_is_no_address_is_told(text):
    with pytest.raises(ConfigError, match="is neither HOST:PORT nor unix://PATH"):
        parse_statsd_address(text)


def test_requests_are_summed_up_and_each_duration_is_told(daemon, statsd):
    metered = MeteredRequests(None, statsd)
    for status in (200, 200, 404, 0):
        metered.record(AccessEntry(status=status, total_ns=1_500_000))
    assert metered.waiting == 4
    metered.flush()
    assert metered.waiting == 0
    assert packet(daemon) == [
        "shop.gunicorn.requests:4|c|#a:b",
        "shop.gunicorn.request.status.200:2|c|#a:b",
        "shop.gunicorn.request.status.404:1|c|#a:b",
        *["shop.gunicorn.request.duration:1.5|ms|#a:b"] * 4,
    ]


def test_no_packet_is_longer_than_a_network_takes(daemon, statsd):
    statsd.send(f"metric.{n}:1|c" for n in range(200))
    packets = [packet(daemon) for _ in range(2)]
    assert all(len("\n".join(lines)) <= 1432 for lines in packets)
    assert [line for lines in packets for line in lines][:2] == ["metric.0:1|c", "metric.1:1|c"]


def test_a_name_cannot_end_its_line(daemon, statsd):
    statsd.measure("a:b|c\nd", 2, "gauge")
    assert packet(daemon) == ["shop.a_b_c_d:2|g|#a:b"]
    statsd.measure("nonsense", "many", "gauge")
    statsd.measure("nonsense", 1, "other")
    statsd.measure("sense", 1, "timer")
    assert packet(daemon) == ["shop.sense:1|ms|#a:b"]


def test_requests_are_bounded_while_nobody_sends():
    metered = MeteredRequests(None, Statsd(StatsdPlan("/nowhere/at/all")))
    for _ in range(6000):
        metered.record(AccessEntry(status=200))
    assert metered.waiting == 5000
    assert metered.dropped == 1000
    metered.flush()
    assert metered.waiting == 0
