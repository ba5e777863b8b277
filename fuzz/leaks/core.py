"""Traffic through reader, exchange and writer in this process: what the compiled core does itself.

A turn of `turn` plays every scene once; the numbers in them make names, statuses and sizes new each
time, so that what is remembered of them has to be bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from canter.protocol.faults import Fault
from canter.protocol.http1.reader import Reader
from canter.protocol.http1.writer import Writer, refusal
from canter.protocol.limits import Leniency, Limits
from canter.protocol.writer import ResponseWriter
from canter.wsgi.exchange import ClientGone, Exchange, Sink

_LIMITS = Limits(body=1 << 20)
_LENIENT = Leniency(permit_obsolete_folding=True, header_map="dangerous")
_STRICT = Leniency()
_BASE = {"SCRIPT_NAME": "", "wsgi.url_scheme": "http"}
_DATE = b"Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
_HOST = b"Host: a.example\r\n"

GET = (
    b"GET /a/%41?b=c HTTP/1.1\r\n" + _HOST + b"User-Agent: x\r\nAccept: */*\r\nCookie: a=1\r\n"
    b"Accept-Encoding: gzip\r\nConnection: keep-alive\r\nCookie: b=2\r\nX-Odd-Name: 1\r\n\r\n"
)
POST = b"POST /p HTTP/1.1\r\n" + _HOST + b"Content-Length: 600\r\n\r\n" + b"x" * 600
CHUNKED = (
    b"POST /c HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n12c\r\n" + b"y" * 300 + b"\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
HTTP_10 = b"GET http://b.example/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
FAULTS = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    b"G(T / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _HOST + b"X Y: 1\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: gzip\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nz\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Content-Length: 99999999\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Expect: tea\r\n\r\n",
    b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _HOST + b"X: 1\r\n" * 101 + b"\r\n",
)


class Drain(Sink):
    """A client that takes everything, or leaves after so many pieces."""

    def __init__(self, pieces: int = -1) -> None:
        self._pieces = pieces
        self.sent_bytes = 0

    def send(self, data: bytes) -> None:
        """Take it, or leave."""
        if self._pieces == 0:
            raise ClientGone("the client left")
        self._pieces -= 1
        self.sent_bytes += len(data)

    def stream(self, data: bytes) -> None:
        """Take it, or leave."""
        self.send(data)

    def open_file(self, filelike: Any) -> None:
        """No file is sent whole."""

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """Never called."""

    def close_file(self, descriptor: int) -> None:
        """Never called."""

    def settle(self, writer: ResponseWriter) -> None:
        """A body that is streamed is none of this sink's concern."""

    def date_line(self) -> bytes:
        """A Date line."""
        return _DATE


class Failure(Exception):
    """What an application ends in; it holds on to its environ, as tracebacks do."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__("on purpose")
        self.environ = environ


def _plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [b"hello"]


def _streams(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Connection", "upgrade")])
    for number in range(4):
        yield b"%d" % number * 50


def _writes(environ: dict[str, Any], start_response: Callable[..., Any]) -> tuple[bytes, ...]:
    write = start_response("200 OK", [("Content-Length", "8")])
    write(b"before, and ")
    environ["write"] = write  # outlives the request: a cycle of environ, exchange and method
    return (b"behind",)


def _short(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "100")])
    return [b"short"]


def _fails_before(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    raise Failure(environ)


def _fails_inside(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"a"
    raise Failure(environ)


def _answers_nonsense(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[Any]:
    start_response("200 OK", [("Bad\r\nName", "1")])
    return [1]


def _invents(number: int) -> Callable[..., list[bytes]]:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response(f"200 OK {number}", [(f"X-Invented-{number}", str(number))])
        return [b""]

    return application


APPLICATIONS: tuple[Callable[..., Any], ...] = (
    _plain,
    _streams,
    _writes,
    _short,
    _fails_before,
    _fails_inside,
    _answers_nonsense,
)


def _answer(request: Any, application: Callable[..., Any], pieces: int = -1) -> None:
    writer = Writer(request.http_10, request.method == "HEAD", request.keep_alive)
    Exchange(request.environ, Drain(pieces), writer).run(application)


def _serve(reader: Reader, wire: bytes, width: int, application: Callable[..., Any]) -> int:
    """Read all requests of a wire that comes in pieces and answer them; how many."""
    count = 0
    awaited: Any = None
    for at in range(0, len(wire), width):
        reader.feed(wire[at : at + width])
        while True:
            if awaited is None:
                awaited = reader.next_request(_BASE)
                if awaited is None:
                    break
            while reader.read_body(4096):
                pass
            if not reader.body_complete:
                break
            _answer(awaited, application)
            awaited = None
            count += 1
    return count


def _refused(wire: bytes) -> int:
    reader = Reader(_LIMITS, _STRICT)
    try:
        _serve(reader, wire, len(wire), _plain)
    except Fault as fault:
        refusal(fault, _DATE)
        return 1
    raise AssertionError(f"not refused: {wire!r}")


def _aborted(wire: bytes) -> int:
    """The peer leaves in the middle: of a head, of a body, of a chunk."""
    for end in (20, len(wire) // 2, len(wire) - 1):
        reader = Reader(_LIMITS, _STRICT)
        _serve(reader, wire[:end], 64, _plain)
        assert reader.truncated() is not None
    return 3


def turn(number: int) -> int:
    """Play every scene once; how many requests those were."""
    count = 0
    kept = Reader(_LIMITS, _STRICT)
    for application in APPLICATIONS:
        for wire in (GET, POST, CHUNKED, HTTP_10):
            count += _serve(kept, wire, len(wire), application)
    count += _serve(kept, GET * 8, len(GET) * 8, _plain)
    count += _serve(kept, CHUNKED + GET, 7, _plain)
    name = b"X-Unheard-Of-%d" % number
    count += _serve(
        kept,
        b"GET /%d HTTP/1.1\r\n%b%b: 1\r\nx_%b: 2\r\n\r\n" % (number, _HOST, name, name),
        4096,
        _invents(number),
    )
    lenient = Reader(_LIMITS, _LENIENT)
    count += _serve(
        lenient, b"GET / HTTP/1.1\r\n%bX_A: 1\r\n 2\r\nX-A: 3\r\n\r\n" % _HOST, 9, _plain
    )
    for wire in (POST, CHUNKED):
        count += _aborted(wire)
    for wire in FAULTS:
        count += _refused(wire)
    for pieces in (0, 1, 2):
        for application in APPLICATIONS:
            left = Reader(_LIMITS, _STRICT)
            left.feed(GET)
            _answer(left.next_request(_BASE), application, pieces)
            count += 1
    return count


def rounds_of(requests: int) -> Callable[[int], int]:
    """What one round does, to make at least so many requests."""
    made = 0

    def one_round(number: int) -> int:
        nonlocal made
        del number
        count = 0
        while count < requests:
            made += 1
            count += turn(made)
        return count

    return one_round
