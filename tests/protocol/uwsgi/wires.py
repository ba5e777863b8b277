"""uwsgi packets, well formed and not."""

from __future__ import annotations

from collections.abc import Mapping

GET = {
    "REQUEST_METHOD": "GET",
    "REQUEST_URI": "/caf%C3%A9?x=1",
    "PATH_INFO": "/caf\xc3\xa9",
    "QUERY_STRING": "x=1",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_NAME": "front.example",
    "SERVER_PORT": "443",
    "REMOTE_ADDR": "192.0.2.7",
    "REMOTE_PORT": "4711",
    "HTTP_HOST": "www.example",
    "CONTENT_LENGTH": "",
    "CONTENT_TYPE": "",
    "HTTPS": "on",
}
"""As nginx's uwsgi_params has it."""

POST = GET | {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "CONTENT_TYPE": "text/plain"}

Variables = Mapping[str, str] | list[tuple[str, str]]


def block(variables: Variables) -> bytes:
    pairs = variables.items() if isinstance(variables, Mapping) else variables
    return b"".join(
        len(text).to_bytes(2, "little") + text.encode("latin-1") for pair in pairs for text in pair
    )


def packet(variables: Variables, modifier1: int = 0, modifier2: int = 0) -> bytes:
    data = block(variables)
    return bytes([modifier1]) + len(data).to_bytes(2, "little") + bytes([modifier2]) + data


def resized(change: int) -> bytes:
    """A packet whose head tells another size than it has."""
    data = block(GET)
    return b"\0" + (len(data) + change).to_bytes(2, "little") + b"\0" + data


NEXT = packet(GET | {"REQUEST_URI": "/next"})

ACCEPTED: dict[str, bytes] = {
    "a request without a body": packet(GET),
    "a request with a body": packet(POST) + b"hello",
    "a body of no bytes": packet(POST | {"CONTENT_LENGTH": "0"}),
    "a length with leading zeros": packet(POST | {"CONTENT_LENGTH": "005"}) + b"hello",
    "a path below a mount point": packet(GET | {"SCRIPT_NAME": "/app"}, modifier1=30),
    "variables that nobody may set are left out": packet(
        GET | {"wsgi.url_scheme": "gopher", "canter.x": "1", "SERVER_SOFTWARE": "x", "a b": "1"}
    ),
    "a field that came twice": packet([*GET.items(), ("HTTP_X", "1"), ("HTTP_X", "2")]),
    "cookies that came twice": packet([*GET.items(), ("HTTP_COOKIE", "a"), ("HTTP_COOKIE", "b")]),
    "another variable that came twice": packet([*GET.items(), ("SCRIPT_NAME", "/x")]),
    "a path with any bytes": packet(GET | {"PATH_INFO": "/\r\n\0", "REQUEST_URI": "/%0d%0a%00"}),
    "no REQUEST_URI": packet({"REQUEST_METHOD": "GET", "PATH_INFO": "/a b"}),
    "OPTIONS for the server": packet(
        GET | {"REQUEST_METHOD": "OPTIONS", "REQUEST_URI": "*", "PATH_INFO": "*"}
    ),
    "a packet that is not complete": packet(GET)[:-1],
    "a body that is not complete": packet(POST) + b"hell",
}

REJECTED: dict[str, tuple[bytes, str, str]] = {
    "HTTP where uwsgi is spoken": (b"GET / HTTP/1.1\r\n\r\n", "BadPacket", "not a uwsgi"),
    "another modifier": (packet(GET, modifier1=100), "BadPacket", "not a uwsgi"),
    "another second modifier": (packet(GET, modifier2=1), "BadPacket", "not a uwsgi"),
    "a size that is too small": (resized(-1), "BadPacket", "beyond the end"),
    "a size that ends within a length": (
        b"\0\x01\0\0" + b"\x01",
        "BadPacket",
        "beyond the end",
    ),
    "a variable longer than its packet": (
        b"\0\x04\0\0" + b"\xff\xffab",
        "BadPacket",
        "beyond the end",
    ),
    "a variable without a name": (packet([("", "x")]), "BadPacket", "without a name"),
    "a packet without variables": (packet({}), "BadRequestLine", "no REQUEST_METHOD"),
    "a method that is none": (
        packet(GET | {"REQUEST_METHOD": "G ET"}),
        "BadRequestLine",
        "not a method",
    ),
    "a tunnel": (packet(GET | {"REQUEST_METHOD": "CONNECT"}), "MethodNotImplemented", "CONNECT"),
    "a version that is none": (
        packet(GET | {"SERVER_PROTOCOL": "HTTX"}),
        "BadRequestLine",
        "not a version",
    ),
    "a path that does not begin with a slash": (
        packet(GET | {"PATH_INFO": "x"}),
        "BadTarget",
        "begin with /",
    ),
    "a target that is none": (packet(GET | {"REQUEST_URI": "x"}), "BadTarget", "no known form"),
    "a host that is none": (packet(GET | {"HTTP_HOST": "a b"}), "BadHost", "not a host"),
    "two hosts": (
        packet([*GET.items(), ("HTTP_HOST", "other.example")]),
        "BadHost",
        "two different",
    ),
    "a line end in a field": (
        packet(GET | {"HTTP_X": "a\r\nb"}),
        "BadField",
        "a control character",
    ),
    "a line end in a query": (
        packet(GET | {"QUERY_STRING": "a\nb"}),
        "BadField",
        "a control character",
    ),
    "a length that is none": (
        packet(POST | {"CONTENT_LENGTH": "+5"}) + b"hello",
        "BadFraming",
        "not a number",
    ),
    "a length beyond counting": (
        packet(POST | {"CONTENT_LENGTH": "9" * 30}) + b"hello",
        "BadFraming",
        "beyond counting",
    ),
    "two lengths": (
        packet([*POST.items(), ("CONTENT_LENGTH", "4")]) + b"hello",
        "BadFraming",
        "two different",
    ),
    "a body of chunks without a length": (
        packet(GET | {"HTTP_TRANSFER_ENCODING": "chunked"}) + b"5\r\nhello\r\n0\r\n\r\n",
        "BadFraming",
        "without CONTENT_LENGTH",
    ),
    "too many fields": (
        packet(GET | {f"HTTP_X{n}": "1" for n in range(101)}),
        "TooManyFields",
        "more than 100",
    ),
    "a field that is too long": (
        packet(GET | {"HTTP_X": "x" * 8190}),
        "FieldsTooLarge",
        "over 8190",
    ),
    "a target that is too long": (
        packet(GET | {"REQUEST_URI": "/" + "x" * 4094}),
        "RequestLineTooLong",
        "over 4094",
    ),
    "a body that is too long": (
        packet(POST | {"CONTENT_LENGTH": "1001"}),
        "BodyTooLarge",
        "over 1000",
    ),
}
