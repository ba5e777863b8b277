"""The rules of frames, however their bytes are cut, and what goes out within the windows."""

from __future__ import annotations

from typing import Any

import pytest
from hyperframe.frame import Frame, GoAwayFrame, RstStreamFrame

from canter.protocol.http2 import frames
from canter.protocol.http2.connection import Http2Connection, News, What
from canter.protocol.http2.errors import ConnectionFailed, Error
from canter.protocol.http2.limits import Http2Limits
from tests.protocol.http2.cases import (
    ACK,
    CASES,
    CLOSED,
    DATA,
    HEADERS,
    PING,
    POST,
    PROTOCOL,
    SETTINGS,
    WHOLE,
    WINDOW,
    frame,
    get,
    number,
    post,
    setting,
)

LIMITS = Http2Limits(max_concurrent_streams=2, max_header_list_size=4096)


def sent(data: bytes) -> list[Any]:
    """The frames of these bytes, read by somebody else."""
    found = []
    while data:
        head, length = Frame.parse_frame_header(memoryview(data[:9]))
        head.parse_body(memoryview(data[9 : 9 + length]))
        found.append(head)
        data = data[9 + length :]
    return found


def begun(limits: Http2Limits = LIMITS) -> Http2Connection:
    connection = Http2Connection(limits)
    assert connection.receive(frames.PREFACE + frame(SETTINGS) + frame(SETTINGS, b"", ACK)) == []
    connection.output()
    return connection


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section}: {case.what}")
@pytest.mark.parametrize("piece_bytes", [2**20, 1, 7])
def test_a_rule_is_held_however_the_bytes_are_cut(case, piece_bytes):
    connection = begun()
    news: list[News] = []
    failed: ConnectionFailed | None = None
    if piece_bytes == 1 and len(case.sent) > 20_000:
        piece_bytes = 5
    for at in range(0, len(case.sent), piece_bytes):
        try:
            news += connection.receive(case.sent[at : at + piece_bytes])
        except ConnectionFailed as failure:
            failed = failure
            break
    told = sent(connection.output())
    goaways = [f for f in told if isinstance(f, GoAwayFrame)]
    resets = [(f.stream_id, f.error_code) for f in told if isinstance(f, RstStreamFrame)]
    if case.code is None:
        assert failed is None
        assert (goaways, resets) == ([], [])
    elif case.stream:
        assert failed is None
        assert resets == [(case.stream, case.code)]
        if case.code is not Error.REFUSED_STREAM:
            assert (news[-1].what, news[-1].stream) == (What.RESET, case.stream)
        # Nothing of it is left, and the connection goes on.
        assert connection.room(case.stream) == 0
        assert connection.receive(frame(PING, b"x" * 8)) == []
    else:
        assert failed is not None
        assert failed.mistake.code is case.code
        assert [f.error_code for f in goaways] == [case.code]
        # Whoever goes on hears the same.
        with pytest.raises(ConnectionFailed):
            connection.receive(get(901))


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        frames.PREFACE[:-1] + b"x",
        b"PRX",
        frames.PREFACE + frame(PING, b"x" * 8),
        frames.PREFACE + frame(SETTINGS, b"", ACK),
        frames.PREFACE + get(),
    ],
    ids=range(6),
)
def test_a_connection_begins_with_the_preface_and_settings(first):
    connection = Http2Connection(LIMITS)
    with pytest.raises(ConnectionFailed) as raised:
        connection.receive(first)
    assert raised.value.mistake.code is PROTOCOL
    assert raised.value.mistake.section == "3.4"


def test_every_mistake_says_where_its_rule_stands():
    connection = begun()
    with pytest.raises(ConnectionFailed) as raised:
        connection.receive(frame(DATA, b"x"))
    assert raised.value.detail == "a frame of streams on stream 0 (RFC 9113 5.1.1)"
    with pytest.raises(ConnectionFailed) as raised:
        begun().receive(frame(HEADERS, b"\x80", WHOLE, 1))
    assert raised.value.detail == "an index beyond the tables (RFC 7541 2.3.3)"


def test_what_a_client_had_on_its_way_to_a_stream_given_up_is_dropped():
    connection = begun()
    connection.receive(post())
    connection.reset(1, Error.CANCEL)
    on_its_way = frame(DATA, b"x" * 1000, 0, 1) + frame(HEADERS, b"\x40\x01a\x01b", WHOLE, 1)
    assert connection.receive(on_its_way) == []
    # The block was read for the sake of the table, and the end was noted.
    (news,) = connection.receive(frame(HEADERS, POST + b"\xbf", WHOLE, 3))
    assert [(f.name.raw, f.text) for f in news.fields][-1] == (b"a", "b")
    with pytest.raises(ConnectionFailed) as raised:
        connection.receive(frame(DATA, b"x", 0, 1))
    assert raised.value.mistake.code is CLOSED


def test_the_connections_window_opens_again_and_is_held_to():
    connection = begun(Http2Limits(initial_window_size=2**31 - 1))
    connection.receive(post())
    block = frame(DATA, b"x" * 16384, 0, 1)
    for _ in range(200):  # three megabytes, of which one may be on its way
        connection.receive(block)
    updates = [f.window_increment for f in sent(connection.output()) if f.stream_id == 0]
    assert sum(updates) >= 199 * 16384


def test_a_small_window_holds_once_it_is_acknowledged():
    limits = Http2Limits(initial_window_size=1000)
    block = post() + frame(DATA, b"x" * 2000, 0, 1)
    connection = Http2Connection(limits)
    connection.receive(frames.PREFACE + frame(SETTINGS))
    assert [news.what for news in connection.receive(block)] == [What.OPENED, What.DATA]
    later = connection.receive(frame(SETTINGS, b"", ACK) + frame(DATA, b"x", 0, 1))
    assert [news.what for news in later] == [What.RESET]
    assert [news.what for news in begun(limits).receive(block)] == [What.OPENED, What.RESET]


def test_windows_and_frames_of_the_peer_are_kept_to():
    connection = begun()
    connection.receive(setting(4, 10) + setting(5, 20000) + get() + get(3))
    assert connection.frame_bytes == 20000
    assert connection.room(1) == 10
    connection.send_head(1, [(b":status", b"200")], False)
    connection.send_content(1, b"x" * 10, False)
    assert connection.room(1) == 0
    connection.receive(setting(4, 5))
    assert connection.room(1) == 0  # below nothing (6.9.2)
    connection.receive(frame(WINDOW, number(7), 0, 1))
    assert connection.room(1) == 2
    connection.send_content(1, b"xx", True)
    assert connection.room(1) == 0
    assert not connection.send_content(1, b"more", False)
    assert not connection.send_head(1, [(b":status", b"200")], True)
    assert connection.room(3) == 5


def test_a_long_head_is_continued():
    connection = begun()
    connection.receive(get())
    value = b"v" * 40_000
    connection.send_head(1, [(b":status", b"200"), (b"x-long", value)], True)
    told = sent(connection.output())
    assert [type(f).__name__ for f in told] == ["HeadersFrame"] + ["ContinuationFrame"] * 2
    assert [sorted(f.flags) for f in told] == [["END_STREAM"], [], ["END_HEADERS"]]


def test_a_ping_and_settings_are_answered():
    connection = begun()
    connection.receive(frame(PING, b"12345678") + setting(1, 0))
    ping, acknowledgement = sent(connection.output())
    assert (ping.opaque_data, set(ping.flags)) == (b"12345678", {"ACK"})
    assert set(acknowledgement.flags) == {"ACK"}
