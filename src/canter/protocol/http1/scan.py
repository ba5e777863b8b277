"""What a scanner of HTTP/1 is: its contract, the facts it notes, the names it knows.

A scanner finds where things are in the bytes it is given, writes them into an environ and notes
facts about them. It judges nothing but the grammar of a single line, keeps no state
and raises nothing. There are two, which must agree in everything: `scan_ref` (regular
expressions; the definition) and `scan_fast` (one loop over the bytes, made to be compiled).

Rules of the contract:

1. A line is looked at once it is complete, in order; of an incomplete line only the length counts.
   So the outcome does not depend on how the bytes were cut into reads.
2. A line's length is that before its CRLF, and is judged before anything else about it. The line
   that ends a block is empty and has no length to judge.
3. Every line ends with CRLF. A line that does not, or whose grammar is broken, is MALFORMED, and
   the position returned is that of its first byte. Why it is malformed is found out elsewhere.
4. What a scanner has written is in the environ and the facts it returns; it is called again with
   the position, facts and environ of the call before when there is more to read.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from sys import intern, maxsize
from typing import Any


class Outcome(IntEnum):
    """How a scan ended."""

    DONE = 0  # the position is behind what was scanned
    MORE = 1  # the position is that of the first line that is not complete
    MALFORMED = 2  # the position is that of the malformed line
    TOO_LONG = 3  # a line, or the block of lines, is over its limit
    TOO_MANY = 4  # one field line more than the limit
    EMPTY = 5  # request line only: the line is empty, the position is behind it


class LineFact(IntFlag):
    """What is out of the ordinary in a request line."""

    HTTP_10 = 1  # the version is HTTP/1.0
    ODD_VERSION = 2  # HTTP/d.d, neither 1.0 nor 1.1; SERVER_PROTOCOL has it as sent
    ODD_METHOD = 4  # a token that is not in COMMON_METHODS
    ODD_TARGET = 8  # not in origin form; PATH_INFO has the target, QUERY_STRING is empty
    PERCENT = 16  # a '%' in the path; PATH_INFO has it as sent


class Fact(IntFlag):
    """What there is in a block of fields that somebody may have to judge."""

    HOST = 1
    CONTENT_LENGTH = 2
    CONTENT_TYPE = 4
    FORWARDED = 8  # X-Forwarded-Proto, X-Forwarded-Protocol, X-Forwarded-Ssl
    TRANSFER_ENCODING = 16
    CONNECTION = 32
    EXPECT = 64
    UPGRADE = 128
    ASIDE = 256  # a name with an underscore: in the list set aside and not in the environ
    HOST_AGAIN = HOST << 12
    CONTENT_LENGTH_AGAIN = CONTENT_LENGTH << 12
    CONTENT_TYPE_AGAIN = CONTENT_TYPE << 12
    FORWARDED_AGAIN = FORWARDED << 12


#: Facts that are noted again, AGAIN_SHIFT bits higher, when their field is repeated.
SINGLE = Fact.HOST | Fact.CONTENT_LENGTH | Fact.CONTENT_TYPE | Fact.FORWARDED
AGAIN_SHIFT = 12
#: The number of fields is counted in the bits of the facts from here on.
COUNT_SHIFT = 16

#: Stands for a limit that there is not; leaves room for adding to it in a C integer.
UNLIMITED = maxsize >> 1

COMMON_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")


class Scan:
    """The three functions of a scanner; each gives back an Outcome, a position and a number.

    A class without state, so that a compiled reader calls a compiled scanner directly.
    """

    __slots__ = ()

    def request_line(
        self, data: bytes, pos: int, limit: int, environ: dict[str, Any]
    ) -> tuple[int, int, int]:
        """Scan a request line at `pos`, of at most `limit` bytes; the number is its LineFacts.

        Writes REQUEST_METHOD, RAW_URI, REQUEST_URI, PATH_INFO, QUERY_STRING and SERVER_PROTOCOL.
        """
        raise NotImplementedError

    def fields(
        self,
        data: bytes,
        pos: int,
        line_limit: int,
        block_end: int,
        count_limit: int,
        facts: int,
        environ: dict[str, Any],
        aside: list[tuple[str, str]],
    ) -> tuple[int, int, int]:
        """Scan field lines from `pos` to the empty line that ends them; the number is the Facts.

        line_limit: bytes of one line. block_end: the position that no line may pass. count_limit:
        fields in all. facts: those of the call before, or those to start with. Writes HTTP_*,
        CONTENT_TYPE and CONTENT_LENGTH; a repeated field is joined with a comma, Cookie with a
        semicolon. aside: gets the fields that have an underscore in their name.
        """
        raise NotImplementedError

    def chunk_size(self, data: bytes, pos: int, limit: int) -> tuple[int, int, int]:
        """Scan the first line of a chunk, of at most `limit` bytes; the number is the size.

        Extensions are checked and dropped. An empty line is malformed here.
        """
        raise NotImplementedError


def end_of_line(data: bytes, pos: int, limit: int) -> int:
    """The outcome for a line at `pos` that is not a proper request or chunk size line."""
    lf = data.find(b"\n", pos)
    if lf < 0:
        # Its last byte may be the CR of a CRLF that has not come whole.
        return int(Outcome.TOO_LONG if len(data) - pos > limit + 1 else Outcome.MORE)
    if lf - 1 - pos > limit:
        return int(Outcome.TOO_LONG)
    return int(Outcome.EMPTY if lf == pos + 1 and data[pos] == 13 else Outcome.MALFORMED)


def end_of_fields(  # a scanner's arguments
    data: bytes, pos: int, line_limit: int, block_end: int, count_limit: int, facts: int
) -> int:
    """The outcome for a line at `pos` that is neither a proper field nor a complete empty line."""
    end = len(data)
    # Nothing, or the first byte of the CRLF that ends the block.
    if end == pos or (end == pos + 1 and data[pos] == 13):
        return int(Outcome.MORE)
    outcome = end_of_line(data, pos, line_limit)
    lf = data.find(b"\n", pos)
    if outcome == Outcome.TOO_LONG or (end if lf < 0 else lf) + 1 > block_end:
        return int(Outcome.TOO_LONG)
    if outcome == Outcome.MALFORMED and facts >> COUNT_SHIFT >= count_limit:
        return int(Outcome.TOO_MANY)
    return outcome


_NOTED = {
    "Host": Fact.HOST,
    "Content-Length": Fact.CONTENT_LENGTH,
    "Content-Type": Fact.CONTENT_TYPE,
    "X-Forwarded-Proto": Fact.FORWARDED,
    "X-Forwarded-Protocol": Fact.FORWARDED,
    "X-Forwarded-Ssl": Fact.FORWARDED,
    "Transfer-Encoding": Fact.TRANSFER_ENCODING,
    "Connection": Fact.CONNECTION,
    "Expect": Fact.EXPECT,
    "Upgrade": Fact.UPGRADE,
}
_COMMON = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Cache-Control",
    "CF-Connecting-IP",
    "CF-IPCountry",
    "CF-Ray",
    "CF-Visitor",
    "Content-Disposition",
    "Content-Encoding",
    "Content-MD5",
    "Cookie",
    "Date",
    "Device-Memory",
    "DNT",
    "Downlink",
    "Forwarded",
    "From",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Priority",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Save-Data",
    "Sec-CH-UA",
    "Sec-CH-UA-Mobile",
    "Sec-CH-UA-Platform",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-Fetch-User",
    "Sec-GPC",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "TE",
    "Traceparent",
    "Tracestate",
    "Trailer",
    "True-Client-IP",
    "Upgrade-Insecure-Requests",
    "User-Agent",
    "Via",
    "Warning",
    "X-Amzn-Trace-Id",
    "X-Api-Key",
    "X-B3-Sampled",
    "X-B3-SpanId",
    "X-B3-TraceId",
    "X-Client-IP",
    "X-Correlation-ID",
    "X-CSRF-Token",
    "X-CSRFToken",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-HTTP-Method-Override",
    "X-Original-URI",
    "X-Real-IP",
    "X-Request-ID",
    "X-Request-Start",
    "X-Requested-With",
    "X-Scheme",
]


def describe_name(name: str) -> tuple[str, int]:
    """The environ key of a field name, which must be a token, and the fact that it is worth."""
    key = name.upper().replace("-", "_")
    if "_" in name:
        return "HTTP_" + key, int(Fact.ASIDE)
    fact = _NOTED_KEYS.get(key, 0)
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key, fact
    return "HTTP_" + key, fact


_NOTED_KEYS = {name.upper().replace("-", "_"): int(fact) for name, fact in _NOTED.items()}

#: Names that requests are full of, in the spellings of clients and proxies.
KNOWN_NAMES: dict[str, tuple[str, int]] = {
    spelling: (intern(key), fact)
    for name in (*_NOTED, *_COMMON)
    for key, fact in [describe_name(name)]
    for spelling in (name, name.title(), name.lower())
}
