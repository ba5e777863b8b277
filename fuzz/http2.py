"""Invariant: frames of any kind, cut anywhere, give both builds the same requests and faults.

Or one end: what breaks the connection's rules ends it in either build.

An input is two bytes, then the bytes of the wire behind the preface: the lengths of the pieces in
which the wire comes once more, in turn (0: all the rest).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from canter import extensions
from canter.protocol.faults import Fault
from canter.protocol.http1.reader import Reader
from canter.protocol.http2 import connection, streams
from canter.protocol.http2.errors import ConnectionFailed
from canter.protocol.http2.heads import HeadJudge
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.limits import Leniency, Limits
from fuzz.http1 import pieces

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SPOKEN = Http2Limits(max_header_list_size=4096)
_LIMITS = Limits(fields=8, field_size=200, body=4000, request_line=300)


class Build(NamedTuple):
    """The modules whose classes take part."""

    connection: ModuleType
    streams: ModuleType


def _plain(name: str, *parts: str) -> ModuleType:
    package = "canter.protocol.http2."
    return extensions.load_source(package + name, *(package + part for part in parts))


IMPORTED = Build(connection, streams)
PLAIN = Build(
    _plain("connection", "huffman", "decoder", "encoder", "tracks", "incoming", "outgoing"),
    _plain("streams"),
)


def played(build: Build, parts: list[bytes]) -> tuple[list[Any], bool]:
    """What a connection makes of the wire, and whether it goes on afterwards."""
    spoken = build.connection.Http2Connection(_SPOKEN)
    found: list[Any] = []
    readers: dict[int, Any] = {}
    for part in [_PREFACE, *parts]:
        try:
            for news in spoken.receive(part):
                meaning = _meaning(build, news, readers)
                found.append((news.what.name, news.stream, meaning))
        except ConnectionFailed as failed:
            told = spoken.output()
            assert told, "a peer is told why"
            found.append(str(failed))
            return found, False
        spoken.output()
    return found, True


def _meaning(build: Build, news: Any, readers: dict[int, Any]) -> Any:
    """What a stream's reader makes of one piece of news; a Fault by its status."""
    if news.what.name == "OPENED":
        judge = HeadJudge(Reader(_LIMITS, Leniency()), _LIMITS)
        reader = build.streams.StreamReader(judge, _LIMITS, news.fields)
        reader.ended = news.ended
        readers[news.stream] = reader
        try:
            request = reader.next_request({"SCRIPT_NAME": ""})
        except Fault as fault:
            return fault.status
        assert request is not None
        _check_environ(request.environ)
        return sorted(request.environ.items()), request.body_length
    known = readers.get(news.stream)
    try:
        if known is not None and news.what.name == "DATA":
            known.feed(news.data)
            return known.read_body(65536)
        if known is not None and news.what.name == "TRAILERS":
            known.take_trailers(news.fields)
    except Fault as fault:
        return fault.status
    return None


def _check_environ(environ: dict[str, Any]) -> None:
    for key, value in environ.items():
        assert key == key.upper(), key
        assert not set("\r\n\0") & set(str(value)) or key in {"PATH_INFO", "SCRIPT_NAME"}, key


def check(data: bytes) -> None:
    """Read one input in all ways; AssertionError, or what escaped, where the invariant breaks."""
    first, second = data[:2].ljust(2, b"\0")
    wire = data[2:]
    whole, goes_on = played(IMPORTED, [wire])
    cut, cut_goes_on = played(IMPORTED, pieces(wire, (first, second)))
    assert goes_on is cut_goes_on, (whole, cut)
    if goes_on:
        assert whole == cut, (whole, cut)
    else:
        # What came before the end may be seen or not; never anything else. The end comes last.
        before = whole[:-1]
        assert cut[: len(before)] == before, (whole, cut)
        assert whole[-1] == cut[-1], (whole, cut)
    for build_found, parts in ((whole, [wire]), (cut, pieces(wire, (first, second)))):
        plain, _ = played(PLAIN, parts)
        assert plain == build_found, (plain, build_found)


def _block(*fields: tuple[str, str]) -> bytes:
    return bytes(Encoder().encode(list(fields)))


_HEADS = (
    ((":method", "GET"), (":scheme", "https"), (":path", "/a?b"), (":authority", "x")),
    ((":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("te", "x")),
    ((":method", "PUT"), (":path", "/%00"), (":scheme", "https"), ("host", "y"), ("cookie", "a")),
    ((":method", "CONNECT"), (":authority", "x:1")),
)


def _frames() -> Iterator[list[Frame]]:
    """Some conversations."""
    for fields in _HEADS:
        whole = HeadersFrame(1, data=_block(*fields))
        whole.flags.add("END_HEADERS")
        yield [whole]
        cut = HeadersFrame(1, data=_block(*fields)[:5])
        rest = ContinuationFrame(1, data=_block(*fields)[5:])
        rest.flags.add("END_HEADERS")
        yield [cut, rest]
        last = DataFrame(1, data=b"content")
        last.flags.add("END_STREAM")
        yield [whole, DataFrame(1, data=b""), last]
        trailers = HeadersFrame(1, data=_block(("x-sum", "1")))
        trailers.flags.add("END_HEADERS")
        trailers.flags.add("END_STREAM")
        yield [whole, DataFrame(1, data=b"content"), trailers]
        yield [whole, last, RstStreamFrame(1, error_code=8), GoAwayFrame(0)]
    yield [PingFrame(0, opaque_data=b"12345678"), PriorityFrame(1, stream_weight=3)]
    yield [SettingsFrame(0, settings={1: 0, 4: 1}), WindowUpdateFrame(0, window_increment=9)]


def seeds() -> Iterator[bytes]:
    """The conversations, cut in several ways, and with a byte changed."""
    begin = SettingsFrame(0).serialize()
    for frames in _frames():
        wire = begin + b"".join(frame.serialize() for frame in frames)
        for widths in (b"\0\0", b"\1\1", b"\7\3", b"\x09\x40"):
            yield widths + wire
        for at in range(9, len(wire), 11):
            yield b"\0\5" + wire[:at] + bytes([wire[at] ^ 0x55]) + wire[at + 1 :]
