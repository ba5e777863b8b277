"""Clients that use HTTP/2 to make a server work for nothing: each is told to calm down."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

import pytest
from h2.settings import SettingCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from canter.engine.contract import EngineConfig
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.limits import Limits
from canter.protocol.trust import TrustPolicy
from tests.engine.serving import Gate, plain
from tests.live.h2_client import H2Client
from tests.live.raw_http import Client
from tests.live.waiting import eventually

CALM = 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture
def http2(serve):
    def start(application: Any, spoken: Http2Limits | None = None, **config: Any) -> Any:
        limits = spoken or Http2Limits(cleartext=True)
        trust = TrustPolicy(allow="*")
        return serve(application, EngineConfig(http2=limits, trust=trust, threads=2, **config))

    return start


def flood(client: H2Client, frame: Frame, most: int = 20_000) -> int | None:
    """Send the same frame until the server ends it; the error code of its GOAWAY."""
    data = frame.serialize() * 200
    client.socket.settimeout(15)
    try:
        for _ in range(most // 200):
            client.socket.sendall(data)
    except OSError:
        pass
    client.until_closed()
    return client.goaways[-1][0] if client.goaways else None


FLOODS: dict[str, Frame] = {
    "pings": PingFrame(0, opaque_data=b"12345678"),
    "settings": SettingsFrame(0, settings={3: 100}),
    "priorities": PriorityFrame(1, depends_on=0, stream_weight=5),
    "empty content": DataFrame(1, data=b""),
    "window updates of one byte": WindowUpdateFrame(0, window_increment=1),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_floods_of_frames_that_ask_for_nothing_end_the_connection(http2, kind):
    serving = http2(plain)
    with H2Client(serving.address) as client:
        client.request("/", method="POST", end=False)
        code = flood(client, FLOODS[kind])
        # Who floods may find the connection reset before it has read why.
        assert code in {CALM, None}
        assert client.closed
    eventually(lambda: "HTTP/2 failed" in str(serving.records.texts()), "the log says so")
    with H2Client(serving.address) as other:
        assert other.get("/other").body == b"/other"


def test_requests_given_up_at_once_are_not_run_without_end(http2):
    # Rapid reset, CVE-2023-44487.
    gate = Gate()
    calls = []

    def application(environ, start_response):
        calls.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/hold":
            gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as holder, H2Client(serving.address) as client:
        held = [holder.request("/hold") for _ in range(2)]
        gate.wait_for(2)
        client.socket.settimeout(15)
        try:
            for _ in range(500):
                stream = client.request("/reset")
                client.h2.reset_stream(stream, 8)
                client.flush()
        except OSError:
            pass
        client.until_closed()
        gate.open()
        for stream in held:
            assert holder.answer(stream).status == 200
        assert holder.get("/after").body == b"/after"
    assert "/reset" not in calls
    assert any("given up" in text for text in serving.records.texts())


def test_streams_above_the_limit_are_refused_also_while_given_up_ones_run(http2):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/hold":
            gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application, Http2Limits(cleartext=True, max_concurrent_streams=2))
    with H2Client(serving.address) as client:
        held = [client.request("/hold") for _ in range(2)]
        gate.wait_for(2)
        for stream in held:
            client.h2.reset_stream(stream, 8)
        client.flush()
        refused = client.request("/more")
        assert client.answer(refused).reset == 7  # REFUSED_STREAM: it may be sent again
        gate.open()
        eventually(lambda: client.get("/again").status == 200, "there is room again")


def test_content_behind_a_refusal_is_not_kept(http2):
    # The client leaves no room for the answer, so that the stream stays while it sends on.
    serving = http2(plain, limits=Limits(body=1000))
    settings = {SettingCodes.INITIAL_WINDOW_SIZE: 0}
    with H2Client(serving.address, settings=settings) as client:
        client.receive()
        stream = client.request("/", method="POST", end=False)
        tracemalloc.start()
        try:
            client.send_body(stream, b"x" * 8_000_000, end=False)
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 2_000_000
        with H2Client(serving.address) as other:
            assert other.get("/other").body == b"/other"


def headers_frame(stream: int, block: bytes, *flags: str) -> HeadersFrame:
    frame = HeadersFrame(stream, data=block)
    for flag in flags:
        frame.flags.add(flag)
    return frame


@pytest.mark.parametrize("size", [0, 16_000])
def test_a_header_block_that_does_not_end_ends_the_connection(http2, size):
    # CONTINUATION floods, CVE-2024-27316.
    serving = http2(plain)
    with H2Client(serving.address) as client:
        client.socket.settimeout(15)
        try:
            client.send_frames(headers_frame(1, b"\x82"))
            for _ in range(500):
                client.send_frames(ContinuationFrame(1, data=b"\0" * size))
        except OSError:
            pass
        client.until_closed()
        assert client.closed
    eventually(lambda: "HTTP/2 failed" in str(serving.records.texts()), "the log says so")


def test_a_small_block_that_unpacks_to_a_large_head_is_refused(http2):
    serving = http2(plain, Http2Limits(cleartext=True, max_header_list_size=4096))
    with H2Client(serving.address) as client:
        name = b"x" * 100
        value = b"y" * 1000
        block = (
            b"\x40\x64" + name + b"\x7f" + bytes([(1000 - 127) & 0x7F | 0x80, (1000 - 127) >> 7])
        )
        client.send_frames(
            headers_frame(1, b"\x82\x86\x84" + block + value + b"\xbe" * 200, "END_HEADERS")
        )
        client.until_closed()
        assert client.closed


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 200_000,
        b"\0\0\x05\x04\0\0\0\0\0hello",  # settings of a wrong length
        b"\0\0\0\x04\0\0\0\0\x01",  # settings on a stream
        b"\0\x80\0\0\0\0\0\0\x01" + b"x" * 32768,  # a frame over the limit
        b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0",  # a window update of nothing
        b"\0\0\0\x09\x04\0\0\0\x01",  # CONTINUATION without a head
        b"\0\0\x01\0\0\0\0\0\x01x",  # content of a stream that was never opened
        b"\0\0\x06\x01\x04\0\0\0\x02\x82\x86\x84\x41\x01x",  # a stream that is not the client's
    ],
    ids=range(8),
)
def test_what_is_no_frame_ends_the_connection_with_one_line(http2, garbage):
    serving = http2(plain)
    with Client(serving.address) as client:
        with contextlib.suppress(ConnectionError):
            client.send(PREFACE + SettingsFrame(0).serialize() + garbage)
        client.read_until_closed()
    eventually(lambda: "HTTP/2 failed" in str(serving.records.texts()), "the log says so")
    assert len([text for text in serving.records.texts() if "HTTP/2" in text]) == 1
    assert serving.warnings() == []


def test_a_preface_that_stops_has_the_time_of_a_head(http2):
    serving = http2(plain, header_timeout_seconds=0.3)
    with Client(serving.address) as client:
        client.send(PREFACE[:10])
        assert client.read_until_closed() == b""
    with Client(serving.address) as client:
        client.send(PREFACE)
        assert client.read_until_closed()  # settings, and the goodbye


def test_unknown_frames_and_a_goaway_of_the_client_are_borne(http2):
    serving = http2(plain)
    with H2Client(serving.address) as client:
        client.socket.sendall(b"\0\0\x03\xee\0\0\0\0\0abc")
        stream = client.request("/")
        client.socket.sendall(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0")
        assert client.answer(stream).status == 200


def test_a_reset_of_a_stream_that_never_was_ends_the_connection(http2):
    serving = http2(plain)
    with H2Client(serving.address) as client:
        client.send_frames(RstStreamFrame(101, error_code=8))
        client.until_closed()
        assert client.goaways[-1][0] == 1
