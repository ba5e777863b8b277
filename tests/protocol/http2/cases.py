"""The rules of RFC 9113 for who reads frames, each with frames that keep or break it."""
# ruff: noqa: E501 - a table is read line by line

from __future__ import annotations

from typing import NamedTuple

from canter.protocol.http2 import frames
from canter.protocol.http2.errors import Error

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 0x20
WHOLE = END_STREAM | END_HEADERS

GET = b"\x82\x86\x84\x41\x01x"  # GET https / of the authority "x"
POST = b"\x83\x86\x84\x41\x01x"

PROTOCOL = Error.PROTOCOL_ERROR
SIZE = Error.FRAME_SIZE_ERROR
FLOW = Error.FLOW_CONTROL_ERROR
CLOSED = Error.STREAM_CLOSED
PACKED = Error.COMPRESSION_ERROR
CALM = Error.ENHANCE_YOUR_CALM


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    return frames.head(len(payload), kind, flags, stream) + payload


def setting(number: int, value: int) -> bytes:
    return frame(SETTINGS, number.to_bytes(2, "big") + value.to_bytes(4, "big"))


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def get(stream: int = 1) -> bytes:
    return frame(HEADERS, GET, WHOLE, stream)


def post(stream: int = 1) -> bytes:
    return frame(HEADERS, POST, END_HEADERS, stream)


class Case(NamedTuple):
    """What is sent, and what comes of it: the connection's end with a code, a stream's, or none.

    stream: 0 for the connection.
    """

    section: str
    what: str
    sent: bytes
    code: Error | None
    stream: int = 0


