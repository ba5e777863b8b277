"""TLS with what stands around it: proxies ahead of it, fork servers, upgrades, unix sockets."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.certificates import Authority, Files
from tests.live import programs
from tests.live.fronts.front import running
from tests.live.h2_client import H2Client
from tests.live.harness import PLAIN, ROOT, Server, Start
from tests.live.raw_http import Address, Ended, request_head
from tests.live.tls_client import TlsClient
from tests.live.waiting import eventually
from tests.protocol.proxy.wires import V1, v2

PROXIED = ("--proxy-protocol=auto", "--threads=2", "--http-protocols", "h2,h1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> Files:
    return authority.issue("localhost", "127.0.0.1", into="server")


@pytest.fixture(scope="module")
def server(start_shared: Start, files: Files) -> Server:
    return start_shared(PLAIN, *files.options(), *PROXIED)


class Introduced(TlsClient):
    """Says who it speaks for, in pieces, before it shakes hands."""

    def __init__(self, address: Address, context, header: bytes, pieces: int = 1) -> None:
        self._header, self._pieces = header, pieces
        super().__init__(address, context)

    def before_tls(self) -> None:
        size = -(-len(self._header) // self._pieces)
        for at in range(0, len(self._header), size):
            self.send(self._header[at : at + size])


@pytest.mark.parametrize("header", [V1, v2()])
@pytest.mark.parametrize("pieces", [1, 4])
def test_a_header_stands_ahead_of_tls(
    server: Server, authority: Authority, header: bytes, pieces: int, mark: str
):
    with Introduced(server.address, authority.client_context(), header, pieces) as client:
        for number in range(2):
            told = client.get(f"/show_environ?{mark}{number}").json()
            assert (told["REMOTE_ADDR"], told["REMOTE_PORT"]) == ("192.0.2.7", "4711")
            assert (told["wsgi.url_scheme"], told["HTTPS"]) == ("https", "on")
    assert server.wait_for_request(f"{mark}1").peer == "192.0.2.7"


def test_without_a_header_the_peer_of_tls_is_the_client(server: Server, authority: Authority):
    with TlsClient(server.address, authority.client_context()) as client:
        told = client.get("/show_environ").json()
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert "PROXY_PROTOCOL" not in told


def test_http_in_the_clear_behind_a_header_is_told_so(server: Server):
    with server.client() as client:
        client.send(V1 + request_head("GET", "/hello"))
        answer = client.read_answer()
        assert answer.status == 400
        assert b"HTTPS" in answer.body


def test_a_header_within_tls_is_no_request(server: Server, authority: Authority):
    with TlsClient(server.address, authority.client_context()) as client:
        client.send(V1 + request_head("GET", "/hello"))
        assert client.read_answer().status == 400


def test_a_stranger_s_header_ahead_of_tls_ends_the_connection(server: Server, peer: str):
    with server.client(source=peer) as client:
        client.send(V1)
        with pytest.raises(Ended):
            client.read_answer()
    server.wait_for_log(f"{peer}[^\n]*may not send one")
    server.assert_no_traceback()


def test_where_a_header_is_required_tls_without_one_ends(
    start: Start, files: Files, authority: Authority
):
    server = start(PLAIN, *files.options(), "--proxy-protocol=required")
    with pytest.raises(OSError), TlsClient(server.address, authority.client_context()):  # noqa: PT011
        pass
    server.wait_for_log("no PROXY header ahead of the connection")
    with Introduced(server.address, authority.client_context(), v2()) as client:
        assert client.get("/hello").body == b"hello"


def test_over_http2_too(server: Server, authority: Authority):
    with Introduced(server.address, authority.client_context("h2"), v2()) as client:
        assert client.tls.selected_alpn_protocol() == "h2"
    server.assert_no_traceback()


@pytest.mark.parametrize(
    ("program", "name", "version"),
    [
        pytest.param("haproxy", "haproxy", "v1", marks=programs.needs("haproxy")),
        pytest.param("haproxy", "haproxy", "v2", marks=programs.needs("haproxy")),
        pytest.param(
            "nginx", "nginx", "v1", marks=[programs.needs("nginx"), programs.needs("nginx stream")]
        ),
    ],
)
def test_a_proxy_passes_tls_on_and_says_who_comes(
    server: Server, authority: Authority, tmp_path: Path, program: str, name: str, version: str
):
    words = ("--protocol", "proxy", f"--proxy-protocol={version}", "--bind", server.url)
    with running(name, tmp_path, *words, "--self-signed") as front:
        with TlsClient(front.address, authority.client_context()) as client:
            port = str(client.socket.getsockname()[1])
            told = client.get("/show_environ").json()
        assert (told["REMOTE_ADDR"], told["REMOTE_PORT"]) == ("127.0.0.1", port)
        assert told["PROXY_PORT"] == str(front.address[1])
        assert told["wsgi.url_scheme"] == "https"
        with H2Client(front.address, authority.client_context("h2")) as two:
            port = str(two.socket.getsockname()[1])
            answer = two.answer(two.request("/show_environ"))
        assert f'"REMOTE_PORT": "{port}"' in answer.body.decode()


def test_a_fork_server_s_workers_speak_tls(start: Start, files: Files, authority: Authority):
    server = start(PLAIN, *files.options(), "--preload", "--workers", "2")
    old = server.wait_for_workers(2)
    with TlsClient(server.address, authority.client_context()) as client:
        assert client.get("/hello").body == b"hello"
    server.signal(signal.SIGHUP)
    server.wait_for_new_workers(old, 2)
    with TlsClient(server.address, authority.client_context()) as client:
        assert client.get("/who").json()["pid"] not in old


def test_a_successor_speaks_tls_with_the_files_of_now(start: Start, authority: Authority):
    files = authority.issue("localhost", into="succeeded")
    server = start(PLAIN, *files.options(), "--pid", "canter.pid")
    authority.issue("localhost", "succeeded.example", into="succeeded")
    server.signal(signal.SIGUSR2)
    heir = int(server.wait_for_log(r"the successor is process (\d+)")[1])
    server.wait_for_log(rf"\[{heir}\] \[INFO\] generation 1 serves")
    server.stop_this_one()

    def renewed() -> bool:
        with TlsClient(server.address, authority.client_context()) as client:
            assert client.get("/hello").body == b"hello"
            return "succeeded.example" in str(client.tls.getpeercert())

    try:
        eventually(renewed, "the successor alone shows the new certificate")
    finally:
        subprocess.run(["kill", "-TERM", str(heir)], check=True)


def test_a_unix_socket_with_tls_has_the_port_of_https(
    start: Start, files: Files, authority: Authority
):
    server = start(PLAIN, *files.options(), bind="https+unix:tls.sock")
    with TlsClient(str(server.directory / "tls.sock"), authority.client_context()) as client:
        told = client.get("/show_environ").json()
    assert (told["wsgi.url_scheme"], told["SERVER_PORT"]) == ("https", "443")


def test_forwarded_fields_are_read_on_streams(start: Start):
    server = start(
        PLAIN,
        *("--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge"),
        *("--forwarded-fields", "x-forwarded"),
    )
    fields = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")]
    with H2Client(server.address) as client:
        told = client.answer(client.request("/show_environ", *fields)).body.decode()
    assert '"REMOTE_ADDR": "192.0.2.7"' in told
    assert '"wsgi.url_scheme": "https"' in told


def test_http2_needs_no_library():
    without = (
        "import sys; sys.modules |= dict.fromkeys(['h2', 'hpack', 'hyperframe']);"
        " import canter.engine.threaded.streams"
    )
    subprocess.run([sys.executable, "-c", without], cwd=ROOT, check=True, timeout=60)
