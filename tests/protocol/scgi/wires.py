"""SCGI requests, well formed and not."""

from __future__ import annotations

from tests.protocol.uwsgi.wires import GET as UWSGI_GET

GET = {"CONTENT_LENGTH": "0", "SCGI": "1"} | {
    name: value for name, value in UWSGI_GET.items() if name != "CONTENT_LENGTH"
}
POST = GET | {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5"}


def block(variables: dict[str, str]) -> bytes:
    return "".join(f"{name}\0{value}\0" for name, value in variables.items()).encode("latin-1")


def netstring(data: bytes) -> bytes:
    return b"%d:%b," % (len(data), data)


def head(variables: dict[str, str]) -> bytes:
    return netstring(block(variables))


NEXT = head(GET | {"REQUEST_URI": "/next"})

ACCEPTED: dict[str, bytes] = {
    "a request without a body": head(GET),
    "a request with a body": head(POST) + b"hello",
    "scgi_params of nginx": head(
        {name: value for name, value in GET.items() if name != "PATH_INFO"}
        | {"DOCUMENT_URI": "/caf\xc3\xa9"}
    ),
    "variables that nobody may set are left out": head(GET | {"wsgi.input": "x", "canter.x": "1"}),
    "a head that is not complete": head(GET)[:-1],
    "a size that is not complete": b"12",
    "a body that is not complete": head(POST) + b"hell",
}

REJECTED: dict[str, tuple[bytes, str, str]] = {
    "HTTP where SCGI is spoken": (b"GET / HTTP/1.1\r\n\r\n", "BadPacket", "not an SCGI"),
    "no size": (b":" + block(GET) + b",", "BadPacket", "without a size"),
    "a size with a leading zero": (b"0" + head(GET), "BadPacket", "not an SCGI"),
    "a size that is no number": (b"1x:", "BadPacket", "not an SCGI"),
    "a size with very many digits": (b"9" * 20, "BadPacket", "not an SCGI"),
    "a size over the limit": (b"999999999:", "FieldsTooLarge", "over 131072"),
    "a size that is too small": (
        b"%d:%b," % (len(block(GET)) - 1, block(GET)),
        "BadPacket",
        "no comma",
    ),
    "no variables": (b"0:,", "BadPacket", "has no end"),
    "a variable without a value": (netstring(b"CONTENT_LENGTH\0"), "BadPacket", "without a value"),
    "a variable without an end": (netstring(b"CONTENT_LENGTH\x000"), "BadPacket", "has no end"),
    "a variable without a name": (head(GET | {"": "x"}), "BadPacket", "without a name"),
    "CONTENT_LENGTH that is not the first": (
        head({"SCGI": "1"} | GET),
        "BadFraming",
        "the first variable",
    ),
    "an empty CONTENT_LENGTH": (head(GET | {"CONTENT_LENGTH": ""}), "BadFraming", "the first"),
    "another version": (head(GET | {"SCGI": "2"}), "BadPacket", "no variable SCGI"),
    "a length that is none": (head(GET | {"CONTENT_LENGTH": "-1"}), "BadFraming", "not a number"),
    "a body that is too long": (head(POST | {"CONTENT_LENGTH": "1001"}), "BodyTooLarge", "1000"),
}
