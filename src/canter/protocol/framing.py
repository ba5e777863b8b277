"""Where a body ends, whether the connection goes on, what the peer expects: RFC 9112 6 and 9.

Strict throughout: whatever a front could read differently from this server is refused, because the
two would then disagree about where the next request begins (request smuggling).
"""

from __future__ import annotations

import re

from canter.protocol.faults import BadFraming, ExpectationFailed, UnknownCoding, quoted
from canter.protocol.request import CHUNKED

# Digits of ASCII only: str.isdigit and int() take many more, and signs, spaces and underscores.
_DIGITS = re.compile(r"[0-9]+").fullmatch
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

#: The longest body that can be counted: what fits the signed 64-bit numbers of everything else.
MAXIMUM_LENGTH = 2**63 - 1
_MAXIMUM_DIGITS = 19


def decide_length(
    content_length: str | None, transfer_encoding: str | None, *, http_10: bool
) -> int:
    """The body's length, or CHUNKED, from the two fields that tell it (RFC 9112 section 6.3).

    Raises BadFraming where they could be read in two ways, UnknownCoding (RFC 9112 section 6.1).
    """
    if transfer_encoding is None:
        return 0 if content_length is None else parse_length(content_length)
    if http_10:
        # A 1.0 peer does not know the field: it, or a proxy between, framed the body otherwise.
        raise BadFraming("Transfer-Encoding in a request of HTTP/1.0")
    if content_length is not None:
        raise BadFraming("both Content-Length and Transfer-Encoding")
    codings = [coding.strip(" \t") for coding in transfer_encoding.lower().split(",")]
    if codings[-1] != "chunked":
        raise BadFraming("the last transfer coding is not chunked")
    for coding in codings[:-1]:
        if coding == "chunked" or _TOKEN(coding.partition(";")[0].rstrip(" \t")) is None:
            raise BadFraming(f"a malformed Transfer-Encoding: {quoted(transfer_encoding)}")
    if len(codings) > 1:
        raise UnknownCoding(f"a transfer coding that is not known: {quoted(transfer_encoding)}")
    return CHUNKED


def parse_length(text: str) -> int:
    """The value of a Content-Length; raises BadFraming unless it is digits alone and countable."""
    if _DIGITS(text) is None:
        raise BadFraming(f"Content-Length is not a number: {quoted(text)}")
    digits = text.lstrip("0")
    # The length of the text first: int() of many digits is slow, and refuses 4,301 of them.
    if len(digits) > _MAXIMUM_DIGITS or int(digits or "0") > MAXIMUM_LENGTH:
        raise BadFraming(f"Content-Length is beyond counting: {quoted(text)}")
    return int(digits or "0")


def connection_options(connection: str) -> list[str]:
    """The options of a Connection field, in lower case (RFC 9110 section 7.6.1)."""
    return [option.strip(" \t") for option in connection.lower().split(",")]


def decide_persistence(options: list[str], *, http_10: bool) -> bool:
    """Whether another request may follow (RFC 9112 section 9.3): close wins over keep-alive."""
    if "close" in options:
        return False
    return not http_10 or "keep-alive" in options


def decide_expectation(expect: str, *, http_10: bool) -> bool:
    """Whether the peer waits for 100 (Continue); raises ExpectationFailed (RFC 9110 10.1.1)."""
    wanted = {member.strip(" \t") for member in expect.lower().split(",")} - {""}
    if wanted - {"100-continue"}:
        raise ExpectationFailed(f"an expectation that is not known: {quoted(expect)}")
    # A 1.0 client does not know interim responses, so its expectation is to be ignored.
    return bool(wanted) and not http_10
