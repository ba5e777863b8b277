"""Invariant: whatever an application answers, builds send the same, and a client reads just that.

An input is two bytes, then parts between record separators (0x1e): the status, the header fields
as name, unit separator (0x1f), value, and from the first part without one the blocks of the body.

0. HTTP/1.0, HEAD, close, two bits for what is returned, ends in an exception, says start_response
   again at the end, and writes its first block;
1. how much the client takes before it leaves (low bits, 0: everything); the highest bit: blocks of
   a subclass of bytes.

A client is h11, another implementation.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

from canter import extensions
from canter.protocol import response as imported_response
from canter.protocol.http1 import writer as imported_writer
from canter.wsgi import exchange as imported_exchange
from tests.wsgi.recording import Answer, Body, Call, Recording, SizedBody

_PART = b"\x1e"
_VALUE = b"\x1f"
_HTTP_10, _HEAD, _CLOSE = 1, 2, 4
_RESULT_SHIFT = 3
_LIST, _TUPLE, _ITERATOR, _SIZED = range(4)
_FAILS, _AGAIN, _WRITES = 32, 64, 128
_SUBCLASS = 128
_OF_THE_SERVER = ("server", "date", "content-length", "transfer-encoding", "connection")
_WITHOUT_BODY = (204, 304)


class Stack(NamedTuple):
    """A build of what stands between an application and the bytes of its response."""

    exchange: Any
    writer: Any
    early_hints: Callable[[list[tuple[str, str]]], bytes]


def _stacks() -> dict[str, Stack]:
    response = extensions.load_source(imported_response.__name__)
    writer = extensions.load_source(imported_writer.__name__)
    exchange = extensions.load_source(imported_exchange.__name__)
    # The twin is to judge with its own kind, and to know the client's leaving when it sees it.
    vars(exchange).update(
        judge_response=response.judge_response, ClientGone=imported_exchange.ClientGone
    )
    stacks = {"interpreted": Stack(exchange.Exchange, writer.Writer, writer.early_hints)}
    if not isinstance(imported_exchange.Exchange.run, FunctionType):
        stacks["compiled"] = Stack(
            imported_exchange.Exchange, imported_writer.Writer, imported_writer.early_hints
        )
    return stacks


STACKS = _stacks()


class BrokenApplication(Exception):
    """What the application of an input ends in, if it does."""


class Block(bytes):
    """Bytes of a framework's own class."""


class Script(NamedTuple):
    """What an application does and who asks it."""

    options: int
    takes_bytes: int | None
    status: str
    fields: list[tuple[str, str]]
    blocks: list[bytes]

    @property
    def result(self) -> int:
        """What is returned: a list, a tuple, an iterator, an iterator with a length."""
        return self.options >> _RESULT_SHIFT & 3

    @property
    def method(self) -> str:
        """The method of the request."""
        return "HEAD" if self.options & _HEAD else "GET"


def _text(data: bytes) -> str:
    """UTF-8 where it is, so that characters beyond latin-1 come too."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def script(data: bytes) -> Script:
    """What an input says."""
    options, client = data[:2].ljust(2, b"\0")
    status, *parts = data[2:].split(_PART)
    fields = []
    while parts and _VALUE in parts[0]:
        name, _, value = parts.pop(0).partition(_VALUE)
        fields.append((_text(name), _text(value)))
    made = Block if client & _SUBCLASS else bytes
    takes_bytes = (client & ~_SUBCLASS) * 4 or None
    return Script(options, takes_bytes, _text(status), fields, [made(part) for part in parts])


def application(told: Script) -> Callable[..., Any]:
    """The application that does what a script says."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        del environ
        write = start_response(told.status, list(told.fields))
        blocks = told.blocks
        if told.options & _WRITES and blocks:
            write(blocks[0])
            blocks = blocks[1:]
        if told.options & _AGAIN:
            try:
                raise BrokenApplication("before the end")
            except BrokenApplication:
                start_response("503 Again", [("X-Again", "1")], sys.exc_info())
        problem = BrokenApplication("at the end") if told.options & _FAILS else None
        if told.result == _ITERATOR:
            return Body(*blocks, problem=problem)
        if told.result == _SIZED:
            return SizedBody(*blocks, problem=problem)
        if problem is not None:
            raise problem
        return blocks if told.result == _LIST else tuple(blocks)

    return answer


def play(stack: Stack, told: Script) -> Call:
    """Call the application as an engine does, in one build."""
    sink = Recording(told.takes_bytes)
    options = told.options
    writer = stack.writer(
        bool(options & _HTTP_10), told.method == "HEAD", not options & (_CLOSE | _HTTP_10)
    )
    exchange = stack.exchange({"REQUEST_METHOD": told.method}, sink, writer)
    exchange.run(application(told))
    return Call(exchange, sink, writer, told.method)