OK = None
CASES = [
    # -- 4: frames
    Case("4.1", "a frame of a type that nobody knows", frame(0xEE, b"x" * 8), OK),
    Case("4.1", "flags that nobody knows", frame(PING, b"x" * 8, 0xFE), OK),
    Case("4.1", "the reserved bit", frame(PING, b"x" * 8, 0, 2**31), OK),
    Case("4.2", "DATA of the largest size", post() + frame(DATA, b"x" * 16384, 0, 1), OK),
    Case("4.2", "DATA over the largest size", post() + frame(DATA, b"x" * 16385, 0, 1), SIZE),
    Case("4.2", "HEADERS over the largest size", frame(HEADERS, b"x" * 16385, WHOLE, 1), SIZE),
    Case("4.3", "a block that is none", frame(HEADERS, b"\xff\xff\xff\xff\xff", WHOLE, 1), PACKED),
    Case("4.3", "DATA within a block", frame(HEADERS, GET, 0, 1) + frame(DATA, b"", 0, 1), PROTOCOL),
    Case("4.3", "PING within a block", frame(HEADERS, GET, 0, 1) + frame(PING, b"x" * 8), PROTOCOL),
    Case("4.3", "an unknown frame within a block", frame(HEADERS, GET, 0, 1) + frame(0xEE), PROTOCOL),
    Case("4.3", "another stream's HEADERS within a block", frame(HEADERS, GET, 0, 1) + get(3), PROTOCOL),
    # -- 5.1: the states of streams
    Case("5.1", "idle: DATA", frame(DATA, b"x", 0, 1), PROTOCOL),
    Case("5.1", "idle: RST_STREAM", frame(RST, number(8), 0, 1), PROTOCOL),
    Case("5.1", "idle: WINDOW_UPDATE", frame(WINDOW, number(1), 0, 1), PROTOCOL),
    Case("5.1", "idle: CONTINUATION", frame(CONTINUATION, GET, END_HEADERS, 1), PROTOCOL),
    Case("5.1", "idle: PRIORITY", frame(PRIORITY, b"x" * 5, 0, 1), OK),
    Case("5.1", "half-closed: DATA", get() + frame(DATA, b"x", 0, 1), CLOSED, 1),
    Case("5.1", "half-closed: HEADERS", get() + get(), CLOSED, 1),
    Case("5.1", "half-closed: CONTINUATION", get() + frame(CONTINUATION, GET, 4, 1), PROTOCOL),
    Case("5.1", "half-closed: WINDOW_UPDATE", get() + frame(WINDOW, number(1), 0, 1), OK),
    Case("5.1", "half-closed: PRIORITY", get() + frame(PRIORITY, b"x" * 5, 0, 1), OK),
    Case("5.1", "half-closed: RST_STREAM", get() + frame(RST, number(8), 0, 1), OK),
    Case("5.1", "reset: DATA", post() + frame(RST, number(8), 0, 1) + frame(DATA, b"", 0, 1), CLOSED),
    Case("5.1", "reset: HEADERS", get() + frame(RST, number(8), 0, 1) + get(), CLOSED),
    Case("5.1", "reset: WINDOW_UPDATE", get() + frame(RST, number(8), 0, 1) + frame(WINDOW, number(1), 0, 1), OK),
    Case("5.1", "reset: RST_STREAM", get() + frame(RST, number(8), 0, 1) * 2, OK),
    Case("5.1.1", "an even stream", get(2), PROTOCOL),
    Case("5.1.1", "a stream below the last", get(5) + get(3), PROTOCOL),
    Case("5.1.1", "a stream far below the last", get(501) + get(1), CLOSED),
    Case("5.1.1", "streams that are left out", get(7) + get(1001), OK),
    Case("5.1.1", "HEADERS on stream 0", frame(HEADERS, GET, WHOLE), PROTOCOL),
    Case("5.1.2", "one stream too many", post(1) + post(3) + post(5), Error.REFUSED_STREAM, 5),
    # -- 6: the definitions of frames
    Case("6.1", "DATA on stream 0", frame(DATA, b"x"), PROTOCOL),
    Case("6.1", "padding as long as the payload", post() + frame(DATA, b"\x03xx", PADDED, 1), PROTOCOL),
    Case("6.1", "padding that leaves nothing", post() + frame(DATA, b"\x02xx", PADDED, 1), OK),
    Case("6.1", "padding without its length", post() + frame(DATA, b"", PADDED, 1), SIZE),
    Case("6.2", "HEADERS with padding", frame(HEADERS, b"\x01" + GET + b"\0", WHOLE | PADDED, 1), OK),
    Case("6.2", "HEADERS with too much padding", frame(HEADERS, b"\x40" + GET, WHOLE | PADDED, 1), PROTOCOL),
    Case("6.2", "HEADERS with a priority", frame(HEADERS, b"\0\0\0\0\x05" + GET, WHOLE | WITH_PRIORITY, 1), OK),
    Case("6.2", "HEADERS with half a priority", frame(HEADERS, b"\0\0", WHOLE | WITH_PRIORITY, 1), SIZE),
    Case("6.3", "PRIORITY on stream 0", frame(PRIORITY, b"x" * 5), PROTOCOL),
    Case("6.3", "PRIORITY of another size", frame(PRIORITY, b"x" * 4, 0, 1), SIZE),
    Case("6.4", "RST_STREAM on stream 0", frame(RST, number(8)), PROTOCOL),
    Case("6.4", "RST_STREAM of another size", get() + frame(RST, b"x" * 3, 0, 1), SIZE),
    Case("6.5", "SETTINGS on a stream", frame(SETTINGS, b"", 0, 1), PROTOCOL),
    Case("6.5", "SETTINGS of another size", frame(SETTINGS, b"x" * 5), SIZE),
    Case("6.5", "an acknowledgement with settings", frame(SETTINGS, b"x" * 6, ACK), SIZE),
    Case("6.5.2", "ENABLE_PUSH of 2", setting(2, 2), PROTOCOL),
    Case("6.5.2", "INITIAL_WINDOW_SIZE of 2^31", setting(4, 2**31), FLOW),
    Case("6.5.2", "MAX_FRAME_SIZE that is too small", setting(5, 16383), PROTOCOL),
    Case("6.5.2", "MAX_FRAME_SIZE that is too large", setting(5, 2**24), PROTOCOL),
    Case("6.5.2", "a setting that nobody knows", setting(0xFF, 7), OK),
    Case("6.6", "PUSH_PROMISE", frame(PUSH, number(2) + GET, END_HEADERS, 1), PROTOCOL),
    Case("6.7", "PING on a stream", frame(PING, b"x" * 8, 0, 1), PROTOCOL),
    Case("6.7", "PING of another size", frame(PING, b"x" * 6), SIZE),
    Case("6.7", "an answer to no PING", frame(PING, b"x" * 8, ACK), OK),
    Case("6.8", "GOAWAY on a stream", frame(GOAWAY, b"\0" * 8, 0, 1), PROTOCOL),
    Case("6.8", "GOAWAY of another size", frame(GOAWAY, b"\0" * 7), SIZE),
    Case("6.8", "GOAWAY", get() + frame(GOAWAY, b"\0" * 8 + b"why"), OK),
    Case("6.9", "WINDOW_UPDATE of nothing", frame(WINDOW, number(0)), PROTOCOL),
    Case("6.9", "a stream's WINDOW_UPDATE of nothing", get() + frame(WINDOW, number(0), 0, 1), PROTOCOL, 1),
    Case("6.9", "WINDOW_UPDATE of another size", frame(WINDOW, b"x" * 3), SIZE),
    Case("6.9.1", "a window over 2^31-1", frame(WINDOW, number(2**31 - 1)), FLOW),
    Case("6.9.1", "a stream's window over 2^31-1", get() + frame(WINDOW, number(2**31 - 1), 0, 1), FLOW, 1),
    Case("6.9.1", "more than a stream's window", post() + frame(DATA, b"x" * 16384, 0, 1) * 5, FLOW, 1),
    Case("6.9.2", "settings that make a window too large", get() + frame(WINDOW, number(2**31 - 65536), 0, 1) + setting(4, 65536), FLOW),
    Case("6.9.2", "settings that make a window negative", get() + setting(4, 0), OK),
    Case("6.10", "CONTINUATION", frame(HEADERS, GET[:2], END_STREAM, 1) + frame(CONTINUATION, GET[2:], 4, 1), OK),
    Case("6.10", "CONTINUATIONs", frame(HEADERS, b"", 1, 1) + frame(CONTINUATION, GET[:3], 0, 1) + frame(CONTINUATION, GET[3:], 4, 1), OK),
    Case("6.10", "CONTINUATION on stream 0", frame(HEADERS, GET, 0, 1) + frame(CONTINUATION, b"", 4), PROTOCOL),
    Case("6.10", "another stream's CONTINUATION", frame(HEADERS, GET, 0, 1) + frame(CONTINUATION, b"", 4, 3), PROTOCOL),
    Case("6.10", "CONTINUATION behind a block", frame(HEADERS, POST, 4, 1) + frame(CONTINUATION, b"", 4, 1), PROTOCOL),
    Case("6.10", "CONTINUATION behind DATA", post() + frame(DATA, b"x", 0, 1) + frame(CONTINUATION, b"", 4, 1), PROTOCOL),
    # -- 8: messages; what one head has in it is for test_heads
    Case("8.1", "trailers", post() + frame(DATA, b"x", 0, 1) + frame(HEADERS, b"\x40\x01a\x01b", WHOLE, 1), OK),
    Case("8.1", "trailers that do not end", post() + frame(HEADERS, b"\x40\x01a\x01b", END_HEADERS, 1), PROTOCOL, 1),
    Case("8.1", "content behind trailers", post() + frame(HEADERS, b"\x40\x01a\x01b", WHOLE, 1) + frame(DATA, b"x", 0, 1), CLOSED, 1),
    # -- 10.5: too much
    Case("10.5", "pings without end", frame(PING, b"x" * 8) * 1100, CALM),
    Case("10.5", "settings without end", frame(SETTINGS) * 1100, CALM),
    Case("10.5", "priorities without end", frame(PRIORITY, b"x" * 5, 0, 1) * 1100, CALM),
    Case("10.5", "unknown frames without end", frame(0xEE) * 1100, CALM),
    Case("10.5", "empty content without end", post() + frame(DATA, b"", 0, 1) * 1100, CALM),
    Case("10.5", "tiny windows without end", frame(WINDOW, number(1)) * 5100, CALM),
    Case("10.5", "an empty CONTINUATION without end", frame(HEADERS, GET, 0, 1) + frame(CONTINUATION, b"", 0, 1) * 100, CALM),
    Case("10.5", "a block without end", frame(HEADERS, GET, 0, 1) + frame(CONTINUATION, b"\0" * 16384, 0, 1) * 20, CALM),
    Case("10.5", "requests given up without end", b"".join(get(n) + frame(RST, number(8), 0, n) for n in range(1, 601, 2)), CALM),
    Case("10.5", "streams at once without end", b"".join(post(n) for n in range(1, 601, 2)), CALM),
    Case("10.5", "streams that break rules without end", b"".join(get(n) + get(n) for n in range(1, 601, 2)), CALM),
    Case("10.5.1", "a head over its limit", frame(HEADERS, GET + b"\x40\x14" + b"n" * 20 + b"\x14" + b"v" * 20 + b"\xbe" * 60, WHOLE, 1), CALM),
]  # fmt: skip
