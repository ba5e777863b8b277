"""What a peer can do wrong, as classes that know their status: the one table of refusals.

A wire format raises a fault; the engine answers with `status` and `reason`, closes when `closes`
says so, and logs `detail`. No engine chooses a status of its own. Wire formats share these classes:
a target that is too long is 414 however it came.

`detail` is one line of printable ASCII, safe for a log: what the peer sent is quoted with escapes
and cut, and the value of a header field is never quoted, since it may be a secret.
"""

from __future__ import annotations

from typing import ClassVar

_QUOTED_BYTES = 48


class Fault(Exception):
    """A request that is refused. Not for operators: those errors are in `canter.errors`."""

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "Bad Request"
    #: What the peer is told besides, where that helps.
    hint: ClassVar[str] = ""
    #: Whether the connection ends with the answer: always where the place at which the next
    #: request begins is no longer certain.
    closes: ClassVar[bool] = True

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadRequest(Fault):
    """Any 400: what two parsers could read differently, or what no parser can read."""


class BadRequestLine(BadRequest):
    """The request line is not `method SP target SP version CRLF` (RFC 9112 section 3)."""


class BadTarget(BadRequest):
    """The request target has none of the four forms, or not one for its method (RFC 9112 3.2)."""


class BadField(BadRequest):
    """A field line is malformed: name, colon, value, ending or folding (RFC 9112 section 5)."""


class RepeatedField(BadRequest):
    """A field that has one value came twice (RFC 9110 section 5.3)."""


class BadHost(BadRequest):
    """No Host, or a Host that is not one (RFC 9112 section 3.2)."""


class BadFraming(BadRequest):
    """Where the body ends cannot be told for certain (RFC 9112 section 6)."""


class BadChunk(BadRequest):
    """A chunk's size line or its end is malformed (RFC 9112 section 7.1)."""


class BadTrailer(BadRequest):
    """A trailer field is malformed or one that trailers must not hold (RFC 9110 section 6.5.1)."""


class BadForwarding(BadRequest):
    """What a trusted front says about the request contradicts itself or the request."""


class BadPacket(BadRequest):
    """What should be a packet, record or netstring of a gateway's format is none."""


class BadProxyHeader(BadRequest):
    """A PROXY header is malformed, missing, or from a peer that may not send one."""


class Truncated(BadRequest):
    """The peer ended its side in the middle of a request."""


class PlainOnTls(BadRequest):
    """HTTP in the clear came to a listener that speaks TLS."""

    hint = "this port speaks HTTPS"


class Untrusted(Fault):
    """A peer that may not speak what is spoken here, or say what it says; it gets no answer."""

    status = 403
    reason = "Forbidden"


class RequestTimeout(Fault):
    """The head or the body came too slowly."""

    status = 408
    reason = "Request Timeout"


class BodyTooLarge(Fault):
    """The body is, or says it will be, longer than the limit."""

    status = 413
    reason = "Content Too Large"


class RequestLineTooLong(Fault):
    """The request line, of which the target is the part that grows, is over its limit."""

    status = 414
    reason = "URI Too Long"


class ExpectationFailed(Fault):
    """An Expect other than 100-continue (RFC 9110 section 10.1.1)."""

    status = 417
    reason = "Expectation Failed"


class FieldsTooLarge(Fault):
    """One field line, or all of them together, are over their limit (RFC 6585 section 5)."""

    status = 431
    reason = "Request Header Fields Too Large"


class TooManyFields(FieldsTooLarge):
    """More field lines than the limit, trailers included."""


class UnknownCoding(Fault):
    """A transfer coding other than chunked (RFC 9112 section 6.1)."""

    status = 501
    reason = "Not Implemented"


class MethodNotImplemented(Fault):
    """CONNECT: an origin server is no tunnel (RFC 9110 sections 9.3.6 and 15.6.2)."""

    status = 501
    reason = "Not Implemented"


class Overloaded(Fault):
    """More waits than can be served in time."""

    status = 503
    reason = "Service Unavailable"

    def __init__(self, detail: str, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class RequestExpired(Fault):
    """The application held the request longer than allowed."""

    status = 504
    reason = "Gateway Timeout"


class UnsupportedVersion(Fault):
    """A version of HTTP that is not spoken here (RFC 9110 section 15.6.6)."""

    status = 505
    reason = "HTTP Version Not Supported"


def quoted(sent: bytes | str) -> str:
    """What a peer sent as it may stand in a detail: latin-1, escaped to ASCII, in quotes, cut."""
    text = sent if isinstance(sent, str) else sent.decode("latin-1")
    cut = text[:_QUOTED_BYTES]
    return ascii(cut) + ("..." if len(text) > len(cut) else "")


class StorageFull(Fault):
    """The body cannot be kept: the disk is full, or there is nowhere to spool to (RFC 4918)."""

    status = 507
    reason = "Insufficient Storage"
