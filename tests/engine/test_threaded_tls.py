"""TLS in the engine: handshakes, both directions, endings, and clients that are slow or wrong."""

from __future__ import annotations

import socket
import ssl
import tempfile
from typing import Any

import pytest

from canter.engine.contract import BodyMode, EngineConfig
from canter.net.certificates import Keyring, Pair, TlsPlan, Verify
from tests.certificates import Authority
from tests.engine.serving import Gate, plain
from tests.live.raw_http import Client, Ended, connect, request_head
from tests.live.tls_client import TlsClient
from tests.live.waiting import eventually

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def pair(authority):
    files = authority.issue("localhost")
    return Pair(str(files.certificate), str(files.key))


@pytest.fixture
def tls(serve, pair):
    """Starts an engine that speaks TLS."""

    def start(application: Any, plan: TlsPlan | None = None, **config: Any) -> Any:
        keyring = Keyring(plan or TlsPlan(pair))
        return serve(application, EngineConfig(keyring=keyring, **config))

    return start


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body]


def keys(environ, start_response):
    lines = [f"{key}={value}" for key, value in environ.items() if key.startswith(("SSL", "HTTPS"))]
    lines.append(f"scheme={environ['wsgi.url_scheme']}")
    start_response("200 OK", [])
    return ["\n".join(lines).encode("latin-1")]


def read_to_the_end(client: TlsClient) -> None:
    while client.tls.recv(1000):
        pass


def get_once(address: Any, context: ssl.SSLContext) -> None:
    with TlsClient(address, context) as client:
        client.get("/")


def test_requests_follow_each_other_on_one_connection(tls, authority):
    serving = tls(plain)
    with TlsClient(serving.address, authority.client_context()) as client:
        for path in ("/one", "/two", "/three"):
            assert client.get(path).body == path.encode()
    assert [line.path for line in serving.lines(3)] == ["/one", "/two", "/three"]


def test_the_application_sees_https_and_what_was_agreed_on(tls, authority):
    serving = tls(keys)
    with TlsClient(serving.address, authority.client_context()) as client:
        found = dict(line.split("=", 1) for line in client.get("/").body.decode().splitlines())
        assert found["scheme"] == "https"
        assert found["HTTPS"] == "on"
        assert found["SSL_PROTOCOL"] == client.tls.version() == "TLSv1.3"
        assert (cipher := client.tls.cipher())
        assert found["SSL_CIPHER"] == cipher[0]
        assert found["SSL_CLIENT_VERIFY"] == "NONE"
        assert "SSL_CLIENT_CERT" not in found


def test_bodies_of_any_size_go_both_ways(tls, authority):
    serving = tls(echo, body_memory_bytes=MEGABYTE)
    with TlsClient(serving.address, authority.client_context()) as client:
        for size in (0, 1, 16 * 1024, 16 * 1024 + 1, 65536, 10 * MEGABYTE):
            body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            assert client.post("/", body).body == body


def test_records_cut_anywhere_are_put_together(tls, authority):
    # Everything the client sends arrives byte by byte: the handshake and the request.
    serving = tls(plain)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = authority.client_context().wrap_bio(down, up, server_hostname="localhost")
    sock = connect(serving.address)
    with sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drip() -> None:
            for byte in up.read():
                sock.sendall(bytes([byte]))

        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                drip()
                down.write(sock.recv(65536))
        client.write(request_head("GET", "/dripped"))
        drip()
        answer = b""
        while b"/dripped" not in answer:
            try:
                answer += client.read(65536)
            except ssl.SSLWantReadError:
                down.write(sock.recv(65536))
        assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("kind", ["list", "streamed", "file"])
def test_a_slow_client_gets_all_and_holds_no_thread(tls, authority, kind):
    size = 8 * MEGABYTE
    data = bytes(range(256)) * (size // 256)

    def application(environ, start_response):
        if environ["PATH_INFO"] != "/big":
            return plain(environ, start_response)
        start_response("200 OK", [("Content-Length", str(size))])
        if kind == "list":
            return [data]
        if kind == "streamed":
            return (data[at : at + 65536] for at in range(0, size, 65536))
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the wrapper closes it
        file.write(data)
        file.seek(0)
        return environ["wsgi.file_wrapper"](file)

    serving = tls(application, threads=2)
    context = authority.client_context()
    with TlsClient(serving.address, context, receive_buffer_bytes=4096) as slow:
        slow.send(request_head("GET", "/big"))
        with TlsClient(serving.address, context) as other:
            for _ in range(20):
                assert other.get("/other").body == b"/other"
        answer = slow.read_answer()
    assert answer.whole
    assert answer.body == data
    assert {line.outcome for line in serving.lines(21)} == {"ok"}


def test_a_response_that_ends_with_the_connection_ends_with_a_goodbye(tls, authority):
    serving = tls(plain)
    with TlsClient(serving.address, authority.client_context()) as client:
        # Without the goodbye this client raises.
        assert client.get("/last", "Connection: close").body == b"/last"
        assert client.read_until_closed() == b""


def test_a_body_that_was_cut_ends_without_a_goodbye(tls, authority):
    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"x" * 100
        raise RuntimeError("in the middle")

    serving = tls(application)
    serving.expects_errors = True
    with TlsClient(serving.address, authority.client_context()) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        with pytest.raises(OSError, match=r"EOF|reset"):
            read_to_the_end(client)


def test_a_client_that_said_goodbye_still_gets_its_answer(tls, authority):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = tls(application, threads=2)
    with TlsClient(serving.address, authority.client_context()) as client:
        client.send(request_head("GET", "/half"))
        gate.wait_for()
        client.say_goodbye()
        gate.open()
        received = b""
        while True:
            try:
                client.tls.settimeout(15)
                data = client.tls.recv(65536)
            except ssl.SSLError:
                break
            if not data:
                break
            received += data
        # OpenSSL reads no more after its own goodbye in TLS 1.2; here it is 1.3.
        assert received.endswith(b"/half")
    assert serving.line().outcome == "ok"


def test_http_in_the_clear_is_told_what_the_port_speaks(tls):
    serving = tls(plain)
    with Client(serving.address) as client:
        answer = client.get("/plain")
        assert answer.status == 400
        assert b"speaks HTTPS" in answer.body
        assert client.read_until_closed() == b""
    assert any("this port speaks HTTPS" in text for text in serving.records.texts())


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\xff\xff" + b"x" * 200,
        b"\x16\x03\x01\x00\x05hello",
        b"\x16" * 1000,
        b"\x80\x2e",
    ],
)
def test_garbage_is_refused_with_a_line_in_the_log(tls, garbage):
    serving = tls(plain)
    with Client(serving.address) as client:
        client.send(garbage)
        client.half_close()
        client.read_until_closed()
    eventually(lambda: serving.connections() == 0, "the connection is gone")
    assert any("127.0.0.1" in text for text in serving.records.texts())
    assert serving.warnings() == []