def outcome(done: Call) -> dict[str, Any]:
    """All that an engine would see of a call, comparable between builds."""
    exchange, writer = done.exchange, done.writer
    problem = exchange.problem
    head = exchange.head
    return {
        "sent": done.sink.sent,
        "streamed": done.sink.streamed,
        "ending": exchange.ending.name,
        "code": exchange.code,
        "declared": exchange.fields,
        "dropped": head and head.dropped,
        "body_bytes": exchange.body_bytes,
        "problem": (type(problem).__name__, str(problem)),
        "remarks": exchange.remarks,
        "keep_alive": bool(writer.keep_alive),
        "chunked": bool(writer.chunked),
        "remaining": writer.remaining,
    }


def check(data: bytes) -> None:
    """Play one input in every build; AssertionError, or what escaped, where it breaks."""
    told = script(data)
    calls = {name: play(stack, told) for name, stack in STACKS.items()}
    done = calls["interpreted"]
    expected = outcome(done)
    for name, call in calls.items():
        found = outcome(call)
        assert found == expected, (name, found, expected)
    ending = expected["ending"]
    assert ending in ("OK", "FAILED", "CUT", "ABORTED"), ending
    if ending == "ABORTED":
        assert told.takes_bytes is not None, "a client that takes everything was given up"
        assert not expected["keep_alive"], "the connection of a client that left is kept"
    else:
        _check_answer(told, done, expected)


def _check_answer(told: Script, done: Call, seen: dict[str, Any]) -> None:
    """That a client reads one response: the one that the application gave, or a refusal."""
    answer = done.answer()
    ending = seen["ending"]
    assert answer.status == seen["code"], answer
    delimited = (
        told.method == "HEAD"
        or answer.status in _WITHOUT_BODY
        or answer.header("Content-Length") is not None
        or answer.header("Transfer-Encoding") is not None
    )
    closes = answer.header("Connection") == "close"
    if ending == "CUT":
        # The end of the connection says it; without any other end the engine has to reset it.
        assert not seen["keep_alive"]
        assert not answer.whole or not delimited or seen["problem"][0] != "NoneType", answer
    else:
        assert closes is not seen["keep_alive"], answer
        assert delimited or closes, "the response has no end, and the connection is kept"
        assert answer.whole, answer
    if ending == "FAILED":
        assert answer.status == 500, answer
        return
    _check_fields(answer, seen)
    assert len(answer.body) == seen["body_bytes"] or told.method == "HEAD", answer
    body = b"".join(told.blocks)
    assert body.startswith(answer.body), answer


def _check_fields(answer: Answer, seen: dict[str, Any]) -> None:
    """That the fields are the application's, but for those that are the server's to say."""
    left_out = {name.lower() for name in seen["dropped"] or ()} | set(_OF_THE_SERVER)

    def ordinary(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [
            (name.lower(), value.strip(" \t"))
            for name, value in fields
            if name.lower() not in left_out
        ]

    assert ordinary(answer.headers) == ordinary(seen["declared"]), (answer, seen)


def _seed(options: int, client: int, status: str, *parts: tuple[str, str] | bytes) -> bytes:
    made = [
        part if isinstance(part, bytes) else _VALUE.join(text.encode() for text in part)
        for part in parts
    ]
    return bytes([options, client]) + _PART.join([status.encode(), *made])


_HEADS: tuple[tuple[str, list[tuple[str, str]]], ...] = (
    ("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")]),
    ("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Connection", "close")]),
    ("204 No Content", [("Content-Length", "0"), ("Date", "now")]),
    ("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "7")]),
    ("404", [("Server", "own"), ("Transfer-Encoding", "chunked"), ("X-A", "caf\xe9")]),
    ("500 a\r\nb", [("X", "1\r\nY: 2"), ("Content-Length", "+5"), ("bad name", "\u0100")]),
)
_BODIES: tuple[list[bytes], ...] = ([], [b"hello"], [b"he", b"", b"llo"], [b"", b"hello, all"])


def seeds() -> Iterator[bytes]:
    """Ordinary and odd heads with bodies of every kind, asked for in every way."""
    for number, options in enumerate(range(0, 256, 3)):
        status, fields = _HEADS[number % len(_HEADS)]
        client = (0, 0, 0, _SUBCLASS, 20, 50)[number // 2 % 6]
        yield _seed(options, client, status, *fields, *_BODIES[number // 3 % len(_BODIES)])
    for status, fields in _HEADS:
        for body in _BODIES:
            yield _seed(_ITERATOR << _RESULT_SHIFT, 0, status, *fields, *body)
            yield _seed(_LIST << _RESULT_SHIFT, 0, status, *fields, *body)
