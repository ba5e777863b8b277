"""Heads of HTTP/2 and what they are in the terms of HTTP/1 (RFC 9113 section 8).

A request's head is checked for what only HTTP/2 can get wrong (pseudo-fields, fields of the
connection, upper case, the characters that would change meaning in another version, section 8.2.1)
and then written as a head of HTTP/1.1 and read by that reader: so limits, grammar, framing, hosts,
underscores and trust are judged by the same judges, and an application cannot tell the versions
apart but by SERVER_PROTOCOL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from canter.protocol.faults import (
    BadField,
    BadHost,
    BadRequestLine,
    BadTarget,
    BadTrailer,
    Fault,
    RequestLineTooLong,
    quoted,
)
from canter.protocol.http1.reader import Reader
from canter.protocol.limits import Limits
from canter.protocol.request import CHUNKED, Request
from canter.protocol.response import HAS_DATE, HAS_LENGTH, HAS_SERVER, ResponseHead

Fields = list[tuple[bytes, bytes]]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_PATH = re.compile(rb"[!-~]+").fullmatch
# RFC 9113 8.2.1: none of these anywhere, no white space at either end.
_BAD_VALUE = re.compile(rb"[\0\r\n]|\A[ \t]|[ \t]\Z").search
_OF_CONNECTIONS = frozenset(
    {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
)
_PSEUDO = frozenset({b":method", b":scheme", b":path", b":authority"})
VERSION = "HTTP/2.0"


def judge_request(
    fields: Iterable[tuple[bytes, bytes]],
    reader: Reader,
    base: dict[str, Any],
    limits: Limits,
    ended: bool,  # noqa: FBT001 - as the frame's flag
) -> Request:
    """The request of a head; `reader` is one of HTTP/1 that has read nothing. Raises Fault.

    ended: there is no body.
    """
    pseudo, ordinary = _apart(fields)
    method, path = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
    if not _METHOD(method):
        raise BadRequestLine(f"not a method: {quoted(method)}")
    if limits.request_line and len(method) + len(path) + 10 > limits.request_line:
        raise RequestLineTooLong(f"a :path over {limits.request_line} bytes")
    if pseudo.get(b":scheme") not in {b"http", b"https"} and method != b"CONNECT":
        raise BadTarget("a :scheme that is neither http nor https")
    authority = pseudo.get(b":authority")
    if method == b"CONNECT":
        path = authority or b""
    elif not path.startswith(b"/") and not (path == b"*" and method == b"OPTIONS"):
        raise BadTarget(f"not a :path: {quoted(path)}")
    if not _PATH(path):
        raise BadTarget(f"a character that must be percent-encoded in :path: {quoted(path)}")
    hosts = [value for name, value in ordinary if name == b"host"]
    if authority is not None:
        if hosts and hosts != [authority]:
            raise BadHost("Host and :authority differ")
        if not hosts:
            if _BAD_VALUE(authority):
                raise BadHost(f":authority is not a host: {quoted(authority)}")
            ordinary.insert(0, (b"host", authority))
    head = [b"%b %b HTTP/1.1\r\n" % (method, path)]
    head += [b"%b: %b\r\n" % field for field in ordinary]
    head.append(b"\r\n")
    reader.feed(b"".join(head))
    request = reader.next_request(base)
    if request is None:  # a head that HTTP/1 does not see the end of
        raise BadRequestLine("a head that means something else in HTTP/1.1")
    _settle(request, ended)
    return request


def _settle(request: Request, ended: bool) -> None:  # noqa: FBT001 - as the frame's flag
    environ = request.environ
    environ["SERVER_PROTOCOL"] = VERSION
    if ended:
        request.body_length = 0
        request.expect_continue = False
    elif "CONTENT_LENGTH" not in environ:
        request.body_length = CHUNKED


def _apart(fields: Iterable[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], Fields]:
    """Pseudo-fields and the others. Raises Fault."""
    pseudo: dict[bytes, bytes] = {}
    ordinary: Fields = []
    for name, value in fields:
        if name.startswith(b":"):
            if name not in _PSEUDO or ordinary or name in pseudo:
                raise BadField(f"a pseudo-field that may not be here: {quoted(name)}")
            pseudo[name] = value
            continue
        judge_field(name, value)
        ordinary.append((name, value))
    return pseudo, ordinary


def judge_field(name: bytes, value: bytes) -> None:
    """Raises BadField for a field that HTTP/2 does not have (RFC 9113 8.2)."""
    if not _NAME(name):
        raise BadField(f"not a field name: {quoted(name)}")
    if name in _OF_CONNECTIONS or (name == b"te" and value != b"trailers"):
        raise BadField(f"a field that belongs to a connection: {quoted(name)}")
    if _BAD_VALUE(value):
        raise BadField(f"a character that may not be in the value of the field {quoted(name)}")


def judge_trailers(fields: Iterable[tuple[bytes, bytes]], limits: Limits) -> None:
    """Judge trailers, which are then dropped. Raises BadTrailer."""
    for count, (name, value) in enumerate(fields, 1):
        try:
            judge_field(name, value)
        except Fault as fault:
            raise BadTrailer(fault.detail) from None
        if limits.fields and count > limits.fields:
            raise BadTrailer(f"more than {limits.fields} trailers")


def response_fields(head: ResponseHead, length: int, date: bytes) -> Fields:
    """The fields of a response. length: of the body, where it is known and not declared, else -1.

    date: the Date line of HTTP/1.1.
    """
    fields: Fields = [(b":status", b"%d" % head.code)]
    facts = head.facts
    if not facts & HAS_SERVER:
        fields.append((b"server", b"canter"))
    if not facts & HAS_DATE:
        fields.append((b"date", date[6:-2]))
    without_length = facts & HAS_LENGTH and head.code == 204
    for name, value in head.fields:
        lowered = name.lower()
        if without_length and lowered == "content-length":
            continue
        fields.append((lowered.encode("latin-1"), value.strip(" \t").encode("latin-1")))
    if length >= 0:
        fields.append((b"content-length", b"%d" % length))
    return fields


def interim_fields(status: int, fields: list[tuple[str, str]]) -> Fields:
    """The head of an interim response with judged fields."""
    found: Fields = [(b":status", b"%d" % status)]
    found += [(n.lower().encode("latin-1"), v.strip(" \t").encode("latin-1")) for n, v in fields]
    return found


def refusal_fields(fault: Fault, date: bytes, size: int) -> Fields:
    """The head of the answer to a request that was refused."""
    fields: Fields = [
        (b":status", b"%d" % fault.status),
        (b"server", b"canter"),
        (b"date", date[6:-2]),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % size),
    ]
    retry_after_seconds = getattr(fault, "retry_after_seconds", None)
    if retry_after_seconds is not None:
        fields.append((b"retry-after", b"%d" % retry_after_seconds))
    return fields
