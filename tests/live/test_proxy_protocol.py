"""The PROXY protocol from real proxies, and from clients that only pretend."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.fronts.front import running
from tests.live.harness import Server, Start
from tests.live.programs import needs
from tests.live.raw_http import Ended, request_head
from tests.protocol.proxy.wires import IPV4, V1, tls, v2
from tests.protocol.uwsgi.wires import GET, packet

# What has to be installed, the front, and the version that it is to send.
PROXIES = {
    "haproxy v1": ("haproxy", "haproxy", "v1"),
    "haproxy v2": ("haproxy", "haproxy", "v2"),
    "nginx stream": ("nginx stream", "nginx", "v1"),
}


def in_front_of(server: Server, version: str) -> tuple[str, ...]:
    """The words of `canter front`."""
    return ("--protocol", "proxy", f"--proxy-protocol={version}", "--bind", server.url)


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Server:
    return start_shared("tests.live.apps.plain", "--proxy-protocol", "--threads=2")


@pytest.mark.parametrize("name", [pytest.param(n, marks=needs(PROXIES[n][0])) for n in PROXIES])
def test_a_proxy_s_client_is_the_client(server: Server, name: str, tmp_path: Path, mark: str):
    _, program, version = PROXIES[name]
    with ExitStack() as stack:
        front = stack.enter_context(running(program, tmp_path, *in_front_of(server, version)))
        client = stack.enter_context(front.client())
        port = str(client.socket.getsockname()[1])
        for _ in range(2):
            told = client.get(f"/show_environ?{mark}").json()
            assert (told["REMOTE_ADDR"], told["REMOTE_PORT"]) == ("127.0.0.1", port)
            assert told["PROXY_PROTOCOL"] == "TCP4"
            assert (told["PROXY_ADDR"], told["PROXY_PORT"]) == (
                "127.0.0.1",
                str(front.address[1]),
            )


@needs("haproxy")
def test_a_client_behind_a_proxy_is_not_believed_about_itself(start: Start, tmp_path: Path):
    options = ("--proxy-protocol=required", "--forwarded-allow-ips", "")
    server = start("tests.live.apps.plain", *options, "--forwarded-fields", "x-forwarded")
    with (
        running("haproxy", tmp_path, *in_front_of(server, "v2")) as front,
        front.client() as client,
    ):
        told = client.get(
            "/show_environ",
            *("X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: https", "SCRIPT_NAME: /x"),
        ).json()
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert told["SCRIPT_NAME"] == ""


@pytest.mark.parametrize("header", [V1, v2()])
def test_every_request_of_a_connection_has_the_client_that_was_introduced(
    server: Server, header: bytes, mark: str
):
    with server.client() as client:
        client.send(header)
        for number in range(3):
            told = client.get(f"/show_environ?{mark}{number}").json()
            assert (told["REMOTE_ADDR"], told["REMOTE_PORT"]) == ("192.0.2.7", "4711")
            assert told["wsgi.url_scheme"] == "http"
    assert server.wait_for_request(f"{mark}2").peer == "192.0.2.7"


def test_a_proxy_that_took_off_tls_says_so(server: Server):
    with server.client() as client:
        client.send(v2(IPV4 + tls(1)) + request_head("GET", "/show_environ"))
        assert client.read_answer().json()["wsgi.url_scheme"] == "https"


def test_without_a_header_the_peer_is_the_client(server: Server):
    told = server.get("/show_environ").json()
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert "PROXY_PROTOCOL" not in told


def test_a_proxy_that_speaks_for_itself_is_its_own_client(server: Server):
    with server.client() as client:
        client.send(v2(b"", command=0x20, family=0) + request_head("GET", "/show_environ"))
        assert client.read_answer().json()["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize("header", [V1, v2()])
def test_a_header_from_a_stranger_is_refused_with_one_line(
    server: Server, header: bytes, peer: str
):
    with server.client(source=peer) as client:
        client.send(header + request_head("GET", "/hello"))
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (400, True)
        assert client.read_until_closed() == b""
    server.wait_for_log(f"{peer}[^\n]*may not send one")


def test_a_header_that_is_malformed_is_refused_with_one_line(server: Server):
    with server.client() as client:
        client.send(V1.replace(b"4711", b"x") + request_head("GET", "/hello"))
        assert client.read_answer().status == 400
    server.wait_for_log("a PROXY line whose port is none")
    server.assert_no_traceback()


def test_a_header_that_does_not_come_whole_is_given_its_time(start: Start):
    server = start("tests.live.apps.plain", "--proxy-protocol=required", "--header-timeout=0.5s")
    with server.client() as client:
        client.send(V1[:-4])
        assert client.read_answer().status == 408
    with server.client() as client:
        client.send(request_head("GET", "/hello"))
        assert client.read_answer().status == 400


def test_other_formats_are_introduced_as_well(start: Start):
    server = start("tests.live.apps.plain", "--proxy-protocol=auto", bind="uwsgi://127.0.0.1:0")
    with server.client() as client:
        asked = {"PATH_INFO": "/show_environ", "REQUEST_URI": "/show_environ", "REMOTE_ADDR": ""}
        client.send(V1 + packet(GET | asked))
        told = client.read_answer().json()
    assert told["REMOTE_ADDR"] == "192.0.2.7"
    assert told["PROXY_PROTOCOL"] == "TCP4"


@pytest.mark.parametrize("scheme", ["uwsgi", "fastcgi", "scgi"])
def test_a_stranger_may_not_speak_a_gateway_s_format(start: Start, scheme: str, peer: str):
    server = start("tests.live.apps.plain", bind=f"{scheme}://127.0.0.1:0")
    with server.client(source=peer) as client:
        client.send(packet(GET))
        with pytest.raises(Ended):
            client.read_answer()
    server.wait_for_log(f"{peer}[^\n]*may not speak")
