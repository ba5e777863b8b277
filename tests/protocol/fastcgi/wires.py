"""FastCGI records, well formed and not."""

from __future__ import annotations

from canter.protocol.fastcgi.records import Type, record
from tests.protocol.uwsgi.wires import GET as UWSGI_GET

GET = dict(UWSGI_GET)
POST = GET | {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5"}
KEEP = 1


def size(count: int) -> bytes:
    return bytes((count,)) if count < 128 else (count | 1 << 31).to_bytes(4, "big")


def block(variables: dict[str, str]) -> bytes:
    pairs = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in variables.items()]
    return b"".join(size(len(n)) + size(len(v)) + n + v for n, v in pairs)


def begin(number: int = 1, role: int = 1, flags: int = KEEP) -> bytes:
    return record(Type.BEGIN_REQUEST, number, role.to_bytes(2, "big") + bytes((flags,)) + bytes(5))


def params(variables: dict[str, str], number: int = 1, pieces: int = 1) -> bytes:
    data = block(variables)
    step = len(data) // pieces + 1
    records = [record(Type.PARAMS, number, data[i : i + step]) for i in range(0, len(data), step)]
    return b"".join(records) + record(Type.PARAMS, number, b"")


def stdin(*blocks: bytes, number: int = 1) -> bytes:
    return b"".join(record(Type.STDIN, number, block) for block in (*blocks, b""))


def request(variables: dict[str, str], *blocks: bytes, flags: int = KEEP) -> bytes:
    return begin(flags=flags) + params(variables) + stdin(*blocks)


NEXT = begin(7) + params(GET | {"REQUEST_URI": "/next"}, 7) + stdin(number=7)
VALUES = record(Type.GET_VALUES, 0, block({"FCGI_MPXS_CONNS": "", "FCGI_OTHER": ""}))

ACCEPTED: dict[str, bytes] = {
    "a request without a body": request(GET),
    "a request with a body": request(POST, b"hello"),
    "a body in many records": request(POST, b"h", b"el", b"lo"),
    "a body without a length": request(POST | {"CONTENT_LENGTH": ""}, b"he", b"llo"),
    "a body whose length was not known": request(POST | {"CONTENT_LENGTH": "-1"}, b"he", b"llo"),
    "no body and a length of 0": request(POST | {"CONTENT_LENGTH": "0"}),
    "a connection that is not kept": request(GET, flags=0),
    "variables in many records": begin() + params(GET | {"HTTP_X": "x" * 200}, pieces=9) + stdin(),
    "a question about values": VALUES + request(GET),
    "a question within a request": begin() + VALUES + params(GET) + VALUES + stdin(),
    "a question within a body": (
        begin() + params(POST) + record(Type.STDIN, 1, b"hel") + VALUES + stdin(b"lo")
    ),
    "a management record that is not known": record(99, 0, b"x") + request(GET),
    "another request at the same time": begin() + begin(2) + params(GET) + begin(3) + stdin(),
    "records of a request that is not there": (
        record(Type.PARAMS, 9, b"x") + record(Type.ABORT_REQUEST, 9, b"") + request(GET)
    ),
    "a role that is not played": begin(role=2) + params(GET) + stdin() + request(GET),
    "a request that is given up": begin() + record(Type.ABORT_REQUEST, 1, b"") + request(GET),
    "a request given up before its body": (
        begin() + params(GET) + record(Type.ABORT_REQUEST, 1, b"") + request(GET)
    ),
    "given up when it was over": request(GET) + record(Type.ABORT_REQUEST, 1, b""),
    "a record that is not complete": request(GET)[:-1],
    "a request that is not complete": begin() + params(GET),
    "a body that is not complete": begin() + params(POST) + record(Type.STDIN, 1, b"he"),
}

REJECTED: dict[str, tuple[bytes, str, str]] = {
    "HTTP where FastCGI is spoken": (b"GET / HTTP/1.1\r\n\r\n", "BadPacket", "not FastCGI"),
    "another version": (b"\2" + request(GET)[1:], "BadPacket", "not FastCGI"),
    "a beginning of the wrong length": (record(1, 1, bytes(7)), "BadPacket", "not 8"),
    "a request that begins twice": (begin() + begin(), "BadPacket", "begins twice"),
    "a body before its variables": (begin() + stdin(b"x"), "BadPacket", "type 5"),
    "variables behind variables": (begin() + params(GET) + params(GET), "BadPacket", "type 4"),
    "a record of the application's": (
        begin() + record(Type.STDOUT, 1, b"x"),
        "BadPacket",
        "type 6",
    ),
    "a record that is not known": (begin() + record(99, 1, b"x"), "BadPacket", "type 99"),
    "a variable longer than its stream": (
        begin() + record(4, 1, b"\x7f\x01a") + record(4, 1, b""),
        "BadPacket",
        "beyond the end",
    ),
    "variables that end within a length": (
        begin() + record(4, 1, b"\xff\xff") + record(4, 1, b""),
        "BadPacket",
        "within a length",
    ),
    "a variable without a name": (begin() + params({"": "x"}), "BadPacket", "without a name"),
    "no variables": (begin() + params({}), "BadRequestLine", "no REQUEST_METHOD"),
    "variables over the limit": (
        begin() + record(4, 1, b"x" * 65528) * 3,
        "FieldsTooLarge",
        "over 131072",
    ),
    "a body shorter than its length": (request(POST, b"hell"), "BadFraming", "of 4 bytes, not 5"),
    "a body longer than its length": (request(POST, b"hello!"), "BadFraming", "longer than"),
    "a body where the length is 0": (
        request(POST | {"CONTENT_LENGTH": "0"}, b"x"),
        "BadFraming",
        "longer than",
    ),
    "a body that is too long": (request(POST | {"CONTENT_LENGTH": "1001"}), "BodyTooLarge", "1000"),
    "a body that grows too long": (
        request(POST | {"CONTENT_LENGTH": ""}, b"x" * 600, b"x" * 600),
        "BodyTooLarge",
        "1000",
    ),
    "a body that is given up": (
        begin() + params(POST) + record(5, 1, b"he") + record(Type.ABORT_REQUEST, 1, b""),
        "Truncated",
        "gave the request up",
    ),
    "a management record that is too long": (record(9, 0, bytes(2000)), "BadPacket", "2000 bytes"),
    "questions without end": (VALUES * 100, "BadPacket", "too many records"),
    "records for nobody without end": (record(5, 9, b"x") * 100, "BadPacket", "too many records"),
}
