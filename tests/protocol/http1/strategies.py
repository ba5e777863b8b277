"""What hypothesis makes requests of: ordinary parts, odd parts, and damage done to the bytes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

METHODS = ["GET", "POST", "OPTIONS", "HEAD", "BREW", "get", "A", "GE#T", "CONNECT", "G(T", ""]
TARGETS = [
    "/",
    "/a/b?c=d",
    "/%41%zz?%",
    "//x/../y",
    "*",
    "http://b.example/x?y",
    "https://b.example",
    "http://u@b.example/",
    "ftp://b.example/",
    "a.example:80",
    "x",
    "/a#b",
    "/caf\xe9",
    "/a\x01",
    "",
]
VERSIONS = [
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/1.5",
    "HTTP/2.0",
    "HTTP/0.9",
    "HTTP/1",
    "http/1.1",
]
NAMES = [
    "Host",
    "X-A",
    "Cookie",
    "X_A",
    "Content-Length",
    "Content_Length",
    "Transfer-Encoding",
    "Connection",
    "Expect",
    "Upgrade",
    "Content-Type",
    "X A",
    "X\x00",
    "",
]
VALUES = {
    "Host": ["a.example", "a.example:80", "[::1]", "a b", "", "u@a.example", "a,b"],
    "Content-Length": ["0", "3", "03", "+3", "3,3", "3, 4", "0x3", "99999999999999999999", ""],
    "Transfer-Encoding": ["chunked", "CHUNKED", "gzip, chunked", "chunked, chunked", "x", ""],
    "Connection": ["close", "keep-alive", "Upgrade, CLOSE", "x"],
    "Expect": ["100-continue", "100-Continue", "x"],
}
ANY_VALUES = ["1", "a b", "", " \t", "caf\xe9", "a\x00b", "a\x7fb", "a\rb", "a\x01b"]
COLONS = [": ", ": ", ": ", ":", ":\t ", " :", ""]
ENDS = ["\r\n"] * 12 + ["\n", "\r", "\r\r\n", " \r\n", "\r\n "]
CHUNKS = [
    "3\r\nabc\r\n",
    "0003\r\nabc\r\n",
    "3;a=b\r\nabc\r\n",
    '3;a="\\"b"\r\nabc\r\n',
    "3 \r\nabc\r\n",
    "3 ;a\r\nabc\r\n",
    "3;\r\nabc\r\n",
    "0x3\r\nabc\r\n",
    "3\nabc\r\n",
    "3\r\nabc\n",
    "3\r\nabcd\r\n",
    "00000000000000003\r\nabc\r\n",
    "8000000000000000\r\n",
]
LAST_CHUNKS = [
    "0\r\n\r\n",
    "0\r\nX-T: 1\r\n\r\n",
    "0\r\nHost: x\r\n\r\n",
    "0\r\nX: 1\r\n 2\r\n\r\n",
    "00\r\n\r\n",
    "0",
]


def mostly(ordinary: str, others: list[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(ordinary), st.just(ordinary), st.sampled_from(others))


@st.composite
def field_lines(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    value = draw(st.sampled_from(VALUES.get(name, []) + ANY_VALUES))
    return name + draw(st.sampled_from(COLONS)) + value + draw(st.sampled_from(ENDS))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, of which each part may be odd."""
    line = " ".join(
        [
            draw(mostly("GET", METHODS)),
            draw(mostly("/", TARGETS)),
            draw(mostly("HTTP/1.1", VERSIONS)),
        ]
    )
    head = draw(mostly("", ["\r\n", "\n", " "])) + line + draw(mostly("\r\n", ENDS))
    head += draw(mostly("Host: a.example\r\n", ["", "host: [::1]:80\r\n", "Host: a b\r\n"]))
    head += "".join(draw(st.lists(field_lines(), max_size=3)))
    framing = draw(st.sampled_from(["", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"]))
    body = ""
    if framing.startswith("C"):
        body = draw(st.sampled_from(["abc", "ab", "\r\n\r"]))
    elif framing:
        body = "".join(draw(st.lists(mostly(CHUNKS[0], CHUNKS), max_size=3)))
        body += draw(mostly("0\r\n\r\n", LAST_CHUNKS))
    return (head + framing + draw(mostly("\r\n", ["\n", ""])) + body).encode("latin-1")


VALID = [
    b"GET /a?b HTTP/1.1\r\nHost: a.example\r\nAccept: x\r\nCookie: a=1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    (
        b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    ),
    b"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
]
# Bytes that mean something, of which damage is made.
SHARP = [bytes([byte]) for byte in b'\r\n\t :;,="\\0/\x00\x0b\x7f\x80\xff_-#%*'] + [
    b"\r\n",
    b"\r\n ",
    b"\n\n",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid request of which bytes were replaced, put in or left out."""
    wire = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(wire)))
        removed = draw(st.integers(0, 2))
        wire = wire[:at] + draw(st.sampled_from([*SHARP, b"", b"x"])) + wire[at + removed :]
    return wire


@st.composite
def cuts(draw: st.DrawFn, wire: bytes) -> list[bytes]:
    """The wire in a few pieces."""
    places = sorted(draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    ends = [0, *places, len(wire)]
    return [wire[start:end] for start, end in pairwise(ends)]