def test_a_record_that_was_tampered_with_ends_the_connection(tls, authority):
    serving = tls(plain)
    with TlsClient(serving.address, authority.client_context()) as client:
        assert client.get("/").status == 200
        with socket.socket(fileno=socket.dup(client.tls.fileno())) as below:
            below.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
        with pytest.raises(OSError, match=r"(?i)alert|mac|reset|EOF"):
            client.tls.recv(10)
    eventually(lambda: "TLS failed" in str(serving.records.texts()), "the log has it")


def test_stalled_handshakes_cost_no_thread_and_have_a_time(tls, authority):
    serving = tls(plain, threads=1, header_timeout_seconds=1.0, worker_connections=2000)
    stalled = [connect(serving.address) for _ in range(200)]
    try:
        for sock in stalled[::2]:
            sock.sendall(b"\x16\x03\x01")
        with TlsClient(serving.address, authority.client_context()) as client:
            assert client.get("/served").body == b"/served"
        for sock in stalled:
            assert sock.recv(100) == b""
    finally:
        for sock in stalled:
            sock.close()


def test_a_streamed_request_body_is_read_by_the_application(tls, authority):
    serving = tls(echo, request_body=BodyMode.STREAM, threads=2)
    with TlsClient(serving.address, authority.client_context()) as client:
        client.send(request_head("POST", "/", "Content-Length: 200000"))
        for _ in range(200):
            client.send(b"y" * 1000)
        assert client.read_answer("POST").body == b"y" * 200000


def test_a_client_certificate_is_described_to_the_application(tls, authority, pair):
    shown = authority.issue("client.example", common_name='Ada, the "first"')
    plan = TlsPlan(pair, ca_certs=str(authority.file), verify=Verify.REQUIRED)
    serving = tls(keys, plan)
    with TlsClient(serving.address, authority.client_context(shows=shown)) as client:
        text = client.get("/").body.decode()
    assert "SSL_CLIENT_VERIFY=SUCCESS" in text
    assert 'SSL_CLIENT_S_DN_CN=Ada, the "first"' in text
    assert 'SSL_CLIENT_S_DN=CN=Ada\\, the \\"first\\"' in text
    assert "SSL_CLIENT_CERT=-----BEGIN CERTIFICATE-----" in text
    assert "SSL_CLIENT_SAN_DNS_0=client.example" in text


def test_who_shows_no_certificate_is_not_served_where_one_is_required(tls, authority, pair):
    plan = TlsPlan(pair, ca_certs=str(authority.file), verify=Verify.REQUIRED)
    serving = tls(plain, plan)
    with pytest.raises((OSError, Ended)):
        get_once(serving.address, authority.client_context())
    assert serving.lines_now() == []


def test_an_optional_certificate_may_be_left_out(tls, authority, pair):
    plan = TlsPlan(pair, ca_certs=str(authority.file), verify=Verify.OPTIONAL)
    serving = tls(keys, plan)
    with TlsClient(serving.address, authority.client_context()) as client:
        assert "SSL_CLIENT_VERIFY=NONE" in client.get("/").body.decode()


def test_versions_below_the_minimum_are_not_spoken(tls, authority, pair):
    serving = tls(plain, TlsPlan(pair, minimum="1.3"))
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="version"):
        TlsClient(serving.address, context)


def test_sessions_are_resumed(tls, authority):
    serving = tls(keys)
    context = authority.client_context()
    with TlsClient(serving.address, context) as first:
        assert "SSL_SESSION_RESUMED=Initial" in first.get("/").body.decode()
        session = first.tls.session
    with TlsClient(serving.address, context, session=session) as second:
        assert "SSL_SESSION_RESUMED=Resumed" in second.get("/").body.decode()
